"""Logger and metrics of every function, set up once.

No Tracer: importing it costs 0.3 s, and Lambda's active tracing needs no SDK. No text of a message and no whole phone
number goes into a log line: use `masked`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

_Event = TypeVar("_Event")
_Answer = TypeVar("_Answer")

logger = Logger()
"""The service's name and the level come from POWERTOOLS_SERVICE_NAME and LOG_LEVEL."""
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Kesher"))
"""The namespace is the deployment's prefix. One dimension, `service`: one by tenant would be a billed metric for each
tenant; use `add_metadata`."""


def count(metric: str, **metadata: str) -> None:
    """Add one to `metric`; `metadata` goes into the log line and makes no dimension."""
    metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)
    for key, value in metadata.items():
        metrics.add_metadata(key=key, value=value)


def masked(jid: str) -> str:
    """A WhatsApp address for the log: its last two digits and its kind, `***67@lid`."""
    name, at, server = jid.partition("@")
    return f"***{name[-2:] if len(name) > 4 else ''}{at}{server}"


def instrumented(
    handler: Callable[[_Event, LambdaContext], _Answer],
) -> Callable[[_Event, LambdaContext], _Answer]:
    """A Lambda handler whose log lines carry the request id, and whose metrics are written at its end."""

    @logger.inject_lambda_context(clear_state=True)
    @wraps(handler)
    def run(event: _Event, context: LambdaContext) -> _Answer:
        try:
            return handler(event, context)
        finally:
            if metrics.metric_set:  # the decorator of Powertools warns each time there is none
                metrics.flush_metrics()

    return run
