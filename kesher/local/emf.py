"""Metrics of a local deployment: what CloudWatch makes of a function's log on AWS, made here by hand.

Functions write metrics into their log in the embedded metric format. On AWS that is enough; ministack does not read it,
and evaluates alarms only when `PutMetricData` is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kesher.local.emulator import Emulator
from kesher.local.functions import log_lines


class EmbeddedMetric(BaseModel):
    """One value of one metric."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    name: str
    unit: str
    dimensions: dict[str, str]
    value: float


class _Definition(BaseModel):
    name: str = Field(alias="Name")
    unit: str = Field(alias="Unit", default="None")


class _Directive(BaseModel):
    namespace: str = Field(alias="Namespace")
    dimensions: list[list[str]] = Field(alias="Dimensions")
    metrics: list[_Definition] = Field(alias="Metrics")


class _Directives(BaseModel):
    directives: list[_Directive] = Field(alias="CloudWatchMetrics")


class _Line(BaseModel):
    model_config = ConfigDict(extra="allow")

    aws: _Directives = Field(alias="_aws")


def embedded_metrics(line: str) -> Iterator[EmbeddedMetric]:
    """The metrics in one line of a log; none if it is any other line."""
    if '"_aws"' not in line:
        return
    try:
        parsed = _Line.model_validate_json(line)
    except ValidationError:
        return  # a log line may well mention "_aws" without being a metric
    members = parsed.model_extra or {}
    for directive in parsed.aws.directives:
        for metric in directive.metrics:
            values = members[metric.name]
            for names in directive.dimensions or [[]]:
                for value in values if isinstance(values, list) else [values]:
                    yield EmbeddedMetric(
                        namespace=directive.namespace,
                        name=metric.name,
                        unit=metric.unit,
                        dimensions={name: str(members[name]) for name in names},
                        value=value,
                    )


class MetricsBridge:
    """Carries the metrics of `functions` from their logs to CloudWatch, each once."""

    def __init__(self, emulator: Emulator, *functions: str) -> None:
        self._emulator = emulator
        self._functions = functions
        self._seen: Counter[str] = Counter()
        self._cloudwatch = emulator.session().client("cloudwatch", endpoint_url=emulator.endpoint)

    def pump(self) -> int:
        """Carry over what was logged since the last call; returns the number of values. Alarms are evaluated then."""
        carried = 0
        for function in self._functions:
            # By position in its stream: ministack gives events no id, and two metrics may well read the same.
            position: Counter[str] = Counter()
            for line in log_lines(self._emulator, function):
                stream = f"{function} {line.stream}"
                position[stream] += 1
                if position[stream] <= self._seen[stream]:
                    continue
                self._seen[stream] += 1
                for metric in embedded_metrics(line.text):
                    self._put(metric)
                    carried += 1
        return carried

    def _put(self, metric: EmbeddedMetric) -> None:
        self._cloudwatch.put_metric_data(
            Namespace=metric.namespace,
            MetricData=[
                {
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions.items()],
                    "Value": metric.value,
                    "Unit": metric.unit,  # type: ignore[typeddict-item] # as the function wrote it
                }
            ],
        )
