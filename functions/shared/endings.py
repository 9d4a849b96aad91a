"""How a turn ends when not with the assistant's answer. Each is the one commit of its turn, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import JsonValue
from pynamodb.transactions import TransactWrite

from functions.shared.conversation import Snapshot
from functions.shared.inbox import Effect, Turn, TurnRecord, call_person, hand_over, write_turn
from functions.shared.keys import consent_sk, conversation_pk
from functions.shared.tables import ConsentItem, ConversationItem, not_exists


@dataclass(frozen=True, slots=True)
class HandOver:
    """Tell the customer `text`, silence the assistant, call a person, who reads `reason`."""

    text: str
    reason: str
    outcome: Literal["person", "failed"]
    """Whether the customer asked for it, or the assistant could not go on."""
    intent: str | None = None
    items: Sequence[JsonValue] = ()
    effects: Sequence[Effect] = ()
    """What else the commit writes: the owner's notice."""


@dataclass(frozen=True, slots=True)
class PutAside:
    """Leave the turn's messages up to number `hi` to a person, unanswered; those behind them go on waiting."""

    hi: int
    reason: str


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """The customer opted out or in by message `seq`: confirm it with `text` and write it into the ledger.

    Without a text it is heard and nothing is said: the assistant does not write to this person now, but may later.
    """

    change: Literal["opted_out", "opted_in"]
    text: str | None
    seq: int
    items: Sequence[JsonValue] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """A customer who opted out wrote again: no word from us, but a person may want to see it."""

    reason: str


@dataclass(frozen=True, slots=True)
class FromTheOwner:
    """One of the owner's own numbers wrote, perhaps in answer to a notice: no customer, so nobody is answered."""


@dataclass(frozen=True, slots=True)
class LeftToOwner:
    """Somebody wrote whom the owner saved, so the assistant leaves them alone: the owner reads it on the phone."""


@dataclass(frozen=True, slots=True)
class NothingAsked:
    """What waited needs no answer: a reaction, or everything was deleted meanwhile."""


Ending = HandOver | PutAside | ConsentChange | Silence | FromTheOwner | LeftToOwner | NothingAsked


def no_customer(snapshot: Snapshot) -> FromTheOwner | LeftToOwner | None:
    """How every turn here ends without a word, because whoever writes is no customer of the assistant's. Pure."""
    if snapshot.is_owner:
        return FromTheOwner()
    return LeftToOwner() if snapshot.left_to_owner else None


def unanswered(snapshot: Snapshot, reason: str) -> FromTheOwner | LeftToOwner | Silence | None:
    """How a turn that failed for `reason` ends if nobody may be written to here; None: a person is promised. Pure."""
    return no_customer(snapshot) or (Silence(reason) if snapshot.opted_out_at is not None else None)


def end(turn: Turn, ending: Ending, *, now_ms: int) -> None:
    """Commit the turn with this ending; the caller rings the outgoing queue if there was a text.

    It asks for no more than that nobody was first: a person may be called even while the assistant is off.
    Raises inbox.TurnOvertakenError, or transactions.ContentionError: nothing was written then.
    """
    match ending:
        case HandOver(text, reason, outcome, intent, items, effects):
            write_turn(
                turn,
                texts=[text],
                record=TurnRecord(items=items, outcome=outcome, intent=intent, reason=reason),
                now_ms=now_ms,
                changes=hand_over(reason, now_ms),
                effects=effects,
                takes_over=True,
            )
        case PutAside(hi, reason):
            record = TurnRecord(items=[], outcome="put_aside", reason=reason)
            write_turn(
                replace(turn, hi=hi), texts=[], record=record, now_ms=now_ms, changes=call_person(reason, now_ms)
            )
        case Silence(reason):
            record = TurnRecord(items=[], outcome="silent", reason=reason)
            write_turn(turn, texts=[], record=record, now_ms=now_ms, changes=call_person(reason, now_ms))
        case FromTheOwner():
            record = TurnRecord(items=[], outcome="silent", reason="the owner wrote it")
            write_turn(turn, texts=[], record=record, now_ms=now_ms)
        case LeftToOwner():
            record = TurnRecord(items=[], outcome="silent", reason="the owner saved this person as a contact")
            write_turn(turn, texts=[], record=record, now_ms=now_ms)
        case NothingAsked():
            record = TurnRecord(items=[], outcome="silent", reason="nothing asked for an answer")
            write_turn(turn, texts=[], record=record, now_ms=now_ms)
        case ConsentChange(change, text, seq, items):
            out = change == "opted_out"
            write_turn(
                turn,
                texts=[text] if text else [],
                record=TurnRecord(items=items, outcome=change, intent="opt_out" if out else "opt_in"),
                now_ms=now_ms,
                changes=[ConversationItem.opted_out_at.set(now_ms) if out else ConversationItem.opted_out_at.remove()],
                effects=[_LedgerRow(turn, change, seq, now_ms)],
                takes_over=out,  # what was queued before must not go out behind the confirmation
            )


@dataclass(frozen=True, slots=True)
class _LedgerRow:
    turn: Turn
    change: Literal["opted_out", "opted_in"]
    seq: int
    at: int

    @property
    def name(self) -> str:
        return self.change

    @property
    def writes(self) -> int:
        return 1

    def write(self, transaction: TransactWrite) -> None:
        row = ConsentItem(
            conversation_pk(self.turn.tenant_id, self.turn.conversation_id),
            consent_sk(self.seq),
            change=self.change,
            seq=self.seq,
            at=self.at,
            turn_id=self.turn.turn_id,
        )
        transaction.save(row, condition=not_exists(ConsentItem))
