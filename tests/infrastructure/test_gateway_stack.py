"""The container that holds the WhatsApp sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infra.cdk.settings import Settings
from tests.infrastructure.policies import allowed, permissions
from tests.infrastructure.templates import Templates, synthesise


def container(templates: Templates) -> dict[str, Any]:
    [task] = templates.gateway.find_resources("AWS::ECS::TaskDefinition").values()
    containers: list[dict[str, Any]] = task["Properties"]["ContainerDefinitions"]
    assert len(containers) == 1
    return containers[0]


def test_the_container_owns_nothing_on_its_machine(templates: Templates) -> None:
    found = container(templates)

    assert found["ReadonlyRootFilesystem"] is True
    assert found["User"] not in ("", "root", "0")
    assert "Privileged" not in found


def test_the_container_has_time_to_finish_its_sends(templates: Templates) -> None:
    assert container(templates)["StopTimeout"] == 30


def test_the_container_is_replaced_when_it_stops_answering(templates: Templates) -> None:
    check = container(templates)["HealthCheck"]

    assert "/health" in check["Command"][-1]
    assert check["Retries"] == 3


def test_the_container_is_told_where_everything_is_and_holds_no_secret(templates: Templates) -> None:
    found = container(templates)
    variables = {entry["Name"]: entry["Value"] for entry in found["Environment"]}

    assert set(variables) == {
        "HOST", "PORT", "AWS_REGION", "GATEWAY_TABLE", "SESSION_INDEX", "MEDIA_BUCKET", "WEBHOOK_URL", "WEBHOOK_AUTH",
        "INTERNAL_SECRET_ARN", "METRICS_NAMESPACE", "LOG_LEVEL",
    }  # fmt: skip
    assert variables["HOST"] == "0.0.0.0"  # noqa: S104
    assert variables["PORT"] == str(found["PortMappings"][0]["ContainerPort"])
    assert variables["WEBHOOK_AUTH"] == "iam"
    assert json.dumps(variables["WEBHOOK_URL"]).endswith('"api/whatsapp/webhook/incoming"]]}')
    assert variables["LOG_LEVEL"] == "info"
    assert variables["METRICS_NAMESPACE"] == "Kesher"


def test_the_level_of_the_log_has_the_gateways_own_name(tmp_path: Path) -> None:
    quiet = synthesise(Settings(gateway_image="kesher/gateway:test", log_level="WARNING"), tmp_path)
    variables = {entry["Name"]: entry["Value"] for entry in container(quiet)["Environment"]}

    assert variables["LOG_LEVEL"] == "warn"


def test_the_service_runs_on_arm_in_the_public_subnets_behind_its_group(templates: Templates) -> None:
    [task] = templates.gateway.find_resources("AWS::ECS::TaskDefinition").values()
    [service] = templates.gateway.find_resources("AWS::ECS::Service").values()
    network = service["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]

    assert task["Properties"]["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert service["Properties"]["LaunchType"] == "FARGATE"
    assert network["AssignPublicIp"] == "ENABLED"
    assert all("gatewaySubnet" in json.dumps(subnet) for subnet in network["Subnets"])
    assert len(network["SecurityGroups"]) == 1
    assert "NetworkGateway" in json.dumps(network["SecurityGroups"])


def test_a_bad_image_is_rolled_back_and_a_good_one_leaves_no_gap(templates: Templates) -> None:
    [service] = templates.gateway.find_resources("AWS::ECS::Service").values()

    assert service["Properties"]["DeploymentConfiguration"] == {
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        "MinimumHealthyPercent": 100,
        "MaximumPercent": 200,
    }


def test_the_container_may_use_its_table_its_secret_and_the_webhook(templates: Templates) -> None:
    found = permissions(templates.gateway, "TaskTaskRole")

    assert allowed(found, "dynamodb") == {
        "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:GetItem",
        "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem",
    }  # fmt: skip
    assert not any("AppTable" in permission.resources for permission in found)
    [scan] = [permission for permission in found if "dynamodb:Scan" in permission.actions]
    assert "/index/sessions" in scan.resources
    assert allowed(found, "s3") == {"s3:GetObject", "s3:PutObject"}
    [objects] = [permission for permission in found if "s3:PutObject" in permission.actions]
    assert '/media/*"' in objects.resources
    assert allowed(found, "secretsmanager") == {"secretsmanager:GetSecretValue"}
    # Lambda asks for both since October 2025.
    assert allowed(found, "lambda") == {"lambda:InvokeFunction", "lambda:InvokeFunctionUrl"}
    assert allowed(found, "sqs") == set()
