"""Permissions by the operations used, always in the policy of whoever uses them.

CDK's own `grant_...` methods are wider (every index of a table), or write into the policy of the encryption key, which
lives in the state stack and must not know its users.
"""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
WRITE = ("dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
"""A transaction needs the permissions of its parts and none of its own."""
DELETE = ("dynamodb:DeleteItem",)

_TABLE_KEY_OPERATIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


def may_use_table(who: iam.IGrantable, table: dynamodb.Table, *operations: str) -> None:
    """`operations` on the items of `table`, not on its indexes."""
    _allow(who, operations, table.table_arn)
    _may_use_key(who, table.encryption_key, "dynamodb", _TABLE_KEY_OPERATIONS)


def may_use_index(who: iam.IGrantable, table: dynamodb.Table, index: str, operation: str) -> None:
    """`operation`, for example `dynamodb:Query`, on one index."""
    _allow(who, [operation], f"{table.table_arn}/index/{index}")


def may_use_objects(who: iam.IGrantable, bucket_arn: str, key: kms.IKey, prefix: str, *operations: str) -> None:
    """`operations`, for example `s3:PutObject`, on the objects whose names begin with `prefix`; no list of them."""
    _allow(who, operations, f"{bucket_arn}/{prefix}*")
    _may_use_key(who, key, "s3", ("kms:Decrypt", "kms:GenerateDataKey"))


def may_read_secret(who: iam.IGrantable, secret: secretsmanager.Secret) -> None:
    _allow(who, ["secretsmanager:GetSecretValue"], secret.secret_arn)
    _may_use_key(who, secret.encryption_key, "secretsmanager", ["kms:Decrypt"])


def may_ring(who: iam.IGrantable, *queues: sqs.Queue) -> None:
    """Send doorbells, neither receive nor purge them."""
    _allow(who, ["sqs:SendMessage"], *(queue.queue_arn for queue in queues))


def _may_use_key(who: iam.IGrantable, key: kms.IKey | None, service: str, actions: Sequence[str]) -> None:
    """Use `key` through `service` only: nobody decrypts by themselves."""
    if key is None:
        return
    through = {"StringEquals": {"kms:ViaService": f"{service}.{cdk.Aws.REGION}.amazonaws.com"}}
    who.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=[key.key_arn], conditions=through)
    )


def _allow(who: iam.IGrantable, actions: Sequence[str], *resources: str) -> None:
    who.grant_principal.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
