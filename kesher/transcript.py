"""Who said what, and who handled it: a conversation's messages and turns as lines. Pure.

A message stands as the turn that answered it saw it. One that was edited or deleted before that says so, and keeps what
it said at first, for the owner; one that was changed later keeps its words, and the change is a line of its own, as it
was to the next turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from functions.shared.amendments import amended, change_of, is_change
from functions.shared.contracts import DeletionContent
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


Mark = Literal["edited", "deleted", "edited later", "deleted later"]


@dataclass(frozen=True, slots=True)
class Line:
    """One message; `at` in Unix milliseconds."""

    at: int
    who: Literal["customer", "owner", "automatic", "assistant"]
    text: str
    handled_by: str
    """Of a customer's message; empty for the others."""
    mark: Mark | None = None
    original: str | None = None
    """What it said before it was edited or deleted."""


def transcript(messages: Sequence[Message], turns: Sequence[PastTurn]) -> list[Line]:
    """The messages and the assistant's answers, oldest first."""
    lines = [(message.seq, 0, line) for message, line in _messages(messages, turns)]
    first = messages[0].seq if messages else 0
    lines += [(turn.hi, 1, line) for turn in turns if turn.hi >= first for line in _answers(turn)]
    return [line for _, _, line in sorted(lines, key=lambda entry: entry[:2])]


def _messages(messages: Sequence[Message], turns: Sequence[PastTurn]) -> Iterator[tuple[Message, Line]]:
    begin = 0
    for group in _read_together(messages, turns):
        earlier, later = messages[:begin], messages[begin + len(group) :]
        begin += len(group)
        seen = {message.seq: message for message in amended(group, handled=earlier)}
        for message in group:
            handled = _handled_by(message.seq, messages, turns) if message.author == "customer" else ""
            line = Line(message.sent_at, message.author, in_words(message.content), handled)
            now = seen.get(message.seq)
            if now is not None and now.content != message.content:
                yield message, replace(line, text=in_words(now.content), mark="edited", original=line.text)
            elif now is not None:
                yield message, replace(line, mark=_changed_later(message, later))
            elif not is_change(message) and change_of(message, [*earlier, *group]) is not None:
                yield message, replace(line, text="", mark="deleted", original=line.text)


def _changed_later(message: Message, later: Sequence[Message]) -> Mark | None:
    change = change_of(message, later)
    if change is None:
        return None
    return "deleted later" if isinstance(change.content, DeletionContent) else "edited later"


def _read_together(messages: Sequence[Message], turns: Sequence[PastTurn]) -> list[list[Message]]:
    """The messages of each turn, and between turns those that a person saw at once: up to an answer of theirs."""
    groups: list[list[Message]] = []
    last: object = None
    for message in messages:
        turn = next((turn.hi for turn in turns if turn.lo <= message.seq <= turn.hi), None)
        after_a_person = bool(groups) and turn is None and groups[-1][-1].author == "owner"
        if not groups or turn != last or after_a_person:
            groups.append([])
        groups[-1].append(message)
        last = turn
    return groups


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
