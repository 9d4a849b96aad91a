"""One page that shows whether customers get their answers: alarms first, then the way of a message."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.cdk.constructs.gateway_alarms import gateway_metric

_FUNCTIONS = ("webhook", "agent", "send", "sweeper")
_QUEUES = ("turns", "outgoing")


class Dashboard(Construct):
    """Names, not references: the functions and queues stand in another stack under fixed names."""

    def __init__(self, scope: Construct, id_: str, *, prefix: str, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        super().__init__(scope, id_)
        self._prefix = prefix
        gateway, turn, each = self._gateway, self._function, self._lambda
        status = cloudwatch.AlarmStatusWidget(title="Alarms (docs/runbook.md)", alarms=list(alarms), width=24, height=4)
        graphs = (
            _graph("Sessions connected", gateway("Sum", "SessionsConnected")),
            _graph("Sessions down or silent", gateway("Maximum", "SessionsDown", "SessionsSilent")),
            _graph("Messages", gateway("Sum", "MessagesReceived", "SendsAcknowledged", "Reconnects")),
            _graph("Sent by the gateway, not taken by WhatsApp", gateway("Sum", "SendsUnknown", "SendsRefused")),
            _graph("Failed for good", [turn("SendFailed", "send"), turn("TurnFailed", "agent")]),
            _graph("WhatsApp's acknowledgement, ms", [*gateway("p50", "AckLatency"), *gateway("p99", "AckLatency")]),
            _graph("Waiting for the webhook", gateway("Sum", "JournalDepth", "RowsParked", "DeliveriesFailed")),
            _graph("Oldest of them, s", gateway("Maximum", "JournalAge")),
            _graph("Oldest doorbell, s", [self._queue_age(name) for name in _QUEUES]),
            _graph("Turns", [turn(name, "agent") for name in ("TurnCommitted", "PersonCalled")]),
            _graph("Duration of the functions, p99, ms", [each(name, "Duration", "p99") for name in _FUNCTIONS]),
            _graph("Errors of the functions", [each(name, "Errors", "Sum") for name in _FUNCTIONS]),
            _graph("Throttles of the functions", [each(name, "Throttles", "Sum") for name in _FUNCTIONS]),
            _graph("Memory of a container, MiB", gateway("Maximum", "MemoryRss", "MemoryHeap")),
            _graph("Event loop, ms late", gateway("Maximum", "EventLoopLag")),
        )
        rows = [[*graphs[at : at + 2]] for at in range(0, len(graphs), 2)]
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=prefix, widgets=[[status], *rows])

    def _gateway(self, statistic: str, *names: str) -> list[cloudwatch.IMetric]:
        return [gateway_metric(self._prefix, name, statistic) for name in names]

    def _function(self, name: str, service: str) -> cloudwatch.IMetric:
        return cloudwatch.Metric(
            namespace=self._prefix,
            metric_name=name,
            dimensions_map={"service": service},
            statistic="Sum",
            period=cdk.Duration.minutes(1),
        )

    def _lambda(self, function: str, name: str, statistic: str) -> cloudwatch.IMetric:
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=name,
            dimensions_map={"FunctionName": f"{self._prefix}-{function}"},
            statistic=statistic,
            period=cdk.Duration.minutes(1),
            label=f"{function} {name}",
        )

    def _queue_age(self, name: str) -> cloudwatch.IMetric:
        return cloudwatch.Metric(
            namespace="AWS/SQS",
            metric_name="ApproximateAgeOfOldestMessage",
            dimensions_map={"QueueName": f"{self._prefix}-{name}.fifo"},
            statistic="Maximum",
            period=cdk.Duration.minutes(1),
            label=name,
        )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=12, height=6)
