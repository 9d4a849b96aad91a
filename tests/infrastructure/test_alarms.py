"""From whatever goes wrong to a person who knows what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match

from infra.bundles import ROOT
from infra.cdk.constructs.gateway_alarms import gateway_alarms
from infra.cdk.settings import Settings
from tests.infrastructure.templates import Templates, synthesise

OF_THE_FUNCTIONS = ("send-failed", "sweep-failed", "turns-dead-letters", "outgoing-dead-letters")
OF_THE_GATEWAY = (*(each.name for each in gateway_alarms(512)), "gateway-tasks")


def alarms(templates: Templates) -> dict[str, dict[str, Any]]:
    """The properties of all alarms, by name."""
    found = [
        body["Properties"]
        for template in (templates.pipeline, templates.gateway)
        for body in template.find_resources("AWS::CloudWatch::Alarm").values()
    ]
    return {properties["AlarmName"].removeprefix("Kesher-"): properties for properties in found}


def alarm(templates: Templates, name: str) -> dict[str, Any]:
    return alarms(templates)[name]


def written_by_the_gateway() -> dict[str, str]:
    """The metrics of baileys-ecs/src/observability/emf.ts with their units."""
    source = (ROOT / "baileys-ecs/src/observability/emf.ts").read_text()
    table = source.partition("export const METRICS = {")[2].partition("}")[0]
    return dict(re.findall(r"^  (\w+): '(\w+)',$", table, flags=re.MULTILINE))


def test_one_failed_send_in_a_minute_is_an_alarm(templates: Templates) -> None:
    found = alarm(templates, "send-failed")

    assert found["Namespace"] == "Kesher"
    assert found["MetricName"] == "SendFailed"
    assert found["Dimensions"] == [{"Name": "service", "Value": "send"}]
    assert found["Statistic"] == "Sum"
    assert found["Period"] == 60
    assert found["EvaluationPeriods"] == 1
    assert found["Threshold"] == 1
    assert found["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert found["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("name", ["turns", "outgoing"])
def test_a_dead_letter_is_an_alarm(templates: Templates, name: str) -> None:
    found = alarm(templates, f"{name}-dead-letters")

    assert found["Namespace"] == "AWS/SQS"
    assert found["MetricName"] == "ApproximateNumberOfMessagesVisible"
    [dimension] = found["Dimensions"]
    [queue, _] = dimension["Value"]["Fn::GetAtt"]
    assert (
        templates.pipeline.to_json()["Resources"][queue]["Properties"]["QueueName"]
        == f"Kesher-{name}-dead-letters.fifo"
    )
    assert found["Threshold"] == 1


@pytest.mark.parametrize(
    ("name", "metric", "statistic", "condition"),
    [
        ("session-down", "SessionsDown", "Maximum", "1 in 5 of 60 s"),
        ("session-silent", "SessionsSilent", "Maximum", "1 in 3 of 60 s"),
        ("events-parked", "RowsParked", "Maximum", "1 in 1 of 60 s"),
        ("journal-age", "JournalAge", "Maximum", "300 in 2 of 60 s"),
        ("sends-unknown", "SendsUnknown", "Sum", "3 in 1 of 300 s"),
        ("sends-refused", "SendsRefused", "Sum", "1 in 1 of 60 s"),
        ("gateway-memory", "MemoryRss", "Maximum", "435 in 5 of 60 s"),
        ("gateway-event-loop", "EventLoopLag", "Maximum", "500 in 5 of 60 s"),
    ],
)
def test_what_goes_wrong_in_the_gateway_is_an_alarm(
    templates: Templates, name: str, metric: str, statistic: str, condition: str
) -> None:
    found = alarm(templates, name)

    assert (found["Namespace"], found["MetricName"]) == ("Kesher", metric)
    assert found["Dimensions"] == [{"Name": "service", "Value": "gateway"}]
    assert found["Statistic"] == statistic
    assert f"{found['Threshold']} in {found['EvaluationPeriods']} of {found['Period']} s" == condition
    assert found["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert found["TreatMissingData"] == "notBreaching"


def test_too_few_containers_are_an_alarm_and_silence_is_the_worst_of_them(tmp_path: Path) -> None:
    two = synthesise(Settings(gateway_image="kesher/gateway:test", gateway_tasks=2), tmp_path)
    found = alarm(two, "gateway-tasks")

    # Each container writes it once a minute.
    assert (found["MetricName"], found["Statistic"], found["Period"]) == ("SessionsConnected", "SampleCount", 60)
    assert (found["Threshold"], found["ComparisonOperator"]) == (2, "LessThanThreshold")
    assert found["EvaluationPeriods"] == 5
    assert found["TreatMissingData"] == "breaching"


def test_no_container_is_missed_before_the_first_one_is_wanted(tmp_path: Path) -> None:
    none = synthesise(Settings(gateway_image="kesher/gateway:test", gateway_tasks=0), tmp_path)

    assert "gateway-tasks" not in alarms(none)


def test_alarms_and_dashboard_look_at_metrics_that_the_gateway_writes(templates: Templates) -> None:
    written = written_by_the_gateway()
    assert len(written) == 16
    watched = {found["MetricName"] for name, found in alarms(templates).items() if name in OF_THE_GATEWAY}
    [dashboard] = templates.gateway.find_resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    shown = set(re.findall(r'\\"Kesher\\",\\"(\w+)\\",\\"service\\",\\"gateway\\"', body.replace("\\\\", "\\")))

    assert watched <= set(written)
    assert shown == set(written), "each of them is paid for"
    assert all(f"Kesher-{name}" in body for name in OF_THE_FUNCTIONS)


def test_every_alarm_has_its_section_in_the_runbook(templates: Templates) -> None:
    runbook = (ROOT / "docs/runbook.md").read_text()
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", runbook, flags=re.MULTILINE | re.DOTALL))

    assert set(alarms(templates)) == {*OF_THE_FUNCTIONS, *OF_THE_GATEWAY} == set(sections)
    for name, text in sections.items():
        assert all(part in text for part in ("**Means.**", "**Look at.**", "**Do.**")), name


@pytest.mark.parametrize("name", [*OF_THE_FUNCTIONS, *OF_THE_GATEWAY])
def test_every_alarm_tells_a_person_when_it_begins_and_when_it_ends(templates: Templates, name: str) -> None:
    found = alarm(templates, name)

    assert len(found["AlarmActions"]) == 1
    assert "AlarmsTopic" in json.dumps(found["AlarmActions"])
    assert found["OKActions"] == found["AlarmActions"]
    assert found["AlarmDescription"].endswith(f" docs/runbook.md: {name}")
    assert len(found["AlarmDescription"]) <= 1024
    templates.state.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "ops@example.com"}
    )


def test_cloudwatch_may_use_the_key_of_the_encrypted_topic(templates: Templates) -> None:
    templates.state.has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": Match.any_value()})
    templates.state.has_resource_properties(
        "AWS::KMS::Key",
        {
            "EnableKeyRotation": True,
            "KeyPolicy": {
                "Statement": Match.array_with(
                    [
                        {
                            "Sid": "AlarmsEncrypt",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                            "Resource": "*",
                            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                        }
                    ]
                )
            },
        },
    )


def test_cloudwatch_may_publish_to_the_topic(templates: Templates) -> None:
    templates.state.has_resource_properties(
        "AWS::SNS::TopicPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Effect": "Allow",
                                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                                "Action": "sns:Publish",
                            }
                        )
                    ]
                )
            }
        },
    )
