"""An event becomes rows of the app table, in one transaction, and says which doorbells to ring then.

Safe to repeat: the gateway forwards each event until it got a 2xx, so every event may come many times and at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from functions.shared import clock, outbox
from functions.shared.amendments import unread_of
from functions.shared.contracts import (
    Chat,
    ConnectionUpdated,
    ContactsUpdated,
    ConversationId,
    Event,
    EventAnswer,
    MessageId,
    MessageReceived,
    MessageStatus,
    TenantId,
)
from functions.shared.conversation import assistant_may_speak
from functions.shared.queues import Queue
from functions.shared.transactions import ContentionError, LabelledWrite, RefusedError, backoff_s
from functions.webhook import connection, contacts, names
from functions.webhook.chats import ChatState, Seen, read_chat
from functions.webhook.message import Draft, author_of

ATTEMPTS = 12
"""Messages of one conversation that arrive at once lose the race for the next number to each other."""


@dataclass(frozen=True)
class Ring:
    """A doorbell to ring once the transaction is through."""

    queue: Literal["turns", "outgoing"]
    conversation_id: ConversationId
    seq: int
    again: bool = False
    """A repetition, which SQS must not drop as one."""


@dataclass(frozen=True)
class Acceptance:
    """The event is stored, or needs no storing."""

    answer: EventAnswer
    rings: tuple[Ring, ...] = ()


def accept(
    event: Event,
    *,
    now_ms: Callable[[], int] = clock.now_ms,
    sleep: Callable[[float], None] = time.sleep,
    uniform: Callable[[float, float], float] = random.uniform,
) -> Acceptance:
    """Store `event`. The caller rings, and only then answers the gateway.

    Raises UnknownTenantError, or ContentionError when it lost every race: nothing was stored then, so let the gateway
    repeat the event.
    """
    if isinstance(event, ConnectionUpdated):
        return _connection(event, now_ms())
    if isinstance(event, ContactsUpdated):
        return _contacts(event, now_ms)
    if (reason := _not_ours(event.chat)) is not None:
        return _ignored(reason)
    for attempt in range(ATTEMPTS):
        try:
            return _status(event, now_ms()) if isinstance(event, MessageStatus) else _message(event, now_ms())
        except (RefusedError, ContentionError):
            # Somebody wrote the same chat since it was read; what the repetition reads decides anew.
            sleep(backoff_s(attempt, uniform))
    raise ContentionError(f"the event of message {event.message_id} lost {ATTEMPTS} races in its conversation")


def _not_ours(chat: Chat) -> str | None:
    return None if chat.kind == "direct" else f"{chat.kind} chats are ignored by policy"


def _ignored(reason: str) -> Acceptance:
    return Acceptance(EventAnswer(result="ignored", reason=reason))


# ---- messages ---------------------------------------------------------------------------------------------------


def _message(event: MessageReceived, now_ms: int) -> Acceptance:
    original = unread_of(event.message_id, event.content)
    if original is not None and read_chat(event.tenant_id, event.chat, MessageId(original)).seen is not None:
        return _ignored("the message that could not be read has come meanwhile")
    state = read_chat(event.tenant_id, event.chat, event.message_id)
    if state.seen is not None:
        return _seen_before(state, state.seen, event, now_ms)
    author = author_of(event, state.profile.automatic_texts)
    draft = Draft.of(state, event, author, now_ms)
    transaction = LabelledWrite()
    draft.write(transaction)
    transaction.commit()
    return Acceptance(EventAnswer(result="accepted"), _rings(state, draft))


def _rings(state: ChatState, draft: Draft) -> tuple[Ring, ...]:
    if draft.takes_over:
        # The drain cancels, in order, what the raised epoch has made void.
        merged = [Ring("outgoing", one, item.last_seq, again=True) for one, item in state.merged.items()]
        return (Ring("outgoing", state.conversation_id, draft.seq), *merged)
    if draft.waits_for_assistant:
        return (Ring("turns", state.conversation_id, draft.seq),)
    return ()


def _seen_before(state: ChatState, seen: Seen, event: MessageReceived, now_ms: int) -> Acceptance:
    """A duplicate rings again if the first time may have died between its transaction and its doorbell."""
    if seen.seq is None:
        return _ignored("the echo of a message that we sent")
    answer = EventAnswer(result="duplicate")
    if event.from_me:
        waiting = outbox.has_unfinished(event.tenant_id, seen.conversation_id)
        return Acceptance(answer, (Ring("outgoing", seen.conversation_id, seen.seq, again=True),) if waiting else ())
    unhandled = seen.seq > seen.conversation.handled_seq
    if unhandled and assistant_may_speak(state.profile, seen.conversation, now_ms):
        return Acceptance(answer, (Ring("turns", seen.conversation_id, seen.seq, again=True),))
    return Acceptance(answer)


# ---- statuses and connections -----------------------------------------------------------------------------------

_EVIDENCE: dict[str, outbox.Evidence] = {"sent": "SENT", "delivered": "DELIVERED", "read": "READ"}


def _status(event: MessageStatus, now_ms: int) -> Acceptance:
    state = read_chat(event.tenant_id, event.chat, event.message_id)
    seen = state.seen
    if seen is None or seen.outbox_sk is None:
        return _ignored("we sent no such message")
    names.learn(event.tenant_id, event.chat, state, now_ms)
    lifted_from = outbox.record_evidence(
        event.tenant_id, seen.conversation_id, seen.outbox_sk, _EVIDENCE[event.status], at=event.at
    )
    if lifted_from is None:
        return Acceptance(EventAnswer(result="duplicate"))
    # The next row waited for this one: the send function had no answer, WhatsApp's evidence is one.
    blocked = lifted_from in outbox.UNFINISHED and outbox.has_unfinished(event.tenant_id, seen.conversation_id)
    rings = (Ring("outgoing", seen.conversation_id, 0, again=True),) if blocked else ()
    return Acceptance(EventAnswer(result="accepted"), rings)


def _connection(event: ConnectionUpdated, now_ms: int) -> Acceptance:
    if not connection.record(event):
        return _ignored("a newer state of this connection is known")
    waiting: list[ConversationId] = []
    if event.state == "connected":
        waiting = connection.wake_waiting(event.tenant_id, now_ms)
    rings = tuple(Ring("outgoing", conversation_id, 0, again=True) for conversation_id in waiting)
    return Acceptance(EventAnswer(result="accepted"), rings)


def _contacts(event: ContactsUpdated, clock_ms: Callable[[], int]) -> Acceptance:
    rings: list[Ring] = []

    def note(queue: Queue, _tenant_id: TenantId, conversation_id: ConversationId, seq: int, _correlation: str) -> None:
        rings.append(Ring(queue, conversation_id, seq, again=True))

    if not contacts.record(event, clock_ms=clock_ms, ring=note):
        return _ignored("newer contacts are known")
    return Acceptance(EventAnswer(result="accepted"), tuple(rings))
