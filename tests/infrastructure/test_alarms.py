"""From a failed send to a person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk.assertions import Match

from tests.infrastructure.templates import Templates


def alarm(templates: Templates, name: str) -> dict[str, Any]:
    found = templates.pipeline.find_resources("AWS::CloudWatch::Alarm", {"Properties": {"AlarmName": f"Kesher-{name}"}})
    [body] = found.values()
    properties: dict[str, Any] = body["Properties"]
    return properties


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


@pytest.mark.parametrize("name", ["send-failed", "turns-dead-letters", "outgoing-dead-letters"])
def test_every_alarm_tells_a_person_when_it_begins_and_when_it_ends(templates: Templates, name: str) -> None:
    found = alarm(templates, name)

    assert len(found["AlarmActions"]) == 1
    assert "AlarmsTopic" in json.dumps(found["AlarmActions"])
    assert found["OKActions"] == found["AlarmActions"]
    assert found["AlarmDescription"]
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
