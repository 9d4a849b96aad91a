"""The secret address of a business's calendar feed.

A phone that subscribes to a calendar can sign nothing, so whoever knows the address may read: it holds a token of 256
random bits, which a new one revokes.
"""

from __future__ import annotations

import hmac
import re
import secrets

from functions.shared.contracts import TenantId
from functions.shared.keys import feed_key
from functions.shared.tables import FeedItem, find

_PATH = re.compile(r"/(?P<tenant>[a-z0-9][a-z0-9_-]{0,62})/(?P<token>[A-Za-z0-9_-]{43})\.ics")
_NO_TOKEN = "-" * 43


def path_of(tenant_id: TenantId, token: str) -> str:
    """The path of the feed's URL."""
    return f"/{tenant_id}/{token}.ics"


def feed_token(tenant_id: TenantId, *, now_ms: int, new: bool = False) -> str:
    """The business's token, made at the first time; `new` makes another, and who subscribed before reads no more."""
    pk, sk = feed_key(tenant_id)
    item = None if new else find(FeedItem, (pk, sk))
    if item is None:
        item = FeedItem(pk, sk, token=secrets.token_urlsafe(32), created_at=now_ms)
        item.save()
    return item.token


def tenant_of(path: str) -> TenantId | None:
    """Whose feed may be read with this path; None: nobody's, and nobody learns whether there is such a business."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    tenant_id = TenantId(match["tenant"])
    item = find(FeedItem, feed_key(tenant_id))
    known = hmac.compare_digest((item.token if item else _NO_TOKEN).encode(), match["token"].encode())
    return tenant_id if known and item is not None else None
