"""Opening hours, the grid and free times, also where the clocks change."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.agent import calendar_rules as rules
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
    assert rules.duration(service(minutes)) == timedelta(minutes=occupied)


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
    assert list(rules.free_resources(two, HAIRCUT, ten, left)) == ["right"]
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
