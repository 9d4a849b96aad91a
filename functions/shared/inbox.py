"""One inbound message is in exactly one turn, and one turn commits once.

The webhook numbers the messages of a conversation 1, 2, 3, ... (`last_seq`). A turn covers `lo .. hi`, everything that
waits when it begins, and its commit moves `handled_seq` from `lo - 1` to `hi` in the same transaction that writes the
history, the tools' effects and the replies. The condition on `handled_seq` makes the second of two turns fail; the one
on `epoch` makes a turn fail that a person overtook. A turn that never commits leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pydantic import JsonValue
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from functions.shared import ids, outbox, transactions
from functions.shared.bounded import bounded
from functions.shared.contracts import ConversationId, Jid, MessageId, OutgoingContent, TenantId, TextContent
from functions.shared.conversation import ConversationNotFoundError, Message, Snapshot, Summary, TurnId
from functions.shared.keys import CONVERSATION, conversation_pk, profile_key, turn_sk
from functions.shared.manner import PLAIN, Manner
from functions.shared.observability import logger
from functions.shared.tables import ConversationItem, ProfileItem, TurnItem, find, not_exists

DEBOUNCE_LIMIT_MS = 8_000
"""A customer who never stops writing is answered after this time all the same."""

HAND_OVER_PAUSE_MS = 12 * 3_600_000
"""How long the assistant stays silent after it called a person: a night; an answer or `kesher chat resume` ends it."""

TurnOutcome = Literal["answered", "person", "failed", "put_aside", "opted_out", "opted_in", "silent"]
"""How a turn ended: with the assistant's answer, handed over because the customer asked or because the assistant
failed, left to a person unanswered, or by the customer's word about the assistant itself."""

MAX_ITEMS_BYTES, MAX_TOOLS_BYTES, MAX_SAW_BYTES = 200_000, 100_000, 50_000
"""Of one turn's row: a DynamoDB item ends at 400 KB, and memory reads the newest rows of a conversation each time."""

_CONVERSATION_LABEL = "conversation"
_TURN_LABEL = "turn"
_OUTBOX_LABEL = "outbox"
_EFFECT_LABEL = "effect:"


class TurnOvertakenError(Exception):
    """Another turn handled these messages, or a person took over; nothing was written. The turn's work is void."""


class EffectRefusedError(Exception):
    """The condition of an effect does not hold any more; nothing was written. Run the turn again, from fresh data."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the effect {name} was refused by its own condition")
        self.name = name


@dataclass(frozen=True, slots=True)
class Answered:
    """Nothing to do for this doorbell; replies may still wait to be sent."""


@dataclass(frozen=True, slots=True)
class NewerComing:
    """A newer doorbell is on its way and will answer this message too."""


@dataclass(frozen=True, slots=True)
class AssistantOff:
    """Messages wait, for a person."""


@dataclass(frozen=True, slots=True)
class RunTurn:
    """Answer messages `lo .. hi` now."""

    lo: int
    hi: int
    epoch: int


Decision = Answered | NewerComing | AssistantOff | RunTurn


def decide(snapshot: Snapshot, doorbell_seq: int, now_ms: int) -> Decision:
    """What doorbell number `doorbell_seq` asks for, given the conversation at `now_ms`."""
    if doorbell_seq <= snapshot.handled_seq or snapshot.handled_seq >= snapshot.last_seq:
        return Answered()
    if not snapshot.assistant_may_speak(now_ms):
        return AssistantOff()
    waited = now_ms - (snapshot.pending_since if snapshot.pending_since is not None else 0)
    if doorbell_seq < snapshot.last_seq and waited < DEBOUNCE_LIMIT_MS:
        return NewerComing()
    return RunTurn(lo=snapshot.handled_seq + 1, hi=snapshot.last_seq, epoch=snapshot.epoch)


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn under way: what it covers, and what must still be true when it commits."""

    tenant_id: TenantId
    conversation_id: ConversationId
    turn_id: TurnId
    lo: int
    hi: int
    epoch: int
    reply_jid: Jid
    started_at: int
    correlation_id: str
    manner: Manner = PLAIN


def begin_turn(snapshot: Snapshot, decision: RunTurn, *, correlation_id: str, now_ms: int) -> Turn:
    """Give the decision an id. Nothing is written: a turn exists only once it has committed."""
    if snapshot.reply_jid is None:
        raise ConversationNotFoundError("the customer of this conversation never wrote, so there is nobody to answer")
    return Turn(
        tenant_id=snapshot.tenant_id,
        conversation_id=snapshot.conversation_id,
        turn_id=TurnId(ids.new_turn_id()),
        lo=decision.lo,
        hi=decision.hi,
        epoch=decision.epoch,
        reply_jid=snapshot.reply_jid,
        started_at=now_ms,
        correlation_id=correlation_id,
        manner=Manner(disappearing_seconds=snapshot.disappearing_seconds),
    )


def answering(turn: Turn, messages: Iterable[Message]) -> Turn:
    """The turn, knowing what its replies answer: the customer sees those read, and "typing ..." counts from them."""
    return replace(turn, manner=turn.manner.answering(messages))


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to the customer; `content` is what is sent if it is more than its text. Texts go out first."""

    text: str
    content: OutgoingContent | None = None


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """What a turn leaves for the next one and for the audit. All of it is JSON; too long texts in it are cut."""

    items: Sequence[JsonValue]
    """History items of the Agents SDK: this turn's input and everything that the run added."""
    tools: Sequence[JsonValue] = ()
    usage: Mapping[str, JsonValue] | None = None
    outcome: TurnOutcome = "answered"
    intent: str | None = None
    reason: str | None = None
    """Why a person was called."""
    saw: Mapping[str, JsonValue] | None = None
    """What the model was given: messages, version of the configuration, model, instructions, fallback."""
    summary: Summary | None = None
    attention: str | None = None
    """Why a person should look at the conversation, though the assistant goes on in it."""


class Effect(Protocol):
    """Something that a tool staged and the commit makes real: a booking, a cancellation, a number of a document."""

    @property
    def name(self) -> str:
        """For logs and EffectRefusedError; unique within a turn."""

    @property
    def writes(self) -> int:
        """How many items `write` adds, at the most."""

    def write(self, transaction: TransactWrite) -> None:
        """Add conditional writes to `transaction`. No other item of the same transaction may have the same key."""


def writes(replies: int, effects: Sequence[Effect] = ()) -> int:
    """Items in the transaction of a turn with so many replies: its conversation, its own row, and the rest."""
    return 2 + outbox.WRITES * replies + sum(effect.writes for effect in effects)


# ---- committing -------------------------------------------------------------------------------------------------


def commit_turn(
    turn: Turn, *, replies: Sequence[Reply], effects: Sequence[Effect] = (), record: TurnRecord, now_ms: int
) -> list[MessageId]:
    """Make a turn real: one transaction, or nothing. Returns the ids of the replies, queued in this order.

    With the outcome `person` the replies are the last ones: a person is called, and the assistant is silent.

    The caller rings the outgoing queue afterwards (a lost ring is the sweeper's). Raises TurnOvertakenError,
    EffectRefusedError, or transactions.TooLargeError / ContentionError (both: nothing was written).
    """
    # Read, not checked in the transaction: every turn of the business would check the same item, and DynamoDB lets
    # transactions over one item collide. The claim of each reply looks again, in its transaction.
    business = find(ProfileItem, profile_key(turn.tenant_id))
    if business is None or not business.assistant_on:
        raise TurnOvertakenError("the assistant of this business was switched off")
    may_speak: Condition = (ConversationItem.ai_enabled == True) & (  # noqa: E712 - an expression, not a comparison
        ConversationItem.paused_until.does_not_exist() | (ConversationItem.paused_until <= now_ms)
    )
    handed_over = record.outcome == "person"
    changes: list[Action] = []
    if handed_over:
        changes = hand_over(record.reason or "a person is wanted", now_ms)
    elif record.attention:
        changes = call_person(record.attention, now_ms)
    return write_turn(
        turn,
        texts=[reply.text for reply in replies if reply.content is None],
        attachments=[reply.content for reply in replies if reply.content is not None],
        record=record,
        now_ms=now_ms,
        changes=changes,
        condition=may_speak,
        effects=effects,
        takes_over=handed_over,
    )


def call_person(reason: str, now_ms: int) -> list[Action]:
    """Show the conversation, with `reason`, to whoever looks after the business's chats."""
    return [ConversationItem.needs_attention.set(reason), ConversationItem.needs_attention_at.set(now_ms)]


def hand_over(reason: str, now_ms: int) -> list[Action]:
    """Call a person, and be silent until they answer."""
    return [ConversationItem.paused_until.set(now_ms + HAND_OVER_PAUSE_MS), *call_person(reason, now_ms)]


def write_turn(
    turn: Turn,
    *,
    texts: Sequence[str],
    attachments: Sequence[OutgoingContent] = (),
    record: TurnRecord,
    now_ms: int,
    changes: Sequence[Action] = (),
    condition: Condition | None = None,
    effects: Sequence[Effect] = (),
    takes_over: bool = False,
) -> list[MessageId]:
    """The one transaction of every turn, whatever its end; see `commit_turn` and `endings.py` for what is in it.

    `changes` are of the conversation, besides its numbers; `takes_over` raises the epoch, of the texts too: they must
    pass the gate that they close behind themselves. Raises as `commit_turn`.
    """
    epoch = turn.epoch + 1 if takes_over else turn.epoch
    actions: list[Action] = [
        ConversationItem.handled_seq.set(turn.hi),
        ConversationItem.epoch.set(epoch),
        ConversationItem.pending_since.set(turn.started_at),
        *changes,
    ]
    untouched: Condition = (ConversationItem.handled_seq == turn.lo - 1) & (ConversationItem.epoch == turn.epoch)
    if texts:
        actions.append(ConversationItem.introduced_at.set(ConversationItem.introduced_at | now_ms))
    contents = [*(TextContent(text=text) for text in texts), *attachments]
    rows = _queued(turn, contents, epoch=epoch, now_ms=now_ms)

    def write(transaction: transactions.LabelledWrite) -> None:
        with transaction.labelled(_CONVERSATION_LABEL):
            row = ConversationItem(conversation_pk(turn.tenant_id, turn.conversation_id), CONVERSATION)
            transaction.update(row, actions, condition=untouched if condition is None else untouched & condition)
        with transaction.labelled(_TURN_LABEL):
            transaction.save(_turn_row(turn, record, now_ms), condition=not_exists(TurnItem))
        with transaction.labelled(_OUTBOX_LABEL):
            outbox.write_queued(transaction, rows)
        for effect in effects:
            with transaction.labelled(_EFFECT_LABEL + effect.name):
                effect.write(transaction)

    _commit(write)
    forget_if_handled(turn.tenant_id, turn.conversation_id)
    return [row.message_id for row in rows]


def forget_if_handled(tenant_id: TenantId, conversation_id: ConversationId) -> bool:
    """Take the conversation out of the sweep index if nothing in it waits; True if that was so.

    Never raises for a failure of DynamoDB: the sweeper comes by again.
    """
    item = ConversationItem(conversation_pk(tenant_id, conversation_id), CONVERSATION)
    try:
        item.update(
            actions=[
                ConversationItem.sweep_shard.remove(),
                ConversationItem.sweep_at.remove(),
                ConversationItem.pending_since.remove(),
            ],
            condition=ConversationItem.handled_seq == ConversationItem.last_seq,
        )
    except PynamoDBException as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            logger.warning("sweep keys stay until the sweeper's next round", exc_info=error)
        return False
    return True


def _commit(write: transactions.Writer) -> None:
    try:
        transactions.transact(write)
    except transactions.RefusedError as error:
        for label in error.labels:
            if label.startswith(_EFFECT_LABEL) and _CONVERSATION_LABEL not in error.labels:
                raise EffectRefusedError(label.removeprefix(_EFFECT_LABEL)) from error
        raise TurnOvertakenError("another turn or a person handled these messages first") from error


def _turn_row(turn: Turn, record: TurnRecord, now_ms: int) -> TurnItem:
    return TurnItem(
        conversation_pk(turn.tenant_id, turn.conversation_id),
        turn_sk(turn.hi),
        lo=turn.lo,
        hi=turn.hi,
        turn_id=turn.turn_id,
        items=bounded(record.items, MAX_ITEMS_BYTES),
        tools=bounded(record.tools, MAX_TOOLS_BYTES),
        usage=dict(record.usage or {}),
        saw=bounded([dict(record.saw)], MAX_SAW_BYTES)[0] if record.saw else None,
        summary=record.summary.text if record.summary else None,
        summary_upto=record.summary.upto if record.summary else None,
        outcome=record.outcome,
        intent=record.intent,
        reason=record.reason,
        started_at=turn.started_at,
        committed_at=now_ms,
    )


def _queued(turn: Turn, contents: Sequence[OutgoingContent], *, epoch: int, now_ms: int) -> list[outbox.Queued]:
    return [
        outbox.Queued(
            tenant_id=turn.tenant_id,
            conversation_id=turn.conversation_id,
            hi=turn.hi,
            part=part,
            message_id=ids.new_message_id(),
            author="assistant",
            chat_jid=turn.reply_jid,
            content=content,
            epoch=epoch,
            correlation_id=turn.correlation_id,
            queued_at=now_ms,
            manner=turn.manner.of_part(part),
        )
        for part, content in enumerate(contents)
    ]
