"""One outgoing message, one WhatsApp id, for ever; its state only rises in rank.

A row is QUEUED by the commit of a turn. The send function claims it (SENDING, with a lease), posts it to the gateway
and writes what became of it. Rows of a conversation finish in order, so the unfinished ones are always the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import TypeAdapter
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared import ids, settings
from functions.shared.contracts import ConversationId, Jid, MessageId, OutgoingContent, TenantId
from functions.shared.keys import (
    CONVERSATION,
    OUTBOX_PREFIX,
    conversation_pk,
    id_sk,
    outbox_sk,
    parse_conversation_pk,
    profile_key,
)
from functions.shared.manner import PLAIN, Manner
from functions.shared.tables import ConversationItem, IdItem, OutboxItem, ProfileItem, find, not_exists
from functions.shared.transactions import ContentionError, LabelledWrite, RefusedError, transact

State = Literal["QUEUED", "SENDING", "FAILED", "CANCELLED", "SENT", "DELIVERED", "READ"]
Author = Literal["assistant", "person"]
Evidence = Literal["SENT", "DELIVERED", "READ"]

RANK: dict[State, int] = {
    "QUEUED": 0,
    "SENDING": 1,
    "FAILED": 2,
    "CANCELLED": 2,
    "SENT": 3,
    "DELIVERED": 4,
    "READ": 5,
}
UNFINISHED: tuple[State, ...] = ("QUEUED", "SENDING")

SWEEP_DELAY_MS = 30_000
"""How long after it was queued a row may wait for its doorbell before the sweeper rings."""

_CONTENT: TypeAdapter[OutgoingContent] = TypeAdapter(OutgoingContent)
_ROW_LABEL = "row"
_EPOCH_LABEL = "epoch"
_SWITCH_LABEL = "switch"


class RowMovedError(Exception):
    """The row is not any more what was read: somebody else claimed or finished it. Read the outbox again."""


class OvertakenError(Exception):
    """A person took over or switched the assistant off after the row was queued, so it must not go out."""


def rises(current: State, to: State) -> bool:
    """Whether a row may go from `current` to `to`. WhatsApp's evidence lifts even a row that we gave up."""
    return RANK[to] > RANK[current]


@dataclass(frozen=True, slots=True)
class Queued:
    """A message to send, as the commit of turn `hi` writes it; `part` counts its replies from 0."""

    tenant_id: TenantId
    conversation_id: ConversationId
    hi: int
    part: int
    message_id: MessageId
    author: Author
    chat_jid: Jid
    content: OutgoingContent
    epoch: int
    correlation_id: str
    queued_at: int
    manner: Manner = PLAIN
    deadline: int | None = None
    """When it must have gone out; None: `settings.send_deadline_ms` after it was queued."""


@dataclass(frozen=True, slots=True)
class Row:
    """An outbox row as it was read. Times in Unix milliseconds."""

    tenant_id: TenantId
    conversation_id: ConversationId
    sk: str
    message_id: MessageId
    state: State
    epoch: int
    author: Author
    chat_jid: Jid
    content: OutgoingContent
    manner: Manner
    correlation_id: str
    attempts: int
    """How often it was claimed; also the fencing token of the claim in force."""
    lease_until: int | None
    next_attempt_at: int | None
    deadline: int
    error: str | None = None
    """Why the last attempt did not send it."""


# ---- writing rows -----------------------------------------------------------------------------------------------


WRITES = 2
"""Items of one queued row: itself, and the way back from its id."""


def write_queued(transaction: LabelledWrite, rows: Sequence[Queued]) -> None:
    """Add the rows, and the way back from their ids, to the transaction that decides to send them."""
    for row in rows:
        pk = conversation_pk(row.tenant_id, row.conversation_id)
        sk = outbox_sk(row.hi, row.part)
        item = OutboxItem(
            pk,
            sk,
            message_id=row.message_id,
            state="QUEUED",
            epoch=row.epoch,
            author=row.author,
            chat_jid=row.chat_jid,
            content=row.content.to_json(),
            manner=row.manner.to_json(),
            correlation_id=row.correlation_id,
            attempts=0,
            deadline=row.queued_at + settings.send_deadline_ms() if row.deadline is None else row.deadline,
            queued_at=row.queued_at,
            sweep_shard=ids.sweep_shard(row.conversation_id),
            sweep_at=row.queued_at + SWEEP_DELAY_MS,
        )
        transaction.save(item, condition=not_exists(OutboxItem))
        transaction.save(IdItem(pk, id_sk(row.message_id), outbox_sk=sk), condition=not_exists(IdItem))


# ---- reading ----------------------------------------------------------------------------------------------------


def unfinished(tenant_id: TenantId, conversation_id: ConversationId) -> list[Row]:
    """The QUEUED and SENDING rows, oldest first; the first one is the only one that may be sent."""
    newest_first = OutboxItem.query(
        conversation_pk(tenant_id, conversation_id),
        OutboxItem.sk.startswith(OUTBOX_PREFIX),
        consistent_read=True,
        scan_index_forward=False,
        page_size=10,
    )
    rows: list[Row] = []
    for item in newest_first:
        row = _row(item)
        if row.state not in UNFINISHED:
            break
        rows.append(row)
    return rows[::-1]


def has_unfinished(tenant_id: TenantId, conversation_id: ConversationId) -> bool:
    """Whether the outgoing queue should be rung for this conversation."""
    return bool(unfinished(tenant_id, conversation_id))


def _row(item: OutboxItem) -> Row:
    tenant_id, conversation_id = parse_conversation_pk(item.pk)
    return Row(
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        sk=item.sk,
        message_id=MessageId(item.message_id),
        state=_state(item.state),
        epoch=item.epoch,
        author="person" if item.author == "person" else "assistant",
        chat_jid=Jid(item.chat_jid),
        content=_CONTENT.validate_json(item.content),
        manner=PLAIN if item.manner is None else Manner.model_validate_json(item.manner),
        correlation_id=item.correlation_id,
        attempts=item.attempts,
        lease_until=item.lease_until,
        next_attempt_at=item.next_attempt_at,
        deadline=item.deadline,
        error=item.error,
    )


def _state(value: str) -> State:
    return next(state for state in RANK if state == value)


# ---- the life of a row ------------------------------------------------------------------------------------------


def claim(row: Row, *, now_ms: int, lease_ms: int) -> Row:
    """Take the row for one attempt: SENDING until `now_ms + lease_ms`, its epoch checked in the same transaction.

    Raises RowMovedError, OvertakenError (an assistant's row only: a person's gives way to nobody), or
    transactions.ContentionError.
    """
    lease_until = now_ms + lease_ms
    actions: list[Action] = [
        OutboxItem.state.set("SENDING"),
        OutboxItem.attempts.set(row.attempts + 1),
        OutboxItem.sending_at.set(now_ms),
        OutboxItem.lease_until.set(lease_until),
        OutboxItem.next_attempt_at.remove(),
        OutboxItem.sweep_shard.set(ids.sweep_shard(row.conversation_id)),
        OutboxItem.sweep_at.set(lease_until),
    ]
    pk = conversation_pk(row.tenant_id, row.conversation_id)

    def write(transaction: LabelledWrite) -> None:
        with transaction.labelled(_ROW_LABEL):
            transaction.update(OutboxItem(pk, row.sk), actions, condition=_as_read(row) & _free(now_ms))
        if row.author == "assistant":
            with transaction.labelled(_EPOCH_LABEL):
                transaction.condition_check(
                    ConversationItem, pk, CONVERSATION, condition=ConversationItem.epoch == row.epoch
                )
            with transaction.labelled(_SWITCH_LABEL):
                # All claims of a business check this one item and may collide, which `transact` repeats: they are as
                # few as the messages that WhatsApp lets one number send.
                profile_pk, profile_sk = profile_key(row.tenant_id)
                transaction.condition_check(
                    ProfileItem,
                    profile_pk,
                    profile_sk,
                    condition=ProfileItem.ai_enabled == True,  # noqa: E712 - an expression
                )

    try:
        transact(write)
    except RefusedError as error:
        if _ROW_LABEL in error.labels:
            raise RowMovedError(f"{row.sk} was claimed or finished by somebody else") from error
        raise OvertakenError(f"{row.sk} is from before a person took over") from error
    return replace(row, state="SENDING", attempts=row.attempts + 1, lease_until=lease_until, next_attempt_at=None)


def give_up(row: Row, state: Literal["FAILED", "CANCELLED"], *, error: str) -> bool:
    """Finish a row that will not be sent; `error` says why, to a person. False if it moved since `row` was read."""
    actions: list[Action] = [OutboxItem.state.set(state), OutboxItem.error.set(error), *_no_more_work()]
    return _update(row.tenant_id, row.conversation_id, row.sk, actions, _as_read(row))


def postpone(row: Row, *, next_attempt_at: int, error: str) -> bool:
    """Give a claimed row back until `next_attempt_at`, under the same id. False if it moved since it was claimed.

    It stays SENDING: it may have gone out, and rank never falls.
    """
    actions: list[Action] = [
        OutboxItem.next_attempt_at.set(next_attempt_at),
        OutboxItem.error.set(error),
        OutboxItem.lease_until.remove(),
        OutboxItem.sweep_shard.set(ids.sweep_shard(row.conversation_id)),
        OutboxItem.sweep_at.set(next_attempt_at),
    ]
    return _update(row.tenant_id, row.conversation_id, row.sk, actions, _as_read(row))


def record_evidence(
    tenant_id: TenantId, conversation_id: ConversationId, sk: str, state: Evidence, *, at: int
) -> State | None:
    """Write what WhatsApp's server or the customer's phone said of a message at `at`. It may come late and repeated.

    Returns the state that the row was lifted from, None if it already had this rank or a higher one.
    Raises transactions.ContentionError if the row moves faster than we can read it.
    """
    stamp = {"SENT": OutboxItem.sent_at, "DELIVERED": OutboxItem.delivered_at, "READ": OutboxItem.read_at}[state]
    actions: list[Action] = [
        OutboxItem.state.set(state),
        stamp.set(at),
        OutboxItem.error.remove(),
        *_no_more_work(),
    ]
    for _ in range(5):
        item = find(OutboxItem, (conversation_pk(tenant_id, conversation_id), sk))
        if item is None:
            return None
        current = _state(item.state)
        if not rises(current, state):
            return None
        if _update(tenant_id, conversation_id, sk, actions, OutboxItem.state == current):
            return current
    raise ContentionError(f"the state of {sk} changes faster than it can be read")


def wake(tenant_id: TenantId, conversation_id: ConversationId, sk: str, *, now_ms: int) -> None:
    """Make a postponed row due at once, because what it waited for has happened."""
    actions: list[Action] = [OutboxItem.next_attempt_at.set(now_ms), OutboxItem.sweep_at.set(now_ms)]
    waiting = OutboxItem.state.is_in(*UNFINISHED) & (OutboxItem.next_attempt_at > now_ms)
    _update(tenant_id, conversation_id, sk, actions, waiting)


def _update(
    tenant_id: TenantId, conversation_id: ConversationId, sk: str, actions: list[Action], condition: Condition
) -> bool:
    try:
        OutboxItem(conversation_pk(tenant_id, conversation_id), sk).update(actions=actions, condition=condition)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _as_read(row: Row) -> Condition:
    condition: Condition = (OutboxItem.state == row.state) & (OutboxItem.attempts == row.attempts)
    return condition


def _free(now_ms: int) -> Condition:
    condition: Condition = OutboxItem.lease_until.does_not_exist() | (OutboxItem.lease_until <= now_ms)
    return condition


def _no_more_work() -> list[Action]:
    return [
        OutboxItem.lease_until.remove(),
        OutboxItem.next_attempt_at.remove(),
        OutboxItem.sweep_shard.remove(),
        OutboxItem.sweep_at.remove(),
    ]
