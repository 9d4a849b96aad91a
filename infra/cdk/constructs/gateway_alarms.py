"""What wakes a person about the container: each alarm, and what its description tells them to do.

The metrics are written by baileys-ecs/src/observability/emf.ts, one line a minute and container. docs/runbook.md has a
section for each alarm, under its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.cdk.constructs.alarms import Alarms
from infra.cdk.settings import Settings

MEMORY_SHARE = 0.85
"""Of the container's memory, above which it is near its end: the kernel kills it without a word."""


@dataclass(frozen=True, slots=True)
class GatewayAlarm:
    """`metric` at or above `threshold` in each of `datapoints` periods of `minutes`."""

    name: str
    metric: str
    statistic: Literal["Maximum", "Sum"]
    threshold: float
    datapoints: int
    description: str
    minutes: int = 1


def gateway_alarms(memory_mib: int) -> tuple[GatewayAlarm, ...]:
    """The alarms of a container with `memory_mib` MiB, but for the one on its absence."""
    return (
        GatewayAlarm(
            "session-down", "SessionsDown", "Maximum", 1, 5,
            "A WhatsApp session that should be connected is not, for five minutes; its customers get no answer. `down` "
            "in the gateway's metrics lines names the business, its session row and the log say why: logged out = link "
            "it again, banned = look into WhatsApp on the phone, else the network or WhatsApp itself.",
        ),
        GatewayAlarm(
            "session-silent", "SessionsSilent", "Maximum", 1, 3,
            "A session seems connected, but WhatsApp acknowledges nothing of what it sends. The member `silent` of the "
            "gateway's metrics lines names the business. Restart the session; if that does not help, is WhatsApp down?",
        ),
        GatewayAlarm(
            "events-parked", "RowsParked", "Maximum", 1, 1,
            "The webhook refuses an event for good, so a customer's message may wait for a person. The gateway's log "
            "says which row and why ('parked'). Repair the cause, remove `parked` from the row, restart the session.",
        ),
        GatewayAlarm(
            "journal-age", "JournalAge", "Maximum", 300, 2,
            "Messages of customers wait for the webhook for more than five minutes. Nothing is lost. Look at errors "
            "and throttles of the webhook function, then at 'did not take an event' in the gateway's log.",
        ),
        GatewayAlarm(
            "sends-unknown", "SendsUnknown", "Sum", 3, 1,
            "WhatsApp did not acknowledge three or more messages within five minutes. They are repeated under the same "
            "id. If session-silent or session-down is on as well, begin there; otherwise see whether WhatsApp is down.",
            minutes=5,
        ),
        GatewayAlarm(
            "sends-refused", "SendsRefused", "Sum", 1, 1,
            "WhatsApp refused a message. 463 is a restriction of the number: do not repeat it, write to nobody new "
            "until it ends. The gateway's log has the code and the end ('send not confirmed').",
        ),
        GatewayAlarm(
            "gateway-memory", "MemoryRss", "Maximum", round(memory_mib * MEMORY_SHARE), 5,
            f"A container uses more than {MEMORY_SHARE:.0%} of its {memory_mib} MiB and is killed at the end of it; "
            "nothing is lost by that. With many sessions raise gatewayMemory or gatewayTasks; otherwise it is a leak.",
        ),
        GatewayAlarm(
            "gateway-event-loop", "EventLoopLag", "Maximum", 500, 5,
            "A container is too busy: timers come half a second late. Beyond seconds it loses its sessions to others. "
            "Look at its CPU, raise gatewayCpu or gatewayTasks; with few sessions, look for a flood of messages.",
        ),
    )  # fmt: skip


class GatewayAlarms(Construct):
    """The alarms of one environment's containers, told to the topic of `alarms`."""

    def __init__(self, scope: Construct, id_: str, *, settings: Settings, alarms: Alarms) -> None:
        super().__init__(scope, id_)
        for alarm in gateway_alarms(settings.gateway_memory):
            alarms.watch(
                alarm.name,
                gateway_metric(settings.prefix, alarm.metric, alarm.statistic, minutes=alarm.minutes),
                alarm.description,
                threshold=alarm.threshold,
                datapoints=alarm.datapoints,
            )
        if settings.gateway_tasks > 0:
            # Each container writes one line a minute, so the number of values is the number of containers that work.
            # ECS's own count of tasks comes with Container Insights only, and would count a process that hangs.
            alarms.watch(
                "gateway-tasks",
                gateway_metric(settings.prefix, "SessionsConnected", "SampleCount"),
                f"Fewer than {settings.gateway_tasks} containers of the gateway work, for five minutes. Look at the "
                f"events of the ECS service {settings.prefix}-gateway and the end of log /{settings.prefix}/gateway. "
                "If its metrics lines are there, CloudWatch does not read them: infra/README.md, Check.",
                threshold=settings.gateway_tasks,
                datapoints=5,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                missing=cloudwatch.TreatMissingData.BREACHING,
            )


def gateway_metric(namespace: str, name: str, statistic: str, *, minutes: int = 1) -> cloudwatch.Metric:
    """A metric of all containers together."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map={"service": "gateway"},
        statistic=statistic,
        period=cdk.Duration.minutes(minutes),
    )
