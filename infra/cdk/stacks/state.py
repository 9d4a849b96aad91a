"""What outlives every deployment: tables, media, secrets, key, network, and the topic of the alarms."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk.constructs.alarms import AlarmTopic
from infra.cdk.constructs.nag import not_followed
from infra.cdk.constructs.network import Network
from infra.cdk.settings import GATEWAY_PORT, Settings

SWEEP_INDEX = "sweep"
SESSION_INDEX = "sessions"
MEDIA_PREFIX = "media/"
"""Of the keys of what customers sent, and of what is to be sent to them."""


class StateStack(cdk.Stack):
    """Read by the two other stacks; reads nothing of them."""

    def __init__(self, scope: Construct, id_: str, *, settings: Settings) -> None:
        super().__init__(scope, id_, description="Kesher: tables, media, secrets, network, alarm topic")
        # One key for all of them: a key is about 1 USD a month, and whoever may read one of these may read the others.
        self.key = kms.Key(
            self,
            "Key",
            description=f"{settings.prefix}: tables, media, secrets and alarms",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self.app_table = self._table("AppTable", time_to_live="expires_at")
        self.app_table.add_global_secondary_index(
            index_name=SWEEP_INDEX,
            partition_key=dynamodb.Attribute(name="sweep_shard", type=dynamodb.AttributeType.NUMBER),
            sort_key=dynamodb.Attribute(name="sweep_at", type=dynamodb.AttributeType.NUMBER),
            # Its keys name the conversation or the row; the sweeper reads the item itself before it rings.
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        self.gateway_table = self._table("GatewayTable", time_to_live="expiresAt")
        self.gateway_table.add_global_secondary_index(
            index_name=SESSION_INDEX,
            # Only session rows have it. The gateways read them all every few seconds; without the index they would scan
            # the journal and the auth state each time.
            partition_key=dynamodb.Attribute(name="desired", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.ALL,
        )
        self.media = self._media_bucket(settings.media_retention_days)
        # Under a name of its own, so that a reader's answer to cdk-nag can name what it may read.
        self.media_export = f"{settings.prefix}-MediaArn"
        self.media_arn = self.export_value(self.media.bucket_arn, name=self.media_export)
        self.internal_secret = secretsmanager.Secret(
            self,
            "InternalSecret",
            description=f"{settings.prefix}: signs events and opens the gateway; JSON with current and previous",
            encryption_key=self.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - the shape; the value is generated
                generate_string_key="current",
                password_length=64,
                exclude_punctuation=True,
            ),
        )
        self.model_secret = secretsmanager.Secret(
            self,
            "ModelSecret",
            description=f"{settings.prefix}: the model's API key as JSON, set by an operator (infra/README.md)",
            encryption_key=self.key,
            # CloudFormation writes it once, when it makes the secret; what an operator sets later stays.
            secret_object_value={"apiKey": cdk.SecretValue.unsafe_plain_text("")},
        )
        not_followed(
            self.internal_secret,
            "SMG4",
            because="Rotated by hand, without an outage: `current` and `previous` both verify (infra/README.md).",
        )
        not_followed(self.model_secret, "SMG4", because="A model key is rotated where it was issued.")
        self.network = Network(self, "Network", gateway_port=GATEWAY_PORT, endpoint_zones=settings.endpoint_zones)
        self.alarm_topic = AlarmTopic(
            self, "Alarms", name=f"{settings.prefix}-alarms", key=self.key, email=settings.alarm_email
        ).topic
        for name, value in {
            "AppTableName": self.app_table.table_name,
            "GatewayTableName": self.gateway_table.table_name,
            "SessionIndexName": SESSION_INDEX,
            "MediaBucketName": self.media.bucket_name,
            "InternalSecretArn": self.internal_secret.secret_arn,
            "ModelSecretArn": self.model_secret.secret_arn,
            "AlarmTopicArn": self.alarm_topic.topic_arn,
        }.items():
            cdk.CfnOutput(self, name, value=value)

    def _media_bucket(self, retention_days: int) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Media",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            # One call of the key for many objects: each call is billed.
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(retention_days),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        not_followed(
            bucket,
            "S1",
            because="Two roles reach it, each under one prefix; who must know each access turns on CloudTrail's data "
            "events, which name the role, as access logs do not.",
        )
        return bucket

    def _table(self, id_: str, *, time_to_live: str) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            id_,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=time_to_live,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
