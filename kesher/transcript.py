"""Who said what, and who handled it: a conversation's messages and turns as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from functions.shared.conversation import Message, PastTurn
from functions.shared.words import in_words

_HANDLED: Mapping[str, str] = {
    "answered": "assistant",
    "person": "handed over: {reason}",
    "failed": "handed over: {reason}",
    "put_aside": "left to you: {reason}",
    "silent": "nobody: {reason}",
    "opted_out": "assistant, opted out",
    "opted_in": "assistant, opted in",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One message; `at` in Unix milliseconds."""

    at: int
    who: Literal["customer", "owner", "automatic", "assistant"]
    text: str
    handled_by: str
    """Of a customer's message; empty for the others."""


def transcript(messages: Sequence[Message], turns: Sequence[PastTurn]) -> list[Line]:
    """The messages and the assistant's answers, oldest first."""
    lines = [(message.seq, 0, _message(message, messages, turns)) for message in messages]
    first = messages[0].seq if messages else 0
    lines += [(turn.hi, 1, line) for turn in turns if turn.hi >= first for line in _answers(turn)]
    return [line for _, _, line in sorted(lines, key=lambda entry: entry[:2])]


def _message(message: Message, messages: Sequence[Message], turns: Sequence[PastTurn]) -> Line:
    handled = _handled_by(message.seq, messages, turns) if message.author == "customer" else ""
    return Line(message.sent_at, message.author, in_words(message.content), handled)


def _handled_by(seq: int, messages: Sequence[Message], turns: Sequence[PastTurn]) -> str:
    for turn in turns:
        if turn.lo <= seq <= turn.hi:
            return _HANDLED[turn.outcome or "answered"].format(reason=turn.reason)
    by_a_person = any(message.author == "owner" and message.seq > seq for message in messages)
    return "a person" if by_a_person else "waits"


def _answers(turn: PastTurn) -> Iterator[Line]:
    for item in turn.items:
        if isinstance(item, dict) and item.get("role") == "assistant":
            yield Line(turn.committed_at, "assistant", str(item.get("content", "")), "")
