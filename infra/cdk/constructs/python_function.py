"""One of the project's Lambda functions: its bundle, its log, and a role with nothing in it yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from constructs import Construct

from infra.bundles import PYTHON_VERSION
from infra.cdk.constructs.nag import not_followed
from infra.cdk.settings import Settings

_RUNTIME = lambda_.Runtime(f"python{PYTHON_VERSION}", lambda_.RuntimeFamily.PYTHON)


class Code(Protocol):
    """What this needs of a `infra.bundles.Bundle`."""

    @property
    def path(self) -> Path: ...
    @property
    def key(self) -> str: ...


class PythonFunction(Construct):
    """`functions.<name>.handler.handle` as a Lambda function.

    Parameters
    ----------
    name : str
        Folder in functions/, and value of the metrics' dimension `service`.
    code : Code
        Its bundle.
    timeout : int
        Seconds.
    environment : mapping
        Beside what every function gets: service name, metrics namespace, log level.
    network : (vpc, security group), optional
        Puts it into the isolated subnets.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        code: Code,
        settings: Settings,
        timeout: int,
        memory: int,
        environment: Mapping[str, str],
        network: tuple[ec2.IVpc, ec2.ISecurityGroup] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        function_name = f"{settings.prefix}-{name}"
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=retention(settings.log_retention_days),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        # Not the managed policies: they allow writing to every log group of the account.
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        if network is not None:
            _grant_network_interfaces(role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            runtime=_RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"functions.{name}.handler.handle",
            # The key, not a hash of the bytes: it names the inputs, so an unchanged function is not deployed again.
            code=lambda_.Code.from_asset(str(code.path), asset_hash=code.key, asset_hash_type=cdk.AssetHashType.CUSTOM),
            role=role,
            timeout=cdk.Duration.seconds(timeout),
            memory_size=memory,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            environment={
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": settings.prefix,
                "LOG_LEVEL": settings.log_level,
                **environment,
            },
            vpc=network[0] if network else None,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED) if network else None,
            security_groups=[network[1]] if network else None,
        )
        not_followed(role, "IAM5[Resource::*]", because="X-Ray and network interfaces know no permissions by resource.")
        not_followed(
            self.function,
            "L1",
            because=f"{PYTHON_VERSION} is supported until 2029, and every dependency has arm64 wheels for it.",
        )

    def rung_by(self, queue: sqs.IQueue, *, concurrency: int) -> None:
        """Let `queue` invoke the function, one doorbell at a time, in at most `concurrency` conversations at once."""
        self.function.add_event_source(
            # Not reserved concurrency: that would take from the account's ten, used or not.
            SqsEventSource(queue, batch_size=1, max_concurrency=concurrency, report_batch_item_failures=True)
        )


def _grant_network_interfaces(role: iam.Role) -> None:
    role.add_to_policy(
        iam.PolicyStatement(
            sid="NetworkInterfacesOfLambda",
            actions=[
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            ],
            resources=["*"],
        )
    )


def retention(days: int) -> logs.RetentionDays:
    """CDK's name of a number of days."""
    names = {1: "ONE_DAY", 3: "THREE_DAYS", 5: "FIVE_DAYS", 7: "ONE_WEEK", 14: "TWO_WEEKS", 30: "ONE_MONTH"}
    names |= {60: "TWO_MONTHS", 90: "THREE_MONTHS", 120: "FOUR_MONTHS", 150: "FIVE_MONTHS", 180: "SIX_MONTHS"}
    return logs.RetentionDays[names.get(days, "ONE_YEAR")]
