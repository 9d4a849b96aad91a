"""Opening hours, the grid and free times, also where the clocks change."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.agent.calendar import rules
from functions.shared.profile import BusinessProfile, Opening, Resource, Service
from tests.unit.agent.fakes import NOON
from tests.unit.agent.support import BARBER, JERUSALEM

HAIRCUT, _, BOTH = BARBER.services
TUESDAY = date(2026, 11, 24)


def local(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, dt.time(hour, minute), tzinfo=JERUSALEM).astimezone(UTC)


def service(minutes: int) -> Service:
    return HAIRCUT.model_copy(update={"minutes": minutes})


def test_a_day_has_every_quarter_hour_at_which_the_service_ends_in_time() -> None:
    found = rules.starts(BARBER, BOTH, TUESDAY, NOON)
    assert (found[0], found[-1]) == (local(TUESDAY, 9), local(TUESDAY, 18))
    assert len(found) == 9 * 4 + 1


def test_what_has_passed_and_what_is_too_far_is_not_offered() -> None:
    assert rules.starts(BARBER, HAIRCUT, date(2026, 11, 22), NOON)[0] == local(date(2026, 11, 22), 12, 15)
    assert rules.starts(BARBER, HAIRCUT, date(2027, 3, 2), NOON) == []
    assert rules.starts(BARBER, HAIRCUT, date(2026, 11, 28), NOON) == [], "Saturday"


@pytest.mark.parametrize(("minutes", "occupied"), [(1, 15), (15, 15), (20, 30), (30, 30), (45, 45), (61, 75)])
def test_an_appointment_occupies_whole_cells(minutes: int, occupied: int) -> None:
    begin, end = rules.busy(service(minutes), NOON)
    assert (begin, end) == (NOON, NOON + timedelta(minutes=occupied))


def test_opening_hours_off_the_grid_begin_with_the_next_cell() -> None:
    odd = BARBER.model_copy(update={"hours": {"tuesday": (Opening(opens=dt.time(9, 10), closes=dt.time(10)),)}})
    assert rules.starts(odd, HAIRCUT, TUESDAY, NOON) == [local(TUESDAY, 9, 15), local(TUESDAY, 9, 30)]


def test_opening_hours_are_local_on_both_sides_of_a_change_of_the_clocks() -> None:
    winter, summer = datetime(2027, 3, 25, tzinfo=JERUSALEM).date(), datetime(2027, 3, 28, tzinfo=JERUSALEM).date()
    now = datetime(2027, 3, 20, tzinfo=UTC)
    assert rules.starts(BARBER, HAIRCUT, winter, now)[0] == datetime(2027, 3, 25, 7, tzinfo=UTC)
    assert rules.starts(BARBER, HAIRCUT, summer, now)[0] == datetime(2027, 3, 28, 6, tzinfo=UTC)


def test_an_open_night_is_an_hour_shorter_when_the_clocks_go_forward() -> None:
    night = BARBER.model_copy(update={"hours": {"friday": (Opening(opens=dt.time(1), closes=dt.time(5)),)}})
    now = datetime(2027, 3, 20, tzinfo=UTC)
    assert len(rules.starts(night, service(15), date(2027, 3, 26), now)) == 3 * 4
    assert len(rules.starts(night, service(15), date(2027, 4, 2), now)) == 4 * 4


def test_a_start_is_free_if_one_resource_has_all_its_cells() -> None:
    two = BARBER.model_copy(update={"resources": (Resource(name="left"), Resource(name="right"))})
    ten = local(TUESDAY, 10)
    left = set(rules.cells("left", ten, ten + timedelta(hours=1)))
    assert list(rules.free_places(two, HAIRCUT, ten, left)) == ["right"]
    assert ten in rules.free_starts(two, HAIRCUT, TUESDAY, NOON, left)
    both = left | set(rules.cells("right", ten + timedelta(minutes=15), ten + timedelta(minutes=30)))
    assert ten not in rules.free_starts(two, HAIRCUT, TUESDAY, NOON, both)


@given(
    taken=st.sets(st.integers(min_value=0, max_value=95), max_size=60),
    minutes=st.sampled_from([15, 30, 45, 60, 120]),
)
def test_no_free_start_overlaps_a_taken_cell_and_none_is_missed(taken: set[int], minutes: int) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    cells = {rules.Cell(midnight + index * rules.CELL, "main") for index in taken}
    wanted = service(minutes)
    free = rules.free_starts(BARBER, wanted, TUESDAY, NOON, cells)
    for start in rules.starts(BARBER, wanted, TUESDAY, NOON):
        occupied = {start + i * rules.CELL for i in range(minutes // 15)}
        assert (start in free) == occupied.isdisjoint({cell.start for cell in cells})


@given(st.sets(st.integers(min_value=0, max_value=60)))
def test_stretches_hold_exactly_the_starts(quarters: set[int]) -> None:
    found = [NOON + quarter * rules.CELL for quarter in sorted(quarters)]
    unrolled = [
        first + i * rules.CELL
        for first, last in rules.stretches(found)
        for i in range((last - first) // rules.CELL + 1)
    ]
    assert unrolled == found


def test_the_nearest_are_said_in_order_of_time() -> None:
    found = [NOON + timedelta(hours=hour) for hour in range(6)]
    assert rules.nearest(found, NOON + timedelta(hours=3), 3) == found[2:5]


def test_an_unknown_weekday_is_closed() -> None:
    never: BusinessProfile = BARBER.model_copy(update={"hours": {}})
    assert rules.openings(never, TUESDAY) == []


# ---- buffers, capacity, limits ----------------------------------------------------------------------------------


def with_limits(**limits: int) -> BusinessProfile:
    return BARBER.model_copy(update={"limits": BARBER.limits.model_copy(update=limits)})


def buffered(before: int, after: int, minutes: int = 30) -> Service:
    return HAIRCUT.model_copy(update={"minutes": minutes, "buffer_before": before, "buffer_after": after})


@pytest.mark.parametrize(
    ("before", "after", "minutes", "first", "last"),
    [(0, 0, 30, 0, 30), (10, 0, 30, -15, 30), (15, 10, 20, -15, 30), (0, 15, 45, 0, 60), (0, 1, 30, 0, 45)],
)
def test_buffers_widen_what_an_appointment_occupies(
    before: int, after: int, minutes: int, first: int, last: int
) -> None:
    at = local(TUESDAY, 10)
    assert rules.busy(buffered(before, after, minutes), at) == (
        at + timedelta(minutes=first),
        at + timedelta(minutes=last),
    )


def test_buffers_may_lie_outside_the_opening_hours() -> None:
    found = rules.starts(BARBER, buffered(30, 30), TUESDAY, NOON)
    assert (found[0], found[-1]) == (local(TUESDAY, 9), local(TUESDAY, 18, 30))


def test_an_appointment_may_end_with_the_hours_even_off_the_grid() -> None:
    odd = BARBER.model_copy(update={"hours": {"tuesday": (Opening(opens=dt.time(9), closes=dt.time(9, 50)),)}})
    assert rules.starts(odd, service(20), TUESDAY, NOON)[-1] == local(TUESDAY, 9, 30)


def test_a_resource_with_capacity_takes_that_many_at_a_time() -> None:
    group = BARBER.model_copy(update={"resources": (Resource(name="room", capacity=2), Resource(name="yard"))})
    ten = local(TUESDAY, 10)
    taken = set(rules.cells("room", ten, ten + timedelta(minutes=30)))
    assert list(rules.free_places(group, HAIRCUT, ten, taken)) == ["room#2", "yard"]
    in_the_room = HAIRCUT.model_copy(update={"resources": ("room",)})
    assert list(rules.free_places(group, in_the_room, ten, taken)) == ["room#2"]


def test_notice_and_horizon_bound_what_can_be_booked() -> None:
    two_hours = with_limits(min_notice_minutes=120)
    assert rules.starts(two_hours, HAIRCUT, NOON.date(), NOON)[0] == NOON + timedelta(hours=2)
    week = with_limits(horizon_days=7)
    assert rules.starts(week, HAIRCUT, date(2026, 11, 29), NOON)[-1] == NOON + timedelta(days=7)
    assert rules.starts(week, HAIRCUT, date(2026, 11, 30), NOON) == []


# ---- where the clocks change --------------------------------------------------------------------------------------

NIGHT = BARBER.model_copy(
    update={"hours": {day: (Opening(opens=dt.time(0), closes=dt.time(6)),) for day in ("friday", "sunday")}}
)


def test_in_the_night_that_is_an_hour_longer_no_time_is_offered_twice() -> None:
    """25 October 2026, Jerusalem: 02:00 becomes 01:00."""
    found = rules.starts(NIGHT, service(15), date(2026, 10, 25), datetime(2026, 10, 20, tzinfo=UTC))
    said = [f"{start.astimezone(JERUSALEM):%H:%M}" for start in found]
    assert said == [f"{hour:02d}:{minute:02d}" for hour in range(6) for minute in (0, 15, 30, 45)]
    assert found[-1] - found[0] == timedelta(hours=6, minutes=45)
    assert rules.stretches(found)[0][1] == datetime(2026, 10, 24, 22, 45, tzinfo=UTC), "01:45, the first of the two"


def test_in_the_night_that_is_an_hour_shorter_only_times_that_exist_are_offered() -> None:
    """26 March 2027, Jerusalem: 02:00 becomes 03:00."""
    found = rules.starts(NIGHT, service(15), date(2027, 3, 26), datetime(2027, 3, 20, tzinfo=UTC))
    said = [f"{start.astimezone(JERUSALEM):%H:%M}" for start in found]
    assert said == [f"{hour:02d}:{minute:02d}" for hour in (0, 1, 3, 4, 5) for minute in (0, 15, 30, 45)]
    assert found[-1] - found[0] == timedelta(hours=4, minutes=45)


@pytest.mark.parametrize(
    ("opens", "closes", "open_for"),
    [("02:00", "02:45", 0), ("02:30", "04:00", 60), ("01:30", "02:30", 30), ("02:00", "03:30", 30)],
)
def test_hours_within_the_skipped_hour_are_no_hours(opens: str, closes: str, open_for: int) -> None:
    gap = BARBER.model_copy(
        update={
            "hours": {"friday": (Opening(opens=dt.time.fromisoformat(opens), closes=dt.time.fromisoformat(closes)),)}
        }
    )
    [(first, last)] = rules.openings(gap, date(2027, 3, 26))
    assert last - first == timedelta(minutes=open_for)


@given(
    day=st.sampled_from(
        [date(2026, 10, 24), date(2026, 10, 25), date(2027, 3, 25), date(2027, 3, 26), date(2027, 3, 27)]
    ),
    opens=st.integers(0, 22 * 4),
    length=st.integers(1, 24),
    minutes=st.sampled_from([15, 20, 30, 60]),
    buffers=st.tuples(st.sampled_from([0, 10, 15]), st.sampled_from([0, 10, 15])),
)
def test_every_start_is_a_local_time_within_the_hours_that_can_be_said(
    day: date, opens: int, length: int, minutes: int, buffers: tuple[int, int]
) -> None:
    first = dt.time(opens // 4, opens % 4 * 15)
    close = min(opens + length, 95)
    if close <= opens:
        return
    last = dt.time(close // 4, close % 4 * 15)
    profile = BARBER.model_copy(update={"hours": {f"{day:%A}".lower(): (Opening(opens=first, closes=last),)}})
    wanted = buffered(*buffers, minutes)
    for start in rules.starts(profile, wanted, day, datetime.combine(day - timedelta(days=5), dt.time(), tzinfo=UTC)):
        at = start.astimezone(JERUSALEM)
        assert at.date() == day
        assert first <= at.time() <= last
        # Saying the local time leads back to the same moment.
        assert at.replace(tzinfo=None).replace(tzinfo=JERUSALEM).astimezone(UTC) == start
        begin, end = rules.busy(wanted, start)
        assert rules.on_grid(begin)
        assert rules.on_grid(end)
        assert begin <= start - timedelta(minutes=buffers[0])
        assert end >= start + timedelta(minutes=minutes + buffers[1])
