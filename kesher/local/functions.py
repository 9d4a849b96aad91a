"""The deployed functions, seen from outside: what they logged, and how to call the webhook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from kesher.local.emulator import REGION, Emulator


@dataclass(frozen=True)
class LogLine:
    """One line of a function's log. `at` is in Unix milliseconds; the lines of one `stream` stay in order."""

    stream: str
    at: int
    text: str


def log_lines(emulator: Emulator, function: str, *, since: int = 0) -> Iterator[LogLine]:
    """What `function` logged at `since` (Unix milliseconds) or later, oldest first. Empty if it never ran."""
    logs = emulator.session().client("logs", endpoint_url=emulator.endpoint)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}", startTime=since)
    for page in pages:
        for event in page["events"]:
            yield LogLine(event["logStreamName"], event["timestamp"], event["message"].rstrip())


def signed(emulator: Emulator, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` with the SigV4 signature of a POST to a function URL; the emulator refuses unsigned ones too."""
    request = AWSRequest(method="POST", url=url, data=body, headers=dict(headers))
    SigV4Auth(emulator.credentials, "lambda", REGION).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}
