"""The container that holds the WhatsApp sessions."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.bundles import ROOT
from infra.cdk.constructs.alarms import Alarms
from infra.cdk.constructs.dashboard import Dashboard
from infra.cdk.constructs.gateway_alarms import GatewayAlarms
from infra.cdk.constructs.grants import (
    DELETE,
    READ,
    WRITE,
    may_read_secret,
    may_use_index,
    may_use_objects,
    may_use_table,
)
from infra.cdk.constructs.nag import not_followed
from infra.cdk.constructs.python_function import retention
from infra.cdk.settings import GATEWAY_PORT, WEBHOOK_PATH, Settings
from infra.cdk.stacks.state import MEDIA_PREFIX, SESSION_INDEX, StateStack

STOP_TIMEOUT_SECONDS = 30
"""After SIGTERM the gateway finishes its sends and gives up its sessions."""

_LOG_LEVEL = {"DEBUG": "debug", "INFO": "info", "WARNING": "warn", "ERROR": "error"}
"""Python's names of the levels, as the gateway calls them."""

# As in baileys-ecs/Dockerfile.dockerignore, which the hash of the image does not look at.
_IMAGE_SOURCES = (
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.base.json",
    "contracts",
    "baileys-ecs",
    "simulator/package.json",
)
_NOT_IN_IMAGE = ("**/node_modules", "**/dist", "**/test", "**/.env*")


class GatewayStack(cdk.Stack):
    """One Fargate service. Its tasks share the sessions out among themselves by leases in the gateway table."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: Settings, state: StateStack, webhook_url: lambda_.FunctionUrl
    ) -> None:
        super().__init__(scope, id_, description="Kesher: the container that holds the WhatsApp sessions")
        cluster = ecs.Cluster(self, "Cluster", cluster_name=f"{settings.prefix}-gateway", vpc=state.network.vpc)
        not_followed(
            cluster,
            "ECS4",
            because="Container Insights are billed by metric; the circuit breaker and the alarms are there.",
        )
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=settings.gateway_cpu,
            memory_limit_mib=settings.gateway_memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        gateway = task.add_container(
            "Gateway",
            image=self._image(settings.gateway_image),
            essential=True,
            user="node",
            readonly_root_filesystem=True,
            stop_timeout=cdk.Duration.seconds(STOP_TIMEOUT_SECONDS),
            port_mappings=[ecs.PortMapping(container_port=GATEWAY_PORT)],
            logging=ecs.LogDriver.aws_logs(
                stream_prefix="gateway",
                log_group=logs.LogGroup(
                    self,
                    "Log",
                    log_group_name=f"/{settings.prefix}/gateway",
                    retention=retention(settings.log_retention_days),
                    removal_policy=cdk.RemovalPolicy.DESTROY,
                ),
                # A full log buffer must not stop the container from writing its journal.
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            ),
            health_check=ecs.HealthCheck(
                command=["CMD", "node", "-e", _HEALTH_CHECK],
                interval=cdk.Duration.seconds(30),
                timeout=cdk.Duration.seconds(5),
                retries=3,
                start_period=cdk.Duration.seconds(30),
            ),
            environment={
                "HOST": "0.0.0.0",  # noqa: S104 - the container's own interface, behind its security group
                "PORT": str(GATEWAY_PORT),
                "AWS_REGION": cdk.Aws.REGION,
                "GATEWAY_TABLE": state.gateway_table.table_name,
                "SESSION_INDEX": SESSION_INDEX,
                "MEDIA_BUCKET": state.media.bucket_name,
                "WEBHOOK_URL": f"{webhook_url.url}{WEBHOOK_PATH}",
                "WEBHOOK_AUTH": "iam",
                "INTERNAL_SECRET_ARN": state.internal_secret.secret_arn,
                "METRICS_NAMESPACE": settings.prefix,
                "LOG_LEVEL": _LOG_LEVEL[settings.log_level],
            },
        )
        # Baileys encrypts a file on its way out in TMPDIR; everything else is read-only.
        task.add_volume(name=_SCRATCH)
        gateway.add_mount_points(
            ecs.MountPoint(container_path=f"/app/{_SCRATCH}", source_volume=_SCRATCH, read_only=False)
        )
        may_use_table(task.task_role, state.gateway_table, *READ, *WRITE, *DELETE)
        may_use_index(task.task_role, state.gateway_table, SESSION_INDEX, "dynamodb:Scan")
        # Puts what customers sent, gets what is to be sent.
        may_use_objects(task.task_role, state.media_arn, state.key, MEDIA_PREFIX, "s3:GetObject", "s3:PutObject")
        may_read_secret(task.task_role, state.internal_secret)
        webhook_url.grant_invoke_url(task.task_role)
        not_followed(task, "ECS2", because="Names and ARNs; the secret itself is read from Secrets Manager.")
        not_followed(
            task,
            f"IAM5[Resource::{state.media_export}/{MEDIA_PREFIX}*]",
            because="The objects under the one prefix that the gateway uses; their names are hashes.",
        )
        not_followed(
            task, "IAM5[Resource::*]", because="The login to an image registry knows no permissions by resource."
        )
        ecs.FargateService(
            self,
            "Service",
            service_name=f"{settings.prefix}-gateway",
            cluster=cluster,
            task_definition=task,
            desired_count=settings.gateway_tasks,
            # A public address instead of a NAT gateway, which would cost more than all the rest.
            assign_public_ip=True,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            security_groups=[state.network.gateway_security_group],
            # The new task is up before the old one gives up its sessions (ADR 0008).
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        )
        cdk.CfnOutput(self, "ClusterName", value=cluster.cluster_name)
        alarms = Alarms(self, "Alarms", prefix=settings.prefix, topic=state.alarm_topic)
        GatewayAlarms(self, "GatewayAlarms", settings=settings, alarms=alarms)
        of_the_functions = [
            cloudwatch.Alarm.from_alarm_name(self, f"Alarm{index}", f"{settings.prefix}-{name}")
            for index, name in enumerate(("send-failed", "sweep-failed", "turns-dead-letters", "outgoing-dead-letters"))
        ]
        Dashboard(self, "Dashboard", prefix=settings.prefix, alarms=[*of_the_functions, *alarms.all])

    def _image(self, reference: str | None) -> ecs.ContainerImage:
        if reference is not None:
            return ecs.ContainerImage.from_registry(reference)
        asset = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(ROOT),
            file="baileys-ecs/Dockerfile",
            platform=ecr_assets.Platform.LINUX_ARM64,
            exclude=["**", *(f"!{path}" for path in _IMAGE_SOURCES), *_NOT_IN_IMAGE],
            ignore_mode=cdk.IgnoreMode.DOCKER,
        )
        return ecs.ContainerImage.from_docker_image_asset(asset)


_SCRATCH = "scratch"
"""The folder of the image that belongs to its user, see baileys-ecs/Dockerfile."""
_HEALTH_CHECK = (
    f"fetch('http://127.0.0.1:{GATEWAY_PORT}/health').then(a => process.exit(a.ok ? 0 : 1), () => process.exit(1))"
)
