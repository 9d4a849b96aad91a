"""Ring again for what is pending too long, and promote what is due.

A doorbell was lost, or whoever answered it died; a scheduled message's time has come.

Everything here is safe to do twice and safe to leave undone until the next minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import speaks_at
from functions.shared.ids import SWEEP_SHARDS
from functions.shared.inbox import forget_if_handled
from functions.shared.keys import (
    CONVERSATION,
    SCHEDULED_PREFIX,
    message_sk,
    parse_conversation_pk,
    parse_outbox_sk,
    profile_key,
)
from functions.shared.observability import count, logger
from functions.shared.queues import Ring
from functions.shared.tables import (
    AppItem,
    ConversationItem,
    Found,
    MessageItem,
    OutboxItem,
    ProfileItem,
    get_together,
)
from functions.shared.transactions import ContentionError

AGAIN_AFTER_MS = 2 * 60_000
"""A doorbell that the sweeper rang has this long before the next one: a turn and its retries fit into it."""
MAX_ENTRIES_PER_SHARD = 250
"""Of one run; what is left over is older than anything new, so it comes first a minute later."""
MAX_RINGS = 6
"""For the same waiting message. With the pauses between them 13 minutes: room for a long queue, or for a deployment."""
_CHUNK = 30


@dataclass
class Counts:
    """What one run did, for its log line."""

    looked_at: int = 0
    turns_rung: int = 0
    outgoing_rung: int = 0
    forgotten: int = 0
    given_up: int = 0
    """Conversations that a person was called for, because no ringing helped."""
    promoted: int = 0
    failed: int = 0
    conversations_rung: set[str] = field(default_factory=set)
    """Keys of those whose outbox was rung: once is enough for all its rows."""


def sweep(*, now_ms: int, ring: Ring, has_time: Callable[[], bool]) -> Counts:
    """One run over the whole index, the longest waiting of each shard first, while `has_time`."""
    counts = Counts()
    for shard in range(SWEEP_SHARDS):
        entries = iter(
            AppItem.sweep.query(shard, AppItem.sweep_at <= now_ms, scan_index_forward=True, limit=MAX_ENTRIES_PER_SHARD)
        )
        while has_time() and (chunk := list(islice(entries, _CHUNK))):
            counts.looked_at += len(chunk)
            for entry, found in _read(chunk):
                try:
                    _look_at(entry, found, now_ms, ring, counts)
                except Exception:  # noqa: BLE001 - whatever is wrong with one entry, the others must not wait for it
                    logger.exception("an entry of the index could not be looked at", extra={"sk": entry.sk})
                    count("SweepFailed", tenant_id=parse_conversation_pk(entry.pk)[0], correlation_id="sweeper")
                    counts.failed += 1
                    _set_keys(entry, [AppItem.sweep_at.set(now_ms + AGAIN_AFTER_MS)])
    return counts


def _look_at(entry: AppItem, found: Found, now_ms: int, ring: Ring, counts: Counts) -> None:
    if entry.sk == CONVERSATION:
        _look_at_conversation(entry, found, now_ms, ring, counts)
    elif entry.sk.startswith(SCHEDULED_PREFIX):
        _look_at_scheduled(entry, now_ms, ring, counts)
    else:
        _look_at_outbox(entry, found, now_ms, ring, counts)


def _read(entries: list[AppItem]) -> Iterator[tuple[AppItem, Found]]:
    """The entries with what they stand for, which may have changed since the index heard of it."""
    keys = [(entry.pk, entry.sk) for entry in entries]
    tenants = {parse_conversation_pk(entry.pk)[0] for entry in entries}
    found = get_together([*keys, *(profile_key(tenant) for tenant in tenants)])
    for entry in entries:
        yield entry, found


def _look_at_conversation(entry: AppItem, found: Found, now_ms: int, ring: Ring, counts: Counts) -> None:
    tenant_id, conversation_id = parse_conversation_pk(entry.pk)
    item = found.get(ConversationItem, (entry.pk, entry.sk))
    profile = found.get(ProfileItem, profile_key(tenant_id))
    if item is None or item.sweep_at is None or item.sweep_at > now_ms:
        return
    if item.handled_seq >= item.last_seq:
        counts.forgotten += forget_if_handled(tenant_id, conversation_id)
        return
    speaks = speaks_at(profile.ai_enabled, item.ai_enabled, item.paused_until, now_ms) if profile else None
    if speaks is None:
        # It waits for a person. Whoever gives the word back to the assistant puts it into the index again.
        counts.forgotten += _set_keys(item, [ConversationItem.sweep_shard.remove(), ConversationItem.sweep_at.remove()])
    elif speaks > now_ms:
        _set_keys(item, [ConversationItem.sweep_at.set(speaks)])
    else:
        _ring_or_give_up(item, now_ms, ring, counts)


def _ring_or_give_up(item: ConversationItem, now_ms: int, ring: Ring, counts: Counts) -> None:
    tenant_id, conversation_id = parse_conversation_pk(item.pk)
    key = (item.pk, message_sk(item.last_seq))
    newest = get_together([key]).get(MessageItem, key)
    correlation_id = newest.correlation_id if newest else "sweeper"
    # Whoever handles a message, pauses or switches begins a new count.
    what_waits = f"{item.handled_seq}/{item.epoch}"
    rings = (item.sweep_rings or 0) if item.sweep_rings_for == what_waits else 0
    if rings < MAX_RINGS:
        ring("turns", tenant_id, conversation_id, item.last_seq, correlation_id)
        counts.turns_rung += 1
    elif (hi := _give_up(tenant_id, conversation_id, correlation_id, now_ms)) is not None:
        logger.error("the agent never answered, a person is called", extra={"conversation_id": conversation_id})
        count("TurnFailed", tenant_id=tenant_id, correlation_id=correlation_id)
        ring("outgoing", tenant_id, conversation_id, hi, correlation_id)
        counts.given_up += 1
        return
    _set_keys(
        item,
        [
            ConversationItem.sweep_at.set(now_ms + AGAIN_AFTER_MS),
            ConversationItem.sweep_rings.set(rings + 1),
            ConversationItem.sweep_rings_for.set(what_waits),
        ],
    )


def _give_up(tenant_id: TenantId, conversation_id: ConversationId, correlation_id: str, now_ms: int) -> int | None:
    from functions.sweeper.giving_up import give_up  # noqa: PLC0415 - rare, and it loads the profile's models

    return give_up(tenant_id, conversation_id, correlation_id, now_ms=now_ms)


def _look_at_outbox(entry: AppItem, found: Found, now_ms: int, ring: Ring, counts: Counts) -> None:
    tenant_id, conversation_id = parse_conversation_pk(entry.pk)
    row = found.get(OutboxItem, (entry.pk, entry.sk))
    if row is None or row.sweep_at is None or row.sweep_at > now_ms:
        return
    if entry.pk not in counts.conversations_rung:
        counts.conversations_rung.add(entry.pk)
        ring("outgoing", tenant_id, conversation_id, parse_outbox_sk(entry.sk)[0], row.correlation_id)
        counts.outgoing_rung += 1
    _set_keys(row, [OutboxItem.sweep_at.set(now_ms + AGAIN_AFTER_MS)])


def _look_at_scheduled(entry: AppItem, now_ms: int, ring: Ring, counts: Counts) -> None:
    # Not with the module: the profile's models cost a cold start, and in most minutes nothing is due.
    from functions.shared.promote import promote  # noqa: PLC0415

    tenant_id, conversation_id = parse_conversation_pk(entry.pk)
    try:
        outcome = promote(tenant_id, conversation_id, entry.sk.removeprefix(SCHEDULED_PREFIX), now_ms=now_ms, ring=ring)
    except ContentionError:
        # It is still in the index; the others of this run must not wait for it.
        logger.warning("a scheduled message was contended; the next round looks again", extra={"scheduled": entry.sk})
        return
    counts.promoted += outcome == "queued"


def _set_keys(item: AppItem, actions: list[Action]) -> bool:
    """Change the sweep keys unless somebody else did since they were read; False if so."""
    try:
        item.update(actions=actions, condition=AppItem.sweep_at == item.sweep_at)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True
