"""Moving an appointment, second appointments at one time, and the limits of a customer."""

from __future__ import annotations

from functions.agent.calendar import booking, free_times
from functions.agent.calendar.store import Book, Cancel, Move
from functions.agent.context import ToolContext
from functions.agent.tools.results import Booked, Cancelled, Free, Moved, NotPossible, Outcome
from functions.shared.examples import dental_clinic
from functions.shared.profile import BusinessProfile
from tests.unit.agent.fakes import NOON, Rows, commit_effects
from tests.unit.agent.support import BARBER, Phone, context_of

TEN, ELEVEN = "2026-11-24T10:00", "2026-11-24T11:00"


def refused(outcome: Outcome) -> NotPossible:
    assert isinstance(outcome, NotPossible)
    return outcome


def booked(rows: Rows, start: str = TEN, *, profile: BusinessProfile = BARBER, service: str = "haircut") -> str:
    """An appointment of the customer c1, committed; its id."""
    context = context_of(profile, rows=rows, turn_id="before")
    made = booking.book(context, start, service)
    assert isinstance(made, Booked)
    commit_effects(rows, context.staging.all())
    return made.booking_id


def starts(context: ToolContext) -> list[str]:
    return [one.start for one in booking.listed(context).appointments]


def limited(**limits: int) -> BusinessProfile:
    return BARBER.model_copy(update={"limits": BARBER.limits.model_copy(update=limits)})


def test_a_move_is_one_effect_and_keeps_the_id() -> None:
    rows = Rows()
    booking_id = booked(rows)
    context = context_of(rows=rows)

    moved = booking.move(context, booking_id, ELEVEN)

    assert isinstance(moved, Moved)
    assert moved.spoken == "Tuesday, 24 November 2026 at 11:00"
    assert moved.was == "Tuesday, 24 November 2026 at 10:00"
    [effect] = context.staging.all()
    assert isinstance(effect, Move)
    assert starts(context) == [ELEVEN]
    commit_effects(rows, [effect])
    assert starts(context_of(rows=rows, turn_id="later")) == [ELEVEN]
    assert len(rows.booked) == 2
    assert rows.holds == {}


def test_a_move_may_overlap_the_old_time() -> None:
    rows = Rows()
    booking_id = booked(rows, service="haircut_beard")
    context = context_of(rows=rows)
    assert isinstance(booking.move(context, booking_id, "2026-11-24T10:15"), Moved)
    [effect] = context.staging.of(Move)
    assert (len(effect.added), len(effect.freed), effect.writes) == (1, 1, 8)
    commit_effects(rows, [effect])
    assert len(rows.booked) == 4


def test_a_move_to_another_service_at_the_same_time_only_adds_what_is_missing() -> None:
    rows = Rows()
    booking_id = booked(rows)
    context = context_of(rows=rows)
    moved = booking.move(context, booking_id, TEN, "haircut_beard")
    assert isinstance(moved, Moved)
    assert (moved.service, moved.price) == ("Haircut and beard", "₪120")
    [effect] = context.staging.of(Move)
    assert (len(effect.added), len(effect.freed)) == (2, 0)


def test_until_the_commit_both_times_are_the_customers() -> None:
    rows = Rows()
    booking.move(context_of(rows=rows), booked(rows), ELEVEN)
    other = context_of(rows=rows, conversation_id="c2")
    for start in (TEN, ELEVEN):
        assert refused(booking.book(other, start, "haircut")).reason == "taken"


def test_a_move_onto_a_taken_time_offers_others_and_may_offer_what_overlaps_the_old_one() -> None:
    rows = Rows()
    booking_id = booked(rows)
    other = context_of(rows=rows, conversation_id="c2")
    booking.book(other, "2026-11-24T10:30", "haircut")
    outcome = refused(booking.move(context_of(rows=rows), booking_id, "2026-11-24T10:30"))
    assert outcome.reason == "taken"
    assert TEN in [near.start for near in outcome.nearest]


def test_a_move_of_a_move_is_one_move_and_cancelling_it_cancels_the_original() -> None:
    rows = Rows()
    booking_id = booked(rows)
    context = context_of(rows=rows)
    booking.move(context, booking_id, ELEVEN)
    assert isinstance(booking.move(context, booking_id, "2026-11-24T12:00"), Moved)
    [effect] = context.staging.all()
    assert isinstance(effect, Move)
    assert f"{effect.before.start:%H:%M} {effect.after.start:%H:%M}" == "08:00 10:00"
    assert isinstance(booking.cancel(context, booking_id), Cancelled)
    [effect] = context.staging.all()
    assert isinstance(effect, Cancel)
    assert f"{effect.appointment.start:%H:%M}" == "08:00"
    assert refused(booking.move(context, booking_id, ELEVEN)).reason == "not_found"


def test_a_booking_of_this_turn_that_moves_is_another_booking() -> None:
    context = context_of()
    made = booking.book(context, TEN, "haircut")
    assert isinstance(made, Booked)
    assert isinstance(booking.move(context, made.booking_id, "2026-11-24T10:15"), Moved)
    [effect] = context.staging.all()
    assert isinstance(effect, Book)
    assert starts(context) == ["2026-11-24T10:15"]


def test_moving_back_in_the_same_turn_is_allowed() -> None:
    rows = Rows()
    booking_id = booked(rows)
    context = context_of(rows=rows)
    booking.move(context, booking_id, ELEVEN)
    assert isinstance(booking.move(context, booking_id, TEN), Moved)
    commit_effects(rows, context.staging.all())
    assert starts(context_of(rows=rows, turn_id="later")) == [TEN]


def test_a_move_to_where_it_is_changes_nothing() -> None:
    rows = Rows()
    context = context_of(rows=rows)
    assert isinstance(booking.move(context, booked(rows), TEN), Moved)
    assert context.staging.all() == []


def test_another_customers_appointment_cannot_be_moved() -> None:
    rows = Rows()
    booking_id = booked(rows)
    assert refused(booking.move(context_of(rows=rows, conversation_id="c2"), booking_id, ELEVEN)).reason == "not_found"


def test_two_children_at_once_need_two_rooms_and_a_word() -> None:
    clinic, rows = dental_clinic(), Rows()
    booked(rows, profile=clinic, service="checkup")
    context = context_of(clinic, rows=rows)

    assert isinstance(booking.book(context, TEN, "checkup"), Booked), "said again: the same appointment"
    assert context.staging.all() == []
    asked_for = refused(booking.book(context, "2026-11-24T10:15", "cleaning"))
    assert asked_for.reason == "already_booked"
    assert "`additional`" in asked_for.advice
    assert isinstance(booking.book(context, TEN, "checkup", additional=True), Booked)
    assert refused(booking.book(context, TEN, "checkup", additional=True)).reason == "taken", "there are two rooms"
    [effect] = context.staging.of(Book)
    assert effect.appointment.resource == "room 2"


def test_a_customer_may_have_only_so_many_appointments() -> None:
    context = context_of(limited(max_appointments=2))
    for hour in (10, 11):
        assert isinstance(booking.book(context, f"2026-11-24T{hour}:00", "haircut"), Booked)
    assert refused(booking.book(context, "2026-11-24T12:00", "haircut")).reason == "limit"
    first = booking.listed(context).appointments[0]
    assert isinstance(booking.move(context, first.booking_id, "2026-11-24T12:00"), Moved), "a move makes none"


def test_what_is_too_soon_says_so_and_offers_later_times() -> None:
    context = context_of(limited(min_notice_minutes=180))
    outcome = refused(booking.book(context, "2026-11-22T13:00", "haircut"))
    assert outcome.reason == "too_soon"
    assert "180 minutes" in outcome.advice
    assert outcome.nearest[0].start == "2026-11-22T15:00"
    free = free_times.find_free(context, "2026-11-22", "haircut")
    assert isinstance(free, Free)
    assert free.days[0].starts[0].first == "15:00"


def test_a_holiday_is_named_as_the_reason() -> None:
    profile = BusinessProfile.model_validate({**BARBER.model_dump(), "holidays": {"country": "IL"}})
    context = context_of(profile, now=NOON.replace(year=2027, month=4, day=18))
    outcome = refused(booking.book(context, "2027-04-22T10:00", "haircut"))
    assert outcome.reason == "closed"
    assert "(Pesach)" in outcome.advice


def test_a_buffer_keeps_the_next_one_away_but_is_not_said() -> None:
    haircut = BARBER.services[0].model_copy(update={"buffer_after": 15})
    profile, rows = BARBER.model_copy(update={"services": (haircut,)}), Rows()
    booked(rows, profile=profile)
    other = context_of(profile, rows=rows, conversation_id="c2")
    assert refused(booking.book(other, "2026-11-24T10:30", "haircut")).reason == "taken"
    assert isinstance(booking.book(other, "2026-11-24T10:45", "haircut"), Booked)
    [effect] = other.staging.of(Book)
    assert effect.appointment.end - effect.appointment.start == NOON.replace(minute=30) - NOON


def test_the_stand_in_moves_in_one_step() -> None:
    phone = Phone()
    said = phone.talk("a haircut tomorrow at 10 please", "can I move my appointment?", "tomorrow at 10:15")
    assert "Moved" in said[2]
    assert phone.booked() == ["haircut 2026-11-23T10:15"]
