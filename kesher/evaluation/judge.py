"""What of an answer or of the tables is not as a scenario expects it, said for a person. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from functions.agent.language import speech
from functions.shared.leads import Lead
from kesher.chat_state import ChatState
from kesher.evaluation.scenario import Expect, Left, LeftLead, ToolCall
from kesher.evaluation.stage import Answered, Called

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+")


def of_answer(expect: Expect | None, answered: Answered, *, stand_in: bool) -> list[str]:
    """Of one step. That the assistant failed is wrong wherever it is not expected by its outcome."""
    if answered.outcome == "handed_over" and "handed_over" not in (expect.outcome if expect else ()):
        return ["the assistant failed, and a person was called"]
    return list(_of_answer(expect, answered, stand_in=stand_in)) if expect else []


def of_tables(left: Left, state: ChatState | None) -> list[str]:
    """Of one customer at the end."""
    if state is None:
        return ["the customer has no chat"]
    return list(_of_tables(left, state))


def _of_answer(expect: Expect, answered: Answered, *, stand_in: bool) -> Iterator[str]:
    text = "\n".join(answered.texts)
    if expect.answered != bool(answered.texts):
        yield "an answer is expected, there is none" if expect.answered else "an answer came, none is expected"
    for name, wanted, found in (
        ("outcome", expect.outcome, answered.outcome),
        ("intent", expect.intent, answered.intent),
    ):
        if wanted and found not in wanted:
            yield f"{name}: {' or '.join(wanted)} expected, it is {found}"
    if expect.language and text and (language := speech.language_of([text], expect.language)) != expect.language:
        yield f"language: {expect.language} expected, it is {language}"
    yield from _of_words(expect, text, stand_in=stand_in)
    yield from _of_calls(expect, answered.tools)


def _of_words(expect: Expect, text: str, *, stand_in: bool) -> Iterator[str]:
    for alternatives in (*expect.says, *(((one,) for one in expect.stand_in_says) if stand_in else ())):
        if not _contains(text, alternatives):
            yield f"says: {' or '.join(map(repr, alternatives))} is missing"
    for one in expect.says_not:
        if _contains(text, [one]):
            yield f"says: {one!r} must not be said"
    links = sorted(set(_LINK.findall(text)))
    if links != sorted(expect.links or ()):
        yield f"links: {', '.join(expect.links or ()) or 'none'} expected, there are {', '.join(links) or 'none'}"


def _of_calls(expect: Expect, calls: Sequence[Called]) -> Iterator[str]:
    at = 0
    for wanted in expect.tools:
        fitting = [number for number, call in enumerate(calls) if number >= at and _fits(wanted, call)]
        if not fitting:
            behind = " behind those before it" if expect.in_order and at else ""
            yield f"tools: {_shown(wanted.name, wanted.arguments)} is not called{behind}; called: {_all(calls)}"
        elif expect.in_order:
            at = fitting[0] + 1
    for name in expect.not_tools:
        if any(call.name == name for call in calls):
            yield f"tools: {name} must not be called; called: {_all(calls)}"


def _fits(wanted: ToolCall, call: Called) -> bool:
    given = json.loads(call.arguments or "{}")
    return call.name == wanted.name and all(given.get(name) == value for name, value in wanted.arguments.items())


def _shown(name: str, arguments: Mapping[str, JsonValue]) -> str:
    return f"{name}({', '.join(f'{key}={value}' for key, value in arguments.items())})"


def _all(calls: Sequence[Called]) -> str:
    return ", ".join(_shown(call.name, json.loads(call.arguments or "{}")) for call in calls) or "nothing"


def _of_tables(left: Left, state: ChatState) -> Iterator[str]:
    if left.bookings is not None and (found := [str(booked) for booked in state.bookings]) != list(left.bookings):
        yield f"bookings: {', '.join(left.bookings) or 'none'} expected, there are {', '.join(found) or 'none'}"
    if isinstance(left.person, bool) and left.person != (state.needs_person is not None):
        yield f"person: {'one' if left.person else 'none'} is to be called; the reason is {state.needs_person!r}"
    elif isinstance(left.person, tuple) and not any(one in (state.needs_person or "") for one in left.person):
        yield f"person: {' or '.join(left.person)!r} is expected as the reason; it is {state.needs_person!r}"
    yield from _holds("facts", left.facts, state.facts)
    yield from _holds("owner_told", left.owner_told, state.owner_told)
    times = [f"{due:%Y-%m-%d %H:%M}" for due in state.follow_ups]
    if left.follow_ups is not None and times != list(left.follow_ups):
        yield f"follow_ups: {', '.join(left.follow_ups) or 'none'} expected, there are {', '.join(times) or 'none'}"
    if left.lead is not None:
        yield from _of_lead(left.lead, state.lead or Lead())
    for name, wanted, actual in (
        ("assistant", left.assistant, state.assistant),
        ("waiting", left.waiting, state.waiting),
    ):
        if wanted is not None and wanted != actual:
            yield f"{name}: {wanted} expected, it is {actual}"


def _of_lead(due: LeftLead, lead: Lead) -> Iterator[str]:
    for name, wanted, actual in (("stage", due.stage, lead.stage), ("source", due.source, lead.source)):
        if wanted is not None and wanted != actual:
            yield f"lead.{name}: {wanted} expected, it is {actual}"
    yield from _holds("lead.notes", due.notes, [note.text for note in lead.notes])
    yield from _holds("lead.tags", due.tags, lead.tags)
    if due.next_step is not None and not _contains(lead.next_step or "", due.next_step):
        yield f"lead.next_step: {' or '.join(map(repr, due.next_step))} expected, it is {lead.next_step!r}"


def _holds(name: str, wanted: Sequence[Sequence[str]] | None, found: Sequence[str]) -> Iterator[str]:
    """Each of `wanted` is a part of one of `found`; an empty list wants none."""
    there = "; ".join(map(repr, found)) or "none"
    if wanted is not None and not wanted and found:
        yield f"{name}: none expected, there are {there}"
    for alternatives in wanted or ():
        if not any(_contains(text, alternatives) for text in found):
            yield f"{name}: {' or '.join(map(repr, alternatives))} is missing; there are {there}"


def _contains(text: str, alternatives: Sequence[str]) -> bool:
    return any(one.casefold() in text.casefold() for one in alternatives)
