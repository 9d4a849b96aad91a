"""What follows from an intent: which tools the model is offered, and what it is told. Pure.

An intent narrows and never forbids: `show_all_tools` opens the rest within the same run, for a turn whose intent the
rules got wrong, or that turns out to want more. What no model may decide is not here but in `triage.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from functions.agent.routing import Intent

MARK = "intent:"

BY_MODEL: tuple[Intent, ...] = ("booking", "change", "cancel", "price", "info", "invoice", "complaint", "other")
"""What a model may say of a turn: the hard rules' intents are not its to give."""

_NEEDLESS: dict[Intent, frozenset[str]] = {
    "price": frozenset({"move_appointment", "cancel_appointment"}),
    "info": frozenset({"move_appointment", "cancel_appointment"}),
    "invoice": frozenset({"find_free_slots", "book_appointment", "move_appointment", "cancel_appointment"}),
    "complaint": frozenset({"find_free_slots", "book_appointment", "move_appointment", "cancel_appointment"}),
}
_HINTS: dict[Intent, str] = {
    "booking": "They want an appointment: find out service, day and time, then book it.",
    "change": "They want an appointment moved: look up which one, then move it, and never cancel it for that.",
    "cancel": "They want an appointment cancelled: look up which one, cancel it, and offer nothing else.",
    "price": "They ask for a price: say it as the list has it, then ask whether they want an appointment.",
    "info": "They ask something about the business: answer from the list or from its own texts.",
    "invoice": "They ask for an invoice or a receipt. You cannot make one: have a person do it.",
    "complaint": "They complain: say once that you are sorry, promise and excuse nothing, and have a person answer.",
}
_OF_TOOLS: dict[str, Intent] = {
    "book_appointment": "booking",
    "move_appointment": "change",
    "cancel_appointment": "cancel",
    "find_free_slots": "booking",
    "search_knowledge": "info",
    "pass_on_question": "info",
}
_NAMES = "|".join(BY_MODEL)
_MARKED = re.compile(
    rf"^[\W_]*{MARK}[\W_]*(?P<line>[a-z_]*)[\W_]*$|(?<=\s)[\W_]*{MARK}[\W_]*(?P<end>{_NAMES})[\W_]*$",
    re.IGNORECASE | re.MULTILINE,
)


def needless(intent: Intent) -> frozenset[str]:
    """Names of the tools that such a turn hardly needs."""
    return _NEEDLESS.get(intent, frozenset())


def hint(intent: Intent) -> str | None:
    """What to do about such a turn, for the instructions."""
    return _HINTS.get(intent)


@dataclass(frozen=True, slots=True)
class Said:
    """A model's answer, without the line that names the intent."""

    text: str
    intent: Intent | None


def read(answer: str) -> Said:
    """Take the line off, wherever it stands and however it is dressed up."""
    named = [(match["line"] or match["end"] or "").lower() for match in _MARKED.finditer(answer)]
    known = [intent for intent in BY_MODEL if named and intent == named[-1]]
    return Said(_MARKED.sub("", answer).strip(), known[0] if known else None)


def settled(by_rules: Intent, said: Intent | None, tools: Iterable[str]) -> Intent:
    """What a turn was about: the rules where they were sure, else the model's word, else the tools that it used."""
    if by_rules != "other":
        return by_rules
    if said is not None and said != "other":
        return said
    used = {_OF_TOOLS[name] for name in tools if name in _OF_TOOLS}
    strongest: tuple[Intent, ...] = ("change", "cancel", "booking", "info")
    return next((intent for intent in strongest if intent in used), "other")
