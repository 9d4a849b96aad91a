"""The environment of the functions, typed; read at use, so that a function needs only the names it uses."""

from __future__ import annotations

import os


class SettingsError(Exception):
    """A variable of the environment is missing or malformed; the text names it."""


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SettingsError(f"the environment variable {name} is not set; the CDK app sets it for every function")
    return value


def _milliseconds(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    if not value.isdecimal():
        raise SettingsError(f"the environment variable {name} must be a whole number of milliseconds, not {value!r}")
    return int(value)


def app_table() -> str:
    """Name of the app table."""
    return _required("APP_TABLE")


def gateway_table() -> str:
    """Name of the gateway table, of which Python touches the session row only."""
    return _required("GATEWAY_TABLE")


def turns_queue_url() -> str:
    return _required("TURNS_QUEUE_URL")


def outgoing_queue_url() -> str:
    return _required("OUTGOING_QUEUE_URL")


def feed_url() -> str:
    """Where the owner's calendar is served; of the command line, no function needs it."""
    return _required("FEED_URL").rstrip("/")


def media_bucket() -> str | None:
    """Bucket of files that go out or came in; None: this deployment keeps none."""
    return os.environ.get("MEDIA_BUCKET") or None


def internal_secret_arn() -> str:
    """Secrets Manager ARN of the secret between the gateway and the functions."""
    return _required("INTERNAL_SECRET_ARN")


def send_deadline_ms() -> int:
    """How long after it was queued a message may still go out."""
    return _milliseconds("SEND_DEADLINE_MS", 10 * 60_000)


def send_wait_ms() -> int:
    """How long the send function waits inside one invocation for the next attempt. Short: the invocation is one of few
    for all businesses, and a session that comes back rings."""
    return _milliseconds("SEND_WAIT_MS", 3_000)
