"""Whoever is woken by an alarm on failed sends: from WhatsApp's refusal to the message on the topic."""

from __future__ import annotations

import json

import boto3

from kesher.local.emf import EmbeddedMetric, MetricsBridge, embedded_metrics
from kesher.local.simulator import SimulatorClient
from kesher.local.system import LocalSystem
from tests.e2e.conftest import Customer
from tests.waiting import eventually


def test_a_refused_message_fails_at_once_and_rings_the_alarm(
    customer: Customer, client: SimulatorClient, system: LocalSystem
) -> None:
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    probe = sqs.create_queue(QueueName="alarm-probe")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=probe, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=system.deployment.alarm_topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])
    customer.say("hi")
    customer.answers(1)
    client.faults(ack_error="463")  # WhatsApp's reach-out time lock

    customer.say("when are you open?")
    row = eventually(
        lambda: next((row for row in customer.outbox() if row.state == "FAILED"), None), "the refused row to fail"
    )

    assert "463" in (row.error or "")
    assert row.attempts == 1, "a 463 must not be repeated"
    MetricsBridge(system.emulator, system.deployment.send_function).pump()
    received = eventually(
        lambda: sqs.receive_message(QueueUrl=probe, WaitTimeSeconds=1).get("Messages"), "the alarm on the topic"
    )
    alarm = json.loads(json.loads(received[0]["Body"])["Message"])
    assert alarm["AlarmName"] == "Kesher-send-failed"
    assert alarm["NewStateValue"] == "ALARM"
    assert_the_gateway_rings("Kesher-sends-refused", system)


def assert_the_gateway_rings(name: str, system: LocalSystem) -> None:
    """A line that the gateway really wrote has the metric that the deployed alarm `name` looks at, beyond its limit."""
    [alarm] = boto3.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    watched = (alarm["Namespace"], alarm["MetricName"], {one["Name"]: one["Value"] for one in alarm["Dimensions"]})

    def written() -> EmbeddedMetric | None:
        found = (one for line in system.gateway.process.log.read_text().splitlines() for one in embedded_metrics(line))
        return next(
            (
                one
                for one in found
                if (one.namespace, one.name, one.dimensions) == watched and one.value >= alarm["Threshold"]
            ),
            None,
        )

    eventually(written, "the metric in the gateway's log")
