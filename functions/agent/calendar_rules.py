"""When an appointment may begin: opening hours, the grid, and what is taken. Pure; nothing here touches a table.

The calendar is a grid of cells of 15 minutes in UTC for each resource (a chair, a room). All UTC offsets in use are
whole quarters of an hour, so local quarter hours are cells too, on both sides of a change of the clocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from functions.shared.profile import BusinessProfile, Service, Weekday

CELL = timedelta(minutes=15)
HORIZON = timedelta(days=90)
"""How far ahead a customer may book."""
_WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A quarter of an hour of one resource; `start` is in UTC."""

    start: datetime
    resource: str


def duration(service: Service) -> timedelta:
    """The time that an appointment occupies: the service's, rounded up to whole cells."""
    return -(-timedelta(minutes=service.minutes) // CELL) * CELL


def cells(resource: str, start: datetime, end: datetime) -> tuple[Cell, ...]:
    """The cells from `start` to `end`, both aware and on the grid."""
    first = start.astimezone(UTC)
    count = (end.astimezone(UTC) - first) // CELL
    return tuple(Cell(first + i * CELL, resource) for i in range(count))


def on_grid(moment: datetime) -> bool:
    return moment.minute % 15 == 0 and moment.second == 0 and moment.microsecond == 0


def openings(profile: BusinessProfile, day: date) -> list[tuple[datetime, datetime]]:
    """The stretches in which the business is open on the local `day`, in UTC."""
    return [
        (
            datetime.combine(day, opening.opens, tzinfo=profile.zone).astimezone(UTC),
            datetime.combine(day, opening.closes, tzinfo=profile.zone).astimezone(UTC),
        )
        for opening in profile.hours.get(_WEEKDAYS[day.weekday()], ())
    ]


def starts(profile: BusinessProfile, service: Service, day: date, now: datetime) -> list[datetime]:
    """Every moment, in UTC, when the service could begin on the local `day`, if nothing were booked."""
    found = []
    for opens, closes in openings(profile, day):
        start = datetime.fromtimestamp(-(-opens.timestamp() // CELL.total_seconds()) * CELL.total_seconds(), UTC)
        while start + duration(service) <= closes:
            if now < start <= now + HORIZON:
                found.append(start)
            start += CELL
    return found


def free_resources(
    profile: BusinessProfile, service: Service, start: datetime, taken: Collection[Cell]
) -> Iterator[str]:
    """The resources on which the service fits at `start`, in the profile's order."""
    for resource in profile.resources:
        for place in resource.places:
            if not any(cell in taken for cell in cells(place, start, start + duration(service))):
                yield place


def free_starts(
    profile: BusinessProfile, service: Service, day: date, now: datetime, taken: Collection[Cell]
) -> list[datetime]:
    """Every moment, in UTC, when the service can begin on the local `day`."""
    return [
        start
        for start in starts(profile, service, day, now)
        if next(free_resources(profile, service, start, taken), None) is not None
    ]


def stretches(found: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Neighbouring starts joined: (first, last), where every quarter of an hour between them is free too."""
    joined: list[tuple[datetime, datetime]] = []
    if not found:
        return joined
    first = found[0]
    for earlier, later in pairwise(found):
        if later - earlier > CELL:
            joined.append((first, earlier))
            first = later
    joined.append((first, found[-1]))
    return joined


def nearest(found: Collection[datetime], wanted: datetime, count: int) -> list[datetime]:
    """The `count` starts closest to `wanted`, in order of time."""
    return sorted(sorted(found, key=lambda start: (abs(start - wanted), start))[:count])
