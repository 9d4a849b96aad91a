"""The outbox of one conversation, sent in order. Nothing passes an unfinished row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from functions.send.outcome import (
    Delivered,
    Due,
    Failed,
    Leased,
    NotYet,
    Outcome,
    Result,
    TooLate,
    TryAgain,
    Uniform,
    Void,
    next_step,
    outcome_of,
)
from functions.shared import outbox
from functions.shared.contracts import ConversationId, TenantId, Unavailable
from functions.shared.conversation import load_conversation
from functions.shared.observability import count, logger, masked

LEASE_MS = 45_000
"""Longer than one attempt can take: connecting, the gateway's deadline, and writing the outcome."""

CAME_UP_MS = 500
"""Until the next attempt on a session that came up while the last one was refused."""
CLOCKS_APART_MS = 2_000
"""The session's time is the gateway's. Wrong by more, and the sweeper rings in its minute."""

Ending = Literal["drained", "leased", "postponed", "out_of_time"]


class Sender(Protocol):
    """Whatever posts one row to WhatsApp."""

    def send(self, row: outbox.Row) -> Result: ...


@dataclass(frozen=True)
class Surroundings:
    """What the drain needs of the world. Times in milliseconds."""

    sender: Sender
    now_ms: Callable[[], int]
    sleep_ms: Callable[[int], None]
    uniform: Uniform
    remaining_ms: Callable[[], int]
    """Of this invocation."""
    max_wait_ms: int
    """How long to wait in all for a next attempt, instead of leaving it to a ring: the wait takes an invocation that
    another business may need."""
    came_up_since: Callable[[TenantId, int], bool]
    """Whether the business's session can send, and could not before that time."""


def drain(tenant_id: TenantId, conversation_id: ConversationId, world: Surroundings) -> Ending:
    """Send what waits, oldest first, until all is out or the oldest cannot go now.

    Raises ConversationNotFoundError, ContentionError, or PynamoDB's errors; each row's state is written before the next
    one is looked at, so whoever drains next goes on where this ended.
    """
    waited = 0
    while True:
        rows = outbox.unfinished(tenant_id, conversation_id)
        if not rows:
            return "drained"
        head = rows[0]
        now_ms = world.now_ms()
        conversation = load_conversation(tenant_id, conversation_id)
        step = next_step(head, epoch=conversation.epoch, assistant_on=conversation.business_ai_enabled, now_ms=now_ms)
        match step:
            case Leased():
                return "leased"
            case Void(reason):
                _cancel(head, reason)
            case TooLate(reason):
                _fail(head, reason)
            case NotYet(due_at):
                wait = due_at - now_ms
                if waited + wait > world.max_wait_ms or world.remaining_ms() < wait + LEASE_MS:
                    return "postponed"
                waited += wait
                world.sleep_ms(wait)
            case Due():
                if world.remaining_ms() < LEASE_MS:
                    # The rows stay in the sweep index; an attempt cut off in the middle would only cost a lease.
                    return "out_of_time"
                _attempt(head, world)


def _attempt(row: outbox.Row, world: Surroundings) -> None:
    asked_at = world.now_ms()
    try:
        claimed = outbox.claim(row, now_ms=asked_at, lease_ms=LEASE_MS)
    except outbox.RowMovedError:
        return
    except outbox.OvertakenError:
        _cancel(row, "superseded: a person took over before it went out")
        return
    # Each line has the row's own correlation id, whichever doorbell drains it.
    logger.info(
        "[WA-BG-SEND] Starting",
        to=masked(row.chat_jid),
        correlation_id=row.correlation_id,
        message_id=row.message_id,
        attempt=claimed.attempts,
    )
    result = world.sender.send(claimed)
    record(claimed, outcome_of(result, claimed, now_ms=world.now_ms(), uniform=world.uniform))
    if (
        isinstance(result, Unavailable)
        and not result.paced
        and world.came_up_since(claimed.tenant_id, asked_at - CLOCKS_APART_MS)
    ):
        # While we asked: its `connected` found no postponed row to wake, and does not come twice.
        outbox.wake(claimed.tenant_id, claimed.conversation_id, claimed.sk, now_ms=world.now_ms() + CAME_UP_MS)


def record(row: outbox.Row, outcome: Outcome) -> None:
    """Write what became of the claimed `row`, count it and log it."""
    match outcome:
        case Delivered(at):
            outbox.record_evidence(row.tenant_id, row.conversation_id, row.sk, "SENT", at=at)
            count("MessageSent")
            logger.info(
                "[WA-BG-SEND] status=sent",
                correlation_id=row.correlation_id,
                message_id=row.message_id,
                attempt=row.attempts,
            )
        case Failed(reason):
            _fail(row, reason)
        case TryAgain(at, reason):
            outbox.postpone(row, next_attempt_at=at, error=reason)
            logger.warning(
                "[WA-BG-SEND] status=waiting",
                correlation_id=row.correlation_id,
                message_id=row.message_id,
                attempt=row.attempts,
                reason=reason,
            )


def _cancel(row: outbox.Row, reason: str) -> None:
    if outbox.give_up(row, "CANCELLED", error=reason):
        logger.info(
            "[WA-BG-SEND] status=cancelled", correlation_id=row.correlation_id, message_id=row.message_id, reason=reason
        )


def _fail(row: outbox.Row, reason: str) -> None:
    if outbox.give_up(row, "FAILED", error=reason):
        count("SendFailed", message_id=row.message_id, tenant_id=row.tenant_id)
        logger.error(
            "[WA-BG-SEND] status=failed",
            correlation_id=row.correlation_id,
            message_id=row.message_id,
            attempt=row.attempts,
            reason=reason,
        )
