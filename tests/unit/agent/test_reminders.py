"""Reminders are made, moved and dropped by the commit that books, moves or cancels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.agent.calendar import booking, reminders
from functions.agent.context import ToolContext
from functions.agent.tools.results import Booked, Moved
from functions.shared.contracts import ConversationId
from functions.shared.profile import BusinessProfile, Language
from functions.shared.profile_parts import Reminders
from functions.shared.scheduled import Reminder, Scheduled
from tests.unit.agent.fakes import Rows, commit_effects
from tests.unit.agent.support import BARBER, JERUSALEM, context_of

TWO_YEARS = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-31")
TEN = "2026-11-26T10:00"
TWICE = BARBER.model_copy(update={"reminders": Reminders(minutes_before=(24 * 60, 120))})


def committed(context: ToolContext, rows: Rows) -> list[Scheduled]:
    """What waits once the turn has committed, in order of time."""
    commit_effects(rows, [*context.staging.all(), *reminders.effects(context)])
    return sorted(rows.scheduled.get(ConversationId("c1"), {}).values(), key=lambda message: message.due_at)


def booked(
    profile: BusinessProfile, rows: Rows, start: str = TEN, language: Language = "en"
) -> tuple[str, list[Scheduled]]:
    context = context_of(profile, rows=rows, language=language)
    made = booking.book(context, start, "haircut")
    assert isinstance(made, Booked)
    return made.booking_id, committed(context, rows)


def times(waiting: list[Scheduled]) -> list[str]:
    found = [datetime.fromtimestamp(message.due_at / 1000, UTC).astimezone(JERUSALEM) for message in waiting]
    return [f"{due:%Y-%m-%dT%H:%M}" for due in found]


def test_a_booking_brings_its_reminders() -> None:
    booking_id, [day_before, two_hours] = booked(TWICE, Rows())
    assert times([day_before, two_hours]) == ["2026-11-25T10:00", "2026-11-26T08:00"]
    start = int(datetime.fromisoformat(TEN).replace(tzinfo=JERUSALEM).timestamp() * 1000)
    assert day_before.what == Reminder(booking_id, start)
    assert start - day_before.useful_until == 15 * 60_000, "before the appointment, never after it"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "en",
            "A reminder from מספרת רון: Haircut, Thursday, 26 November 2026 at 10:00."
            " To move or cancel it, just answer here.",
        ),
        (
            "he",
            "תזכורת מאת מספרת רון: תספורת, יום חמישי, 26 בנובמבר 2026, בשעה 10:00."
            " לשינוי או לביטול אפשר פשוט לענות כאן.",
        ),
    ],
)
def test_a_reminder_says_weekday_date_and_time_in_the_customers_language(language: Language, text: str) -> None:
    _, [reminder] = booked(BARBER, Rows(), language=language)
    assert reminder.text == text
    assert reminder.about == "תזכורת אל Dana: תספורת, יום חמישי, 26 בנובמבר 2026, בשעה 10:00", "in the owner's"


def test_the_owners_note_is_said_with_it() -> None:
    noted = BARBER.model_copy(update={"reminders": Reminders(note={"en": "Please come\nwith dry hair."})})
    _, [reminder] = booked(noted, Rows())
    assert "at 10:00. Please come with dry hair. To move" in reminder.text


def test_an_appointment_of_today_brings_none_that_is_past_or_at_once() -> None:
    assert times(booked(TWICE, Rows(), "2026-11-22T17:00")[1]) == ["2026-11-22T15:00"]
    assert booked(TWICE, Rows(), "2026-11-22T14:30")[1] == []


def test_a_moved_appointments_reminders_move_and_those_without_a_time_are_gone() -> None:
    rows = Rows()
    booking_id, before = booked(TWICE, rows)
    context = context_of(TWICE, rows=rows, turn_id="t2")
    assert isinstance(booking.move(context, booking_id, "2026-11-22T17:00"), Moved)
    [left] = committed(context, rows)
    assert times([left]) == ["2026-11-22T15:00"]
    assert left.name == before[1].name, "the same row, for the new time"
    assert "Sunday, 22 November 2026 at 17:00" in left.text


def test_a_cancelled_appointment_has_none() -> None:
    rows = Rows()
    booking_id, _ = booked(TWICE, rows)
    context = context_of(TWICE, rows=rows, turn_id="t2")
    booking.cancel(context, booking_id)
    assert committed(context, rows) == []


def test_what_was_booked_and_cancelled_in_one_turn_leaves_nothing() -> None:
    context = context_of(TWICE)
    made = booking.book(context, TEN, "haircut")
    assert isinstance(made, Booked)
    booking.cancel(context, made.booking_id)
    assert reminders.effects(context) == []


def test_a_business_without_reminders_has_none() -> None:
    assert booked(BARBER.model_copy(update={"reminders": Reminders(minutes_before=())}), Rows())[1] == []


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-03-27T10:00", 24 * 60, "2026-03-26T10:00"),
        ("2026-03-27T10:00", 12 * 60, "2026-03-26T21:00"),
        ("2026-10-25T10:00", 24 * 60, "2026-10-24T10:00"),
        ("2026-10-25T10:00", 12 * 60, "2026-10-24T23:00"),
        ("2026-03-28T02:30", 24 * 60, "2026-03-27T03:30"),
    ],
)
def test_days_count_on_the_clock_and_hours_as_they_elapse(start: str, minutes: int, due: str) -> None:
    """The clocks of Israel go forward on 27 March 2026 at 2:00, and back on 25 October at 2:00."""
    begins = datetime.fromisoformat(start).replace(tzinfo=JERUSALEM)
    assert f"{reminders.due_at(BARBER, begins, minutes).astimezone(JERUSALEM):%Y-%m-%dT%H:%M}" == due


@given(st.datetimes(*TWO_YEARS), st.integers(30, 14 * 24 * 60))
def test_a_reminder_is_always_before_its_appointment(start: datetime, minutes: int) -> None:
    begins = start.replace(tzinfo=UTC)
    early = begins - reminders.due_at(BARBER, begins, minutes)
    assert timedelta(minutes=minutes - 60) <= early <= timedelta(minutes=minutes + 60)
