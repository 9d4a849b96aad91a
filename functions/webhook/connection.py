"""The state of a tenant's session: the newest one is kept, and `connected` wakes what waited for it."""

from __future__ import annotations

from pynamodb.exceptions import PutError

from functions.shared import outbox, settings
from functions.shared.contracts import ConnectionUpdated, ConversationId, TenantId
from functions.shared.ids import SWEEP_SHARDS
from functions.shared.keys import CONNECTION, OUTBOX_PREFIX, parse_conversation_pk, profile_key, tenant_pk
from functions.shared.tables import AppItem, ConnectionItem, ProfileItem, find, not_exists
from functions.webhook.chats import UnknownTenantError

MAX_WAKE = 200
"""Conversations woken by one event; the sweeper rings the others within its minute."""


def record(event: ConnectionUpdated) -> bool:
    """Keep the state unless a newer one is known; False if so. Raises UnknownTenantError."""
    if find(ProfileItem, profile_key(event.tenant_id)) is None:
        raise UnknownTenantError(f"there is no business {event.tenant_id}")
    item = ConnectionItem(
        tenant_pk(event.tenant_id),
        CONNECTION,
        state=event.state,
        reason=event.reason,
        code=event.code,
        phone_jid=event.phone_jid,
        at=event.at,
    )
    try:
        item.save(condition=not_exists(ConnectionItem) | (ConnectionItem.at <= event.at))
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def wake_waiting(tenant_id: TenantId, now_ms: int) -> list[ConversationId]:
    """Make the tenant's postponed rows due; returns the conversations to ring, those that wait longest first.

    No answer is postponed beyond its deadline, and reminders lie in the index for weeks ahead: they are not read.
    """
    last = now_ms + settings.send_deadline_ms()
    heads: dict[ConversationId, tuple[int, str]] = {}
    for shard in range(SWEEP_SHARDS):
        for entry in AppItem.sweep.query(shard, AppItem.sweep_at <= last):
            tenant, conversation_id = parse_conversation_pk(entry.pk)
            if tenant != tenant_id or not entry.sk.startswith(OUTBOX_PREFIX):
                continue
            since = entry.sweep_at or 0
            head = heads.get(conversation_id)
            heads[conversation_id] = (
                (since, entry.sk) if head is None else (min(since, head[0]), min(entry.sk, head[1]))
            )
    oldest = sorted(heads, key=lambda one: heads[one])[:MAX_WAKE]
    for conversation_id in oldest:
        # Nothing passes the head of an outbox, so only the head has an attempt to bring forward.
        outbox.wake(tenant_id, conversation_id, heads[conversation_id][1], now_ms=now_ms)
    return oldest
