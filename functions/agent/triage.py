"""What of a turn is settled before any model is asked. Pure, and in this order: the hard rules come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from functions.agent import guardrails, routing
from functions.agent.language import phrases
from functions.agent.memory import history
from functions.agent.routing import Intent
from functions.shared.amendments import needs_no_answer
from functions.shared.conversation import Message, PastTurn, Snapshot
from functions.shared.endings import ConsentChange, Ending, HandOver, NothingAsked, Silence, no_customer
from functions.shared.profile import Language
from functions.shared.words import own_words


@dataclass(frozen=True, slots=True)
class ForModel:
    """Nothing stands against asking the model."""

    intent: Intent


def triage(
    pending: Sequence[Message], past: Sequence[PastTurn], snapshot: Snapshot, language: Language, *, now_ms: int
) -> Ending | ForModel:
    """How the turn over `pending` ends without a model, or that it needs one. `past` are the newest turns, in order."""
    # Whatever else waits, however old it is, and whoever reads it now: this is heard. Only the owner cannot opt out.
    if not snapshot.is_owner and (change := _consent(pending, snapshot, language)):
        return change
    if apart := no_customer(snapshot):
        return apart
    if all(message.author != "customer" or needs_no_answer(message.content) for message in pending):
        return NothingAsked()
    return _of_a_customer(pending, past, snapshot, language, now_ms)


def _written(pending: Sequence[Message]) -> list[tuple[Message, str]]:
    return [(m, words) for m in pending if m.author == "customer" and (words := own_words(m.content))]


def _consent(pending: Sequence[Message], snapshot: Snapshot, language: Language) -> ConsentChange | None:
    written = _written(pending)
    consent = routing.consent([text for _, text in written], opted_out=snapshot.opted_out_at is not None)
    if consent is None:
        return None
    seq = written[consent.position][0].seq
    if snapshot.left_to_owner:
        return ConsentChange(consent.change, None, seq, history.user_items(pending))
    text = (phrases.OPTED_OUT if consent.change == "opted_out" else phrases.OPTED_IN)[language]
    return ConsentChange(consent.change, text, seq, _history(pending, text))


def _of_a_customer(
    pending: Sequence[Message], past: Sequence[PastTurn], snapshot: Snapshot, language: Language, now_ms: int
) -> Ending | ForModel:
    texts = [text for _, text in _written(pending)]
    if aside := guardrails.left_to_a_person(pending, silent_until=snapshot.paused_until, now_ms=now_ms):
        return aside
    if snapshot.opted_out_at is not None:
        return Silence("the customer, who opted out of the assistant, wrote again")
    intent = routing.intent_of(texts)
    if intent == "person":
        text = phrases.YOU_ASKED_FOR_A_PERSON[language]
        return HandOver(text, "the customer asked for a person", "person", intent, _history(pending, text))
    if reason := guardrails.out_of_hand(texts, past, now_ms=now_ms):
        text = phrases.A_PERSON_WILL_ANSWER[language]
        return HandOver(text, reason, "failed", intent, _history(guardrails.shortened(pending), text))
    return guardrails.from_a_machine(pending) or ForModel(intent)


def _history(pending: Sequence[Message], text: str) -> list[JsonValue]:
    """The items of a turn that no model saw."""
    return [*history.user_items(pending), {"role": "assistant", "content": text}]
