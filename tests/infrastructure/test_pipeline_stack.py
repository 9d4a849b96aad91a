"""Queues, functions and what they may do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match

from infra.bundles import FUNCTIONS
from infra.cdk.settings import AGENT_TIMEOUT_SECONDS, SEND_TIMEOUT_SECONDS, Settings
from tests.infrastructure.policies import allowed, permissions
from tests.infrastructure.templates import Templates, synthesise

READS = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
WRITES = {"dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}


def function(templates: Templates, name: str) -> dict[str, Any]:
    found = templates.pipeline.find_resources(
        "AWS::Lambda::Function", {"Properties": {"FunctionName": f"Kesher-{name}"}}
    )
    [body] = found.values()
    properties: dict[str, Any] = body["Properties"]
    return properties


def queue(templates: Templates, name: str) -> dict[str, Any]:
    found = templates.pipeline.find_resources("AWS::SQS::Queue", {"Properties": {"QueueName": f"Kesher-{name}.fifo"}})
    [body] = found.values()
    properties: dict[str, Any] = body["Properties"]
    return properties


@pytest.mark.parametrize(
    ("name", "delay", "timeout"), [("turns", 1, AGENT_TIMEOUT_SECONDS), ("outgoing", 0, SEND_TIMEOUT_SECONDS)]
)
def test_a_queue_keeps_order_outlives_its_function_and_gives_up_soon(
    templates: Templates, name: str, delay: int, timeout: int
) -> None:
    properties = queue(templates, name)

    assert properties["FifoQueue"] is True
    assert properties["DelaySeconds"] == delay
    assert properties["VisibilityTimeout"] > timeout
    assert properties["SqsManagedSseEnabled"] is True
    assert properties["RedrivePolicy"]["maxReceiveCount"] == 3
    [dead_letters, _] = properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"]
    target = templates.pipeline.to_json()["Resources"][dead_letters]["Properties"]
    assert target["QueueName"] == f"Kesher-{name}-dead-letters.fifo"
    assert target["FifoQueue"] is True
    assert target["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_no_queue_takes_a_message_in_the_clear(templates: Templates) -> None:
    templates.pipeline.resource_count_is("AWS::SQS::Queue", 4)
    policies = templates.pipeline.find_resources("AWS::SQS::QueuePolicy").values()

    assert len(policies) == 4
    for policy in policies:
        refusal = policy["Properties"]["PolicyDocument"]["Statement"][0]
        assert refusal["Effect"] == "Deny"
        assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_doorbells_come_one_at_a_time_and_a_failed_one_comes_back_alone(templates: Templates) -> None:
    templates.pipeline.resource_count_is("AWS::Lambda::EventSourceMapping", 2)
    templates.pipeline.all_resources_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 1,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 4},
        },
    )


def test_no_function_takes_concurrency_away_from_the_account(templates: Templates) -> None:
    for name in FUNCTIONS:
        assert "ReservedConcurrentExecutions" not in function(templates, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_on_arm_is_traced_and_logs_under_its_name(templates: Templates, name: str) -> None:
    properties = function(templates, name)

    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["Handler"].startswith(f"functions.{name}.handler.")
    log_group = templates.pipeline.to_json()["Resources"][properties["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
    assert log_group["LogGroupName"] == f"/aws/lambda/Kesher-{name}"
    assert log_group["RetentionInDays"] == 30


COMMON = {"APP_TABLE", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "LOG_LEVEL"}
QUEUES = {"TURNS_QUEUE_URL", "OUTGOING_QUEUE_URL"}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("webhook", QUEUES | {"INTERNAL_SECRET_ARN"}),
        ("agent", QUEUES | {"MEDIA_BUCKET", "MODEL_SECRET_ARN", "TURNS_MAX_RECEIVE_COUNT"}),
        ("send", {"GATEWAY_TABLE", "INTERNAL_SECRET_ARN"}),
        ("sweeper", QUEUES),
        ("feed", set()),
    ],
)
def test_a_function_is_told_what_it_uses_and_no_more(templates: Templates, name: str, own: set[str]) -> None:
    variables = function(templates, name)["Environment"]["Variables"]

    assert set(variables) == COMMON | own
    assert variables["POWERTOOLS_SERVICE_NAME"] == name
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Kesher"


def test_a_chosen_model_is_the_agents_affair(tmp_path: Path) -> None:
    chosen = Settings(
        openai_model="small", openai_base_url="https://models.example.com/v1", gateway_image="kesher/gateway:test"
    )
    templates = synthesise(chosen, tmp_path)

    for name in FUNCTIONS:
        variables = function(templates, name)["Environment"]["Variables"]
        expected = ("small", "https://models.example.com/v1") if name == "agent" else (None, None)
        assert (variables.get("OPENAI_MODEL"), variables.get("OPENAI_BASE_URL")) == expected


def test_strangers_cannot_invoke_the_webhook(templates: Templates) -> None:
    templates.pipeline.resource_count_is("AWS::Lambda::Url", 2)
    templates.pipeline.has_resource_properties("AWS::Lambda::Url", {"AuthType": "AWS_IAM"})
    for permission in templates.pipeline.find_resources("AWS::Lambda::Permission").values():
        if "Feed" not in json.dumps(permission["Properties"]["FunctionName"]):
            assert permission["Properties"]["Principal"] == "events.amazonaws.com"


def test_the_agent_puts_files_and_reads_none(templates: Templates) -> None:
    assert allowed(permissions(templates.pipeline, "AgentRole"), "s3") == {"s3:PutObject"}
    for role in ("WebhookRole", "SendRole", "SweeperRole", "FeedRole"):
        assert allowed(permissions(templates.pipeline, role), "s3") == set()


def test_a_phone_may_call_the_feed_by_its_url_and_in_no_other_way(templates: Templates) -> None:
    public = [
        permission["Properties"]
        for permission in templates.pipeline.find_resources("AWS::Lambda::Permission").values()
        if permission["Properties"]["Principal"] == "*"
    ]
    assert public
    for permission in public:
        assert "Feed" in json.dumps(permission["FunctionName"])
        by_url = permission.get("FunctionUrlAuthType") == "NONE" or permission.get("InvokedViaFunctionUrl") is True
        assert by_url


def test_the_sweeper_looks_every_minute(templates: Templates) -> None:
    templates.pipeline.has_resource_properties(
        "AWS::Events::Rule",
        {
            "ScheduleExpression": "rate(1 minute)",
            "State": "ENABLED",
            "Targets": [Match.object_like({"Arn": Match.any_value(), "RetryPolicy": {"MaximumRetryAttempts": 0}})],
        },
    )


def test_only_send_is_in_the_network_and_there_only_in_isolated_subnets(templates: Templates) -> None:
    for name in FUNCTIONS:
        assert ("VpcConfig" in function(templates, name)) is (name == "send")
    network = function(templates, "send")["VpcConfig"]
    assert len(network["SubnetIds"]) == 2
    assert all("sendSubnet" in json.dumps(subnet) for subnet in network["SubnetIds"])
    [group] = network["SecurityGroupIds"]
    assert "NetworkSend" in json.dumps(group)


@pytest.mark.parametrize(
    ("role", "operations"),
    [
        ("WebhookRole", READS | WRITES),
        ("AgentRole", READS | WRITES | {"dynamodb:DeleteItem"}),
        ("SendRole", READS | WRITES),
        ("SweeperRole", READS | WRITES),
        ("FeedRole", READS),
    ],
)
def test_a_function_has_the_table_operations_that_it_uses(
    templates: Templates, role: str, operations: set[str]
) -> None:
    assert allowed(permissions(templates.pipeline, role), "dynamodb") == operations


@pytest.mark.parametrize("role", ["WebhookRole", "AgentRole", "SendRole", "SweeperRole", "FeedRole"])
def test_nobody_may_use_a_wildcard_of_operations(templates: Templates, role: str) -> None:
    for permission in permissions(templates.pipeline, role):
        assert not any("*" in action for action in permission.actions)


def test_only_webhook_and_sweeper_read_the_sweep_index(templates: Templates) -> None:
    readers = {
        role
        for role in ("WebhookRole", "AgentRole", "SendRole", "SweeperRole", "FeedRole")
        if any("/index/sweep" in permission.resources for permission in permissions(templates.pipeline, role))
    }
    assert readers == {"WebhookRole", "SweeperRole"}


def test_send_reads_the_session_row_and_touches_nothing_else_of_the_gateway(templates: Templates) -> None:
    on_gateway_table = [
        permission
        for permission in permissions(templates.pipeline, "SendRole")
        if "GatewayTable" in permission.resources
    ]
    assert [permission.actions for permission in on_gateway_table] == [frozenset({"dynamodb:GetItem"})]
    for role in ("WebhookRole", "AgentRole", "SweeperRole", "FeedRole"):
        assert "GatewayTable" not in json.dumps([p.resources for p in permissions(templates.pipeline, role)])


@pytest.mark.parametrize(
    ("role", "secrets"),
    [
        ("WebhookRole", ["InternalSecret"]),
        ("AgentRole", ["ModelSecret"]),
        ("SendRole", ["InternalSecret"]),
        ("SweeperRole", []),
        ("FeedRole", []),
    ],
)
def test_a_function_reads_its_own_secret_only(templates: Templates, role: str, secrets: list[str]) -> None:
    readable = [
        permission.resources
        for permission in permissions(templates.pipeline, role)
        if "secretsmanager:GetSecretValue" in permission.actions
    ]
    assert len(readable) == len(secrets)
    assert all(secret in resources for secret, resources in zip(secrets, readable, strict=True))


def test_who_rings_may_only_ring(templates: Templates) -> None:
    assert allowed(permissions(templates.pipeline, "WebhookRole"), "sqs") == {"sqs:SendMessage"}
    assert allowed(permissions(templates.pipeline, "SweeperRole"), "sqs") == {"sqs:SendMessage"}
    assert "sqs:SendMessage" not in allowed(permissions(templates.pipeline, "SendRole"), "sqs")


@pytest.mark.parametrize("role", ["WebhookRole", "AgentRole", "SendRole", "SweeperRole", "FeedRole"])
def test_the_key_is_used_through_a_service_only(templates: Templates, role: str) -> None:
    with_key = [p for p in permissions(templates.pipeline, role) if any(a.startswith("kms:") for a in p.actions)]

    assert with_key
    assert all("kms:ViaService" in permission.conditions for permission in with_key)
