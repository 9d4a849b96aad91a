"""The real app in the local AWS, put there by the real command line."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import requests

from infra.bundles import ROOT
from kesher.local.deploy import DeployError, Deployment, deploy
from kesher.local.emf import EmbeddedMetric, MetricsBridge, embedded_metrics
from kesher.local.emulator import Emulator
from kesher.local.functions import log_lines, signed
from tests.infrastructure.templates import Templates
from tests.waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef
    from mypy_boto3_sqs.type_defs import ReceiveMessageResultTypeDef


@dataclass(frozen=True)
class Local:
    emulator: Emulator
    deployment: Deployment
    steps: tuple[str, ...]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    titles: list[str] = []

    @contextmanager
    def step(title: str) -> Iterator[None]:
        titles.append(title)
        yield

    with Emulator(tmp_path_factory.mktemp("deployed")) as emulator:
        deployment = deploy(emulator, model_key="sk-test", step=step)
        yield Local(emulator, deployment, tuple(titles))


def test_everything_has_a_name(local: Local) -> None:
    assert all(dataclasses.asdict(local.deployment).values())
    assert len(local.steps) == 5


def test_the_tables_expire_rows(local: Local) -> None:
    dynamodb = local.emulator.session().client("dynamodb", endpoint_url=local.emulator.endpoint)
    expected = ((local.deployment.app_table, "expires_at"), (local.deployment.gateway_table, "expiresAt"))
    for table, attribute in expected:
        found = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert found == {"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}


def test_the_secrets_hold_what_their_readers_expect(local: Local) -> None:
    secrets = local.emulator.session().client("secretsmanager", endpoint_url=local.emulator.endpoint)
    internal = json.loads(secrets.get_secret_value(SecretId=local.deployment.internal_secret_arn)["SecretString"])
    model = json.loads(secrets.get_secret_value(SecretId=local.deployment.model_secret_arn)["SecretString"])

    assert list(internal) == ["current"]
    assert len(internal["current"]) == 64
    assert model == {"apiKey": "sk-test"}


def test_the_webhook_runs_and_its_log_can_be_read(local: Local) -> None:
    url, body = local.deployment.webhook_url, b"{}"
    stranger = requests.post(url, data=body, timeout=30)
    unverified = requests.post(url, data=body, headers=signed(local.emulator, url, body, {}), timeout=60)

    assert stranger.status_code == 403
    assert unverified.status_code == 401
    assert unverified.json()["error"] == "bad_signature"
    lines = [line.text for line in log_lines(local.emulator, local.deployment.webhook_function)]
    assert any("event rejected" in line for line in lines)


def test_a_function_that_never_ran_has_an_empty_log(local: Local) -> None:
    assert list(log_lines(local.emulator, local.deployment.agent_function)) == []


def test_a_second_deployment_of_the_same_changes_nothing(local: Local) -> None:
    assert deploy(local.emulator) == local.deployment


class Gone(Emulator):
    """An emulator that nobody answers for."""

    @property
    def endpoint(self) -> str:
        return "http://127.0.0.1:9"


def test_a_failed_deployment_shows_what_the_command_line_said(local: Local) -> None:
    with pytest.raises(DeployError, match=r"(?s)`cdk bootstrap` failed.*deploy\.log.*failed bootstrapping"):
        deploy(Gone(local.emulator.state_dir))


# ---- from the send function's metric to the alarm's topic ------------------------------------------------------


WRITE_ONE = "from functions.shared.observability import count, metrics; count('SendFailed'); metrics.flush_metrics()"


@pytest.fixture
def emitted(templates: Templates) -> str:
    """What the send function writes for one failed send: by its code, under its environment."""
    found = templates.pipeline.find_resources("AWS::Lambda::Function", {"Properties": {"FunctionName": "Kesher-send"}})
    [send] = found.values()
    variables = send["Properties"]["Environment"]["Variables"]
    environment = {name: value for name, value in variables.items() if isinstance(value, str)}
    done = subprocess.run(
        [sys.executable, "-c", WRITE_ONE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_functions_metric_is_the_one_that_the_alarm_watches(emitted: str, templates: Templates) -> None:
    found = templates.pipeline.find_resources("AWS::CloudWatch::Alarm", {"Properties": {"MetricName": "SendFailed"}})
    [alarm] = [body["Properties"] for body in found.values()]
    [metric] = embedded_metrics(emitted)

    assert metric == EmbeddedMetric(
        namespace=alarm["Namespace"],
        name=alarm["MetricName"],
        unit="Count",
        dimensions={entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]},
        value=1.0,
    )


@pytest.mark.parametrize(
    "line", ["", "START RequestId: 1", '{"message": "about \\"_aws\\""}', '{"_aws": 1}', 'no json, but "_aws"']
)
def test_other_lines_of_a_log_are_no_metrics(line: str) -> None:
    assert list(embedded_metrics(line)) == []


def test_a_failed_send_reaches_whoever_listens_to_the_alarms(local: Local, emitted: str) -> None:
    session, endpoint = local.emulator.session(), local.emulator.endpoint
    sqs, sns = session.client("sqs", endpoint_url=endpoint), session.client("sns", endpoint_url=endpoint)
    logs = session.client("logs", endpoint_url=endpoint)
    probe = sqs.create_queue(QueueName="alarm-probe")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=probe, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=local.deployment.alarm_topic_arn, Protocol="sqs", Endpoint=arn)
    bridge = MetricsBridge(local.emulator, local.deployment.send_function)
    bridge.pump()
    group = f"/aws/lambda/{local.deployment.send_function}"
    logs.create_log_stream(logGroupName=group, logStreamName="one-worker")
    event: InputLogEventTypeDef = {"timestamp": json.loads(emitted)["_aws"]["Timestamp"], "message": emitted}
    logs.put_log_events(logGroupName=group, logStreamName="one-worker", logEvents=[event])

    assert bridge.pump() == 1
    assert bridge.pump() == 0, "each metric once"
    notice = eventually(lambda: alarm_in(sqs.receive_message(QueueUrl=probe)), "the alarm's notice")
    assert notice["AlarmName"] == "Kesher-send-failed"
    assert notice["NewStateValue"] == "ALARM"


def alarm_in(answer: ReceiveMessageResultTypeDef) -> dict[str, str] | None:
    for message in answer.get("Messages", []):
        found: dict[str, str] = json.loads(json.loads(message["Body"])["Message"])
        return found
    return None
