"""The calendar's tools: they look and they stage, and they tell the model what to do when something cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.agent.calendar import booking, free_times
from functions.agent.calendar.store import HOLD_MS, Book, Cancel
from functions.agent.context import ToolContext
from functions.agent.knowledge import questions
from functions.agent.tools.results import Appointments, Booked, Cancelled, Free, NotPossible, Outcome
from functions.shared.examples import dental_clinic
from functions.shared.profile import Language, Service
from tests.unit.agent.fakes import NOON, Rows
from tests.unit.agent.support import BARBER, context_of

TEN = "2026-11-24T10:00"


def commit(context: ToolContext, rows: Rows) -> None:
    for effect in context.staging.of(Book):
        rows.booked.update(dict.fromkeys(effect.appointment.cells, effect.appointment.booking_id))
        mine = rows.appointments.setdefault(effect.conversation_id, {})
        mine[effect.appointment.booking_id] = effect.appointment


def refused(outcome: Outcome) -> NotPossible:
    assert isinstance(outcome, NotPossible)
    assert outcome.advice
    return outcome


def test_booking_stages_an_effect_and_says_the_time_back() -> None:
    context = context_of()
    booked = booking.book(context, TEN, "haircut")
    assert isinstance(booked, Booked)
    assert booked.spoken == "Tuesday, 24 November 2026 at 10:00"
    [effect] = context.staging.of(Book)
    assert effect.appointment.booking_id == booked.booking_id
    assert len(effect.appointment.cells) == 2


def test_what_is_said_back_is_in_the_customers_language() -> None:
    booked = booking.book(context_of(language="he"), TEN, "תספורת")
    assert isinstance(booked, Booked)
    assert (booked.service, booked.spoken) == ("תספורת", "יום שלישי, 24 בנובמבר 2026, בשעה 10:00")


def test_until_the_commit_others_see_a_hold_and_after_its_end_nothing() -> None:
    rows = Rows()
    booking.book(context_of(rows=rows), TEN, "haircut")
    other = context_of(rows=rows, conversation_id="c2", turn_id="t2")
    taken = refused(booking.book(other, TEN, "haircut"))
    assert taken.reason == "taken"
    assert [near.start for near in taken.nearest] == ["2026-11-24T09:15", "2026-11-24T09:30", "2026-11-24T10:30"]

    later = replace(other, now=other.now + timedelta(milliseconds=HOLD_MS + 1))
    assert isinstance(booking.book(later, TEN, "haircut"), Booked)


def test_a_repeated_turn_takes_over_the_hold_of_its_dead_predecessor() -> None:
    rows = Rows()
    booking.book(context_of(rows=rows, turn_id="dead"), TEN, "haircut")
    assert isinstance(booking.book(context_of(rows=rows, turn_id="again"), TEN, "haircut"), Booked)


def test_the_same_booking_twice_in_a_turn_is_one() -> None:
    context = context_of()
    first, second = booking.book(context, TEN, "haircut"), booking.book(context, TEN, "haircut")
    assert first == second
    assert len(context.staging.all()) == 1


def test_what_this_turn_has_booked_is_free_for_nothing_else() -> None:
    context = context_of()
    booking.book(context, TEN, "haircut")
    free = free_times.find_free(context, "2026-11-24", "haircut")
    assert isinstance(free, Free)
    assert [(s.first, s.last) for s in free.days[0].starts] == [("09:00", "09:30"), ("10:30", "18:30")]


def test_a_customer_cannot_be_in_two_chairs_at_once() -> None:
    clinic = dental_clinic()
    context = context_of(clinic)
    assert isinstance(booking.book(context, TEN, "checkup"), Booked)
    overlapping = refused(booking.book(context, "2026-11-24T10:15", "cleaning"))
    assert overlapping.reason == "already_booked"
    assert "Check-up, Tuesday, 24 November 2026 at 10:00" in overlapping.advice


def test_two_rooms_take_two_customers_and_no_third() -> None:
    clinic, rows = dental_clinic(), Rows()
    outcomes = [booking.book(context_of(clinic, rows=rows, conversation_id=f"c{i}"), TEN, "checkup") for i in range(3)]
    assert [outcome.outcome for outcome in outcomes] == ["booked", "booked", "not_possible"]


@pytest.mark.parametrize(
    ("start", "service", "reason"),
    [
        (TEN, "massage", "unknown_service"),
        ("next tuesday", "haircut", "bad_time"),
        ("2026-11-24T10:10", "haircut", "bad_time"),
        ("2026-11-24", "haircut", "closed"),
        ("2026-11-22T11:45", "haircut", "past"),
        ("2027-06-01T10:00", "haircut", "too_far"),
        ("2026-11-28T10:00", "haircut", "closed"),
        ("2026-11-24T18:45", "haircut", "closed"),
        ("2026-11-24T08:45", "haircut", "closed"),
    ],
)
def test_what_cannot_be_booked_is_a_value_with_a_reason(start: str, service: str, reason: str) -> None:
    context = context_of()
    assert refused(booking.book(context, start, service)).reason == reason
    assert context.staging.all() == []


def test_a_local_time_that_does_not_exist_cannot_be_booked() -> None:
    night = BARBER.model_copy(update={"hours": {}})
    spring = context_of(night, now=NOON.replace(year=2027, month=3, day=20))
    assert refused(booking.book(spring, "2027-03-26T02:30", "haircut")).reason == "bad_time"


def test_a_time_with_an_offset_means_that_moment() -> None:
    booked = booking.book(context_of(), "2026-11-24T08:00:00+00:00", "haircut")
    assert isinstance(booked, Booked)
    assert booked.start == TEN


def test_free_times_are_stretches_without_what_is_held_or_booked() -> None:
    rows = Rows()
    booking.book(context_of(rows=rows), TEN, "haircut")
    free = free_times.find_free(context_of(rows=rows, conversation_id="c2"), "2026-11-24", "haircut")
    assert isinstance(free, Free)
    [day] = free.days
    assert day.spoken == "Tuesday, 24 November 2026"
    assert [(s.first, s.last) for s in day.starts] == [("09:00", "09:30"), ("10:30", "18:30")]


def test_without_a_day_the_next_three_days_with_room_are_offered() -> None:
    context = context_of(now=NOON.replace(day=26, hour=18))  # Thursday 20:00, after closing
    free = free_times.find_free(context, None, "haircut")
    assert isinstance(free, Free)
    assert [day.day for day in free.days] == ["2026-11-27", "2026-11-29", "2026-11-30"]


@pytest.mark.parametrize(
    ("day", "reason"),
    [("2026-11-28", "closed"), ("2026-11-21", "past"), ("2027-11-01", "too_far"), ("soon", "bad_time")],
)
def test_a_day_without_free_times_says_why(day: str, reason: str) -> None:
    assert refused(free_times.find_free(context_of(), day, "haircut")).reason == reason


def test_a_full_day_brings_the_next_free_ones() -> None:
    rows = Rows()
    whole = Service(id="party", names={"en": ("Party",)}, minutes=600, price=0, currency="ILS")
    profile = BARBER.model_copy(update={"services": (*BARBER.services, whole)})
    assert isinstance(booking.book(context_of(profile, rows=rows), "2026-11-24T09:00", "party"), Booked)
    full = refused(free_times.find_free(context_of(profile, rows=rows, conversation_id="c2"), "2026-11-24", "haircut"))
    assert full.reason == "full"
    assert [near.start[:10] for near in full.nearest] == ["2026-11-25", "2026-11-26"]


def test_a_business_that_never_opens_has_nothing_free() -> None:
    never = context_of(BARBER.model_copy(update={"hours": {}}))
    assert refused(free_times.find_free(never, None, "haircut")).reason == "full"


def test_cancelling_stages_and_the_list_shows_what_will_be() -> None:
    rows = Rows()
    before = context_of(rows=rows)
    booked = booking.book(before, TEN, "haircut")
    assert isinstance(booked, Booked)
    commit(before, rows)

    context = context_of(rows=rows, turn_id="t2")
    assert [a.booking_id for a in booking.listed(context).appointments] == [booked.booking_id]
    assert isinstance(booking.cancel(context, booked.booking_id), Cancelled)
    assert booking.listed(context) == Appointments(appointments=[])
    assert isinstance(booking.cancel(context, booked.booking_id), Cancelled), "once more is no error"
    [effect] = context.staging.of(Cancel)
    assert effect.appointment.booking_id == booked.booking_id


def test_a_booking_of_this_turn_that_is_cancelled_is_never_made() -> None:
    context = context_of()
    booked = booking.book(context, TEN, "haircut")
    assert isinstance(booked, Booked)
    assert isinstance(booking.cancel(context, booked.booking_id), Cancelled)
    assert context.staging.all() == []


def test_another_customers_appointment_does_not_exist() -> None:
    rows = Rows()
    theirs = context_of(rows=rows, conversation_id="victim")
    booked = booking.book(theirs, TEN, "haircut")
    assert isinstance(booked, Booked)
    commit(theirs, rows)
    mine = context_of(rows=rows)
    assert refused(booking.cancel(mine, booked.booking_id)).reason == "not_found"
    assert booking.listed(mine).appointments == []


def test_more_than_one_transaction_can_hold_is_refused_before_it_is_staged() -> None:
    long = Service(id="day", names={"en": ("All day",)}, minutes=600, price=0, currency="ILS")
    context = context_of(BARBER.model_copy(update={"services": (long,)}))
    assert isinstance(booking.book(context, "2026-11-24T09:00", "day"), Booked)
    assert isinstance(booking.book(context, "2026-11-25T09:00", "day"), Booked)
    assert refused(booking.book(context, "2026-11-26T09:00", "day")).reason == "too_many"


def test_what_no_transaction_can_hold_is_asked_of_a_person_and_not_put_off() -> None:
    long = Service(id="day", names={"en": ("All day",)}, minutes=600, price=0, currency="ILS")
    long = long.model_copy(update={"buffer_before": 240, "buffer_after": 240})
    rooms = BARBER.model_copy(
        update={
            "services": (long,),
            "languages": ("en", "he"),
            "owner_numbers": ("+972501111111", "+972501111112", "+972501111113"),
            "appointment_files": True,
        }
    )
    context = context_of(rooms)
    assert refused(booking.book(context, "2026-11-24T09:00", "day")).reason == "too_long"
    assert context.staging.all() == []
    assert "to book: All day, Tuesday, 24 November 2026 at 09:00" in (questions.attention(context) or "")


def test_the_owner_reads_what_is_wanted_with_an_appointment_in_the_business_s_language() -> None:
    names: dict[Language, tuple[str, ...]] = {"he": ("יום שלם",), "en": ("All day",)}
    long = Service(id="day", names=names, minutes=600, buffer_before=240, buffer_after=240, price=0, currency="ILS")
    short = BARBER.services[0]
    owners = ("+972501111111", "+972501111112", "+972501111113")
    rooms = BARBER.model_copy(
        update={
            "services": (short, long),
            "languages": ("he", "en"),
            "owner_numbers": owners,
            "appointment_files": True,
        }
    )
    rows = Rows()
    booking.book(context := context_of(rooms, rows=rows), TEN, short.id)
    commit(context, rows)
    [known] = booking.appointments(context_of(rooms, rows=rows))

    moving = context_of(rooms, rows=rows, turn_id="t2")
    assert refused(booking.move(moving, known.booking_id, "2026-11-25T09:00", "day")).reason == "too_long"
    assert moving.staging.questions == [
        "להזיז תור: תספורת, יום שלישי, 24 בנובמבר 2026, בשעה 10:00; "
        "למועד: יום שלם, יום רביעי, 25 בנובמבר 2026, בשעה 09:00"
    ]
    whole_day = replace(known, service_id="day", busy_until=known.busy_from + timedelta(hours=18))
    rows.appointments[moving.conversation_id][known.booking_id] = whole_day
    cancelling = context_of(rooms, rows=rows, turn_id="t3")
    assert refused(booking.cancel(cancelling, known.booking_id)).reason == "too_long"
    assert cancelling.staging.questions == ["לבטל תור: יום שלם, יום שלישי, 24 בנובמבר 2026, בשעה 10:00"]
