"""Each constraint of a scenario can fail, and says what was found instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue

from functions.shared.leads import Lead, Note
from kesher.chat_state import Booked, ChatState
from kesher.evaluation import judge
from kesher.evaluation.scenario import Expect, Left, LeftLead
from kesher.evaluation.stage import Answered, Called

FREE = Called("find_free_slots", '{"day": "2026-11-24", "service": "haircut"}', "{}")
BOOK = Called("book_appointment", '{"start": "2026-11-24T10:00", "service": "haircut"}', "{}")
ANSWER = Answered(["Booked for Tuesday at 10:00, ₪80"], "answered", "booking", [FREE, BOOK])
STATE = ChatState(
    bookings=[Booked(datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Asia/Jerusalem")), "haircut")],
    outbox=[],
    epoch=0,
    assistant="on",
    waiting=0,
    needs_person="the customer asked for a person",
    lead=Lead(
        stage="hot", notes=(Note(0, "Wants an offer for a wedding"),), tags=("Haircut",), next_step="Send an offer"
    ),
    facts=["is called Dana"],
    follow_ups=[datetime(2026, 11, 29, 10, tzinfo=ZoneInfo("Asia/Jerusalem"))],
    owner_told=["A hot lead: Dana."],
)


def of_answer(expect: dict[str, JsonValue], answered: Answered = ANSWER) -> list[str]:
    return judge.of_answer(Expect.model_validate(expect), answered, stand_in=True)


@pytest.mark.parametrize(
    "expect",
    [
        {},
        {"outcome": "answered", "intent": ["price", "booking"], "language": "en"},
        {"says": ["tuesday", ["11:00", "10:00"]], "says_not": ["Monday"], "links": []},
        {"tools": ["find_free_slots", {"name": "book_appointment", "arguments": {"service": "haircut"}}]},
        {"tools": ["book_appointment", "find_free_slots"]},
        {"tools": ["find_free_slots", "book_appointment"], "in_order": True},
        {"not_tools": ["cancel_appointment"]},
    ],
)
def test_what_is_so_passes(expect: dict[str, JsonValue]) -> None:
    assert of_answer(expect) == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({"answered": False}, "an answer came, none is expected"),
        ({"outcome": ["opted_out", "silent"]}, "outcome: opted_out or silent expected, it is answered"),
        ({"intent": "price"}, "intent: price expected, it is booking"),
        ({"language": "he"}, "language: he expected, it is en"),
        ({"says": [["Monday", "Sunday"]]}, "says: 'Monday' or 'Sunday' is missing"),
        ({"stand_in_says": ["demo"]}, "says: 'demo' is missing"),
        ({"says_not": ["booked"]}, "says: 'booked' must not be said"),
        ({"links": ["https://ron.example"]}, "links: https://ron.example expected, there are none"),
        ({"tools": ["cancel_appointment"]}, "tools: cancel_appointment() is not called; called: find_free_slots(day="),
        ({"tools": [{"name": "book_appointment", "arguments": {"service": "beard"}}]}, "tools: book_appointment("),
        ({"tools": ["book_appointment", "find_free_slots"], "in_order": True}, "tools: find_free_slots() is not call"),
        ({"not_tools": ["book_appointment"]}, "tools: book_appointment must not be called"),
    ],
)  # fmt: skip
def test_what_is_not_so_is_said(expect: dict[str, JsonValue], said: str) -> None:
    (wrong,) = of_answer(expect)
    assert wrong.startswith(said)


def test_a_link_that_nobody_expects_is_wrong_and_silence_too() -> None:
    assert of_answer({}, Answered(["see https://evil.example/x"])) == [
        "links: none expected, there are https://evil.example/x"
    ]
    assert of_answer({}, Answered([])) == ["an answer is expected, there is none"]


def test_words_of_the_stand_in_are_not_asked_of_a_model() -> None:
    assert judge.of_answer(Expect(stand_in_says=("demo",)), ANSWER, stand_in=False) == []


def test_an_assistant_that_failed_passes_nowhere_unless_that_is_expected() -> None:
    failed = Answered(["A person will answer"], "handed_over")
    assert judge.of_answer(None, failed, stand_in=True) == ["the assistant failed, and a person was called"]
    assert of_answer({"outcome": "handed_over"}, failed) == []


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ({"bookings": []}, "bookings: none expected, there are haircut 2026-11-24 10:00"),
        ({"bookings": ["beard 2026-11-24 10:00"]}, "bookings: beard"),
        ({"person": False}, "person: none is to be called"),
        ({"person": ["hours old"]}, "person: 'hours old' is expected as the reason"),
        ({"lead": "new"}, "lead.stage: new expected, it is hot"),
        ({"lead": {"source": "website"}}, "lead.source: website expected, it is whatsapp"),
        ({"lead": {"notes": ["funeral"]}}, "lead.notes: 'funeral' is missing; there are 'Wants an offer"),
        ({"lead": {"tags": []}}, "lead.tags: none expected, there are 'Haircut'"),
        (
            {"lead": {"next_step": ["call", "visit"]}},
            "lead.next_step: 'call' or 'visit' expected, it is 'Send an offer'",
        ),
        ({"facts": [["Gil", "Noam"]]}, "facts: 'Gil' or 'Noam' is missing; there are 'is called Dana'"),
        ({"facts": []}, "facts: none expected, there are 'is called Dana'"),
        ({"follow_ups": []}, "follow_ups: none expected, there are 2026-11-29 10:00"),
        ({"owner_told": ["late"]}, "owner_told: 'late' is missing; there are 'A hot lead: Dana.'"),
        ({"assistant": "paused"}, "assistant: paused expected, it is on"),
        ({"waiting": 1}, "waiting: 1 expected, it is 0"),
    ],
)
def test_what_the_tables_hold_otherwise_is_said(left: dict[str, JsonValue], said: str) -> None:
    (wrong,) = judge.of_tables(Left.model_validate(left), STATE)
    assert wrong.startswith(said)


def test_what_the_tables_hold_as_expected_passes() -> None:
    left = Left.model_validate(
        {"bookings": ["haircut 2026-11-24 10:00"], "person": ["asked"], "lead": "hot", "assistant": "on", "waiting": 0}
    )
    assert judge.of_tables(left, STATE) == []
    known = {
        "lead": {"stage": "hot", "notes": ["WEDDING"], "tags": ["haircut"], "next_step": "offer", "source": "whatsapp"},
        "facts": [["is named", "is called dana"]],
        "follow_ups": ["2026-11-29 10:00"],
        "owner_told": ["hot lead"],
    }
    assert judge.of_tables(Left.model_validate(known), STATE) == []
    assert judge.of_tables(Left(lead=LeftLead(notes=())), replace(STATE, lead=None)) == []
    assert judge.of_tables(left, None) == ["the customer has no chat"]
