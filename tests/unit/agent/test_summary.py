"""A long conversation is summed up beside the turn, and nothing is lost when that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.agent.memory import history, summary
from functions.shared.contracts import MessageId, TextContent
from functions.shared.conversation import Message, PastTurn, Summary, TurnId
from tests.unit.agent.doubles import Watched
from tests.unit.agent.support import BARBER, Phone

LONG = "אני רוצה לספר בהרחבה על כל מה שחשוב לי בתספורת הבאה שלי אצלכם. " * 8


async def good(_said: str) -> str:
    return "Dana prefers mornings."


async def failing(_said: str) -> str:
    raise ConnectionError("gone")


async def hanging(_said: str) -> str:
    await asyncio.Event().wait()
    return ""


def talk_long(model: Watched, turns: int) -> Phone:
    phone = Phone(model=model)
    for number in range(turns):
        phone.send(f"{LONG} {number}")
        phone.clock.now = phone.clock.now.replace(minute=number)
    return phone


def test_the_turn_that_sums_up_sees_everything_and_the_next_one_the_notes() -> None:
    asked: list[str] = []

    async def notes(said: str) -> str:
        asked.append(said)
        return await good(said)

    model = Watched(BARBER, notes=notes)
    phone = talk_long(model, 20)
    kept = [turn.summary for turn in phone.store.chat().turns]
    first = next(number for number, one in enumerate(kept) if one)
    assert kept[first] is not None
    _, before = model.seen[first]
    _, after = model.seen[first + 1]
    assert str(before[0]).count("[What was said earlier") == 0
    assert after[0] == {"role": "user", "content": f"{history.SUMMARY} Dana prefers mornings.]"}
    assert len(after) < len(before)
    assert "Notes so far: none" in asked[0]
    assert phone.store.chat().turns[first].usage["summary"] == {"input_tokens": 900, "output_tokens": 80}


def test_later_notes_are_made_of_the_earlier_ones_and_each_turn_hands_them_on() -> None:
    asked: list[str] = []

    async def notes(said: str) -> str:
        asked.append(said)
        return await good(said)

    phone = talk_long(Watched(BARBER, notes=notes), 40)
    assert any("Notes so far: Dana prefers mornings." in one for one in asked)
    kept = [turn.summary for turn in phone.store.chat().turns]
    first = next(number for number, one in enumerate(kept) if one)
    assert all(kept[first:])
    assert [one.upto for one in kept[first:] if one] == sorted(one.upto for one in kept[first:] if one)


@pytest.mark.parametrize("notes", [failing, hanging])
def test_notes_that_fail_or_hang_cost_the_customer_nothing(
    notes: Callable[[str], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "GRACE_S", 0.01)
    phone = talk_long(Watched(BARBER, notes=notes), 20)
    chat = phone.store.chat()
    assert len(chat.replies) == 20
    assert not any(turn.summary for turn in chat.turns)


def test_the_stand_in_sums_nothing_up() -> None:
    phone = Phone()
    for number in range(20):
        phone.send(f"{LONG} {number}")
        phone.clock.now = phone.clock.now.replace(minute=number)
    assert not any(turn.summary for turn in phone.store.chat().turns)


def past(lo: int, text: str) -> PastTurn:
    items: list[Any] = [{"role": "user", "content": text}, {"role": "assistant", "content": "ok"}]
    return PastTurn(lo, lo, TurnId(f"t{lo}"), items, [], {}, 0, 0)


@given(lengths=st.lists(st.integers(min_value=1, max_value=3_000), max_size=20), old=st.booleans())
def test_after_summing_up_the_rest_is_short_and_nothing_is_between_notes_and_rest(
    lengths: list[int], old: bool
) -> None:
    turns = [past(number, "word " * (length // 5)) for number, length in enumerate(lengths, start=1)]
    todo = summary.overflow(turns, [])
    if todo is None:
        assert sum(block.tokens for block in history.blocks(turns, [])) <= summary.BEGIN_AT
        return
    done = [*turns[:-1], PastTurn(**{**fields(turns[-1]), "summary": Summary("notes", todo.upto)})]
    left = history.blocks(done, [])
    assert [block.lo for block in todo.blocks] + [block.lo for block in left] == [turn.lo for turn in turns]
    assert sum(block.tokens for block in left) <= summary.KEEP


def fields(turn: PastTurn) -> dict[str, Any]:
    return {name: getattr(turn, name) for name in PastTurn.__slots__}


def test_a_message_that_a_person_answered_is_summed_up_too() -> None:
    spoken = [
        Message(number, MessageId(f"M{number}"), "customer", TextContent(text=LONG), 0, 0, 0, "c")
        for number in range(1, 40)
    ]
    todo = summary.overflow([], spoken)
    assert todo is not None
    assert todo.blocks[0].items[0]["role"] == "user"
