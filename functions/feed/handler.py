"""Lambda function behind the owner's calendar feed: `GET /<business>/<token>.ics`, and nothing else.

Whoever asks for anything else gets the same 404. The path is a secret: it goes into no log line.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.feed.ics import calendar
from functions.shared import clock
from functions.shared.contracts import TenantId
from functions.shared.diary import Entry, entries
from functions.shared.feed_token import tenant_of
from functions.shared.observability import instrumented, logger
from functions.shared.profile import BusinessProfile, load_profile

BACK = timedelta(days=30)
AHEAD = timedelta(days=366)
"""As far as a profile lets customers book."""
MOST = 2_000
"""Appointments in one answer: about 1 MB, of the 6 that Lambda returns."""
MAX_AGE_S = 300

_HEADERS = {
    "content-type": "text/calendar; charset=utf-8",
    "content-disposition": 'inline; filename="appointments.ics"',
    # A shared cache must not keep customers' names; a phone may, for a little.
    "cache-control": f"private, max-age={MAX_AGE_S}",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}


class HttpPart(TypedDict):
    method: str


class RequestContext(TypedDict):
    http: HttpPart


class FeedRequest(TypedDict):
    """What Lambda passes for a function URL, payload version 2.0; header names are in lower case."""

    rawPath: str
    headers: dict[str, str]
    requestContext: RequestContext


class FeedAnswer(TypedDict):
    statusCode: int
    headers: dict[str, str]
    body: str


@instrumented
def handle(request: FeedRequest, _context: LambdaContext) -> FeedAnswer:
    """Entry point of the Lambda function."""
    method = request["requestContext"]["http"]["method"]
    tenant_id = tenant_of(request["rawPath"]) if method in ("GET", "HEAD") else None
    profile = load_profile(tenant_id) if tenant_id is not None else None
    if tenant_id is None or profile is None:
        return {"statusCode": 404, "headers": {"cache-control": "no-store"}, "body": ""}
    now_ms = clock.now_ms()
    found = _window(tenant_id, now_ms)
    # Of what it says, not of its bytes: those hold the time at which they were made.
    tag = f'W/"{_digest(profile, found)}"'
    headers = {**_HEADERS, "etag": tag}
    logger.info("calendar read", tenant_id=tenant_id, appointments=len(found))
    if tag in request["headers"].get("if-none-match", ""):
        return {"statusCode": 304, "headers": headers, "body": ""}
    body = calendar(profile, found, datetime.fromtimestamp(now_ms / 1000, UTC))
    return {"statusCode": 200, "headers": headers, "body": "" if method == "HEAD" else body.decode()}


def _window(tenant_id: TenantId, now_ms: int) -> list[Entry]:
    begins, ends = now_ms - BACK // timedelta(milliseconds=1), now_ms + AHEAD // timedelta(milliseconds=1)
    found = entries(tenant_id, begins=begins, ends=ends, most=MOST)
    if len(found) == MOST:
        # Rather the coming ones than those that have been.
        found = entries(tenant_id, begins=now_ms - 86_400_000, ends=ends, most=MOST)
    return found


def _digest(profile: BusinessProfile, found: list[Entry]) -> str:
    known = repr((profile.config_version, found))
    return hashlib.sha256(known.encode()).hexdigest()[:32]
