"""Signature of an event on its way from the gateway to the webhook.

`X-Kesher-Timestamp` holds Unix seconds, `X-Kesher-Signature` holds `v1=` and the hex HMAC-SHA256 of
`<timestamp>.<raw body>`. The gateway signs afresh at each attempt, so an honest event is never old.
`contracts/vectors/signatures.json` holds examples for both languages.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable

TIMESTAMP_HEADER = "x-kesher-timestamp"
SIGNATURE_HEADER = "x-kesher-signature"
MAX_SKEW_SECONDS = 300

_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignatureError(Exception):
    """The event is not from our gateway, was changed on its way, or is too old; the text says which check failed."""


class StaleSignatureError(SignatureError):
    """The time stamp is missing, malformed or more than `MAX_SKEW_SECONDS` from our clock; no secret would help."""


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The value of `X-Kesher-Signature` for `body` sent at `timestamp` (Unix seconds)."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, "sha256").hexdigest()
    return f"v1={digest}"


def verify(secrets: Iterable[str], *, timestamp: str | None, signature: str | None, body: bytes, now_s: int) -> None:
    """Accept `body` if one of `secrets` signed it within `MAX_SKEW_SECONDS` of `now_s`.

    `timestamp` and `signature` are the headers as they came, None where absent.
    Raises StaleSignatureError or SignatureError. Takes the same time whether the first or the last character differs.
    """
    if timestamp is None or not _TIMESTAMP.fullmatch(timestamp):
        raise StaleSignatureError("X-Kesher-Timestamp must be Unix seconds")
    if abs(now_s - int(timestamp)) > MAX_SKEW_SECONDS:
        raise StaleSignatureError("X-Kesher-Timestamp is more than five minutes from the clock here")
    given = (signature or "").encode("utf-8", "surrogateescape")
    # A list, not a generator: every secret is tried, so that the time does not tell which one is in force.
    matches = [hmac.compare_digest(sign(secret, int(timestamp), body).encode(), given) for secret in secrets]
    if not any(matches):
        raise SignatureError("X-Kesher-Signature does not match the body")
