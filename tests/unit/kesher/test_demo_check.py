"""The demo believes no text: what it judges a step by is in the tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from kesher.chat_state import Booked, ChatState, Outgoing
from kesher.demo.check import differences
from kesher.demo.script import DANA, STEPS, After, Appointment, Step

TODAY = date(2026, 11, 22)
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Jerusalem"))
STEP = Step(DANA, ("Tuesday at 10",), "booked", After((Appointment("haircut", "tuesday", "10:00"),), epoch=2))
GOOD = ChatState(
    bookings=[Booked(TUESDAY, "haircut")],
    outbox=[Outgoing("OUT#1", "assistant", "Booked", "READ")],
    epoch=2,
    assistant="on",
    waiting=0,
    needs_person=None,
    lead=None,
)


def test_a_step_that_left_what_it_should_is_right() -> None:
    assert differences(STEP, GOOD, 1, TODAY) == []


@pytest.mark.parametrize(
    ("state", "named"),
    [
        (replace(GOOD, bookings=[]), "bookings"),
        (replace(GOOD, bookings=[*GOOD.bookings, Booked(TUESDAY, "beard")]), "bookings"),
        (replace(GOOD, bookings=[Booked(TUESDAY, "beard")]), "bookings"),
        (replace(GOOD, bookings=[Booked(TUESDAY.replace(hour=11), "haircut")]), "bookings"),
        (replace(GOOD, bookings=[Booked(TUESDAY.replace(day=25), "haircut")]), "bookings"),
        (replace(GOOD, bookings=[Booked(TUESDAY.replace(month=12, day=1), "haircut")]), "bookings"),
        (replace(GOOD, outbox=[]), "outbox"),
        (replace(GOOD, outbox=[replace(GOOD.outbox[0], state="SENDING")]), "outbox"),
        (replace(GOOD, epoch=1), "epoch"),
        (replace(GOOD, assistant="paused"), "assistant"),
        (replace(GOOD, waiting=1), "waiting"),
        (replace(GOOD, needs_person="the customer asked for a person"), "a person"),
    ],
)
def test_every_fact_that_is_off_is_named(state: ChatState, named: str) -> None:
    (difference,) = differences(STEP, state, 1, TODAY)
    assert difference.startswith(named)


def test_the_script_shows_each_ability_in_both_languages() -> None:
    shown = {
        step.customer: {word for one in STEPS if one.customer == step.customer for word in one.shows.split()}
        for step in STEPS
    }
    for words in shown.values():
        assert {"cancelled"} <= words
        assert {"booked"} & words
        assert {"moved", "moved,"} & words
