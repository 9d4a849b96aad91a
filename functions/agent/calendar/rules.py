"""When an appointment may begin: opening hours, the grid, buffers, and what is taken. Pure; nothing touches a table.

The calendar is a grid of cells of 15 minutes in UTC for each place: a resource (a chair, a room) has as many places as
it takes appointments at a time. All UTC offsets in use are whole quarters of an hour, so local quarter hours are cells
too, on both sides of a change of the clocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from functions.agent.calendar.opening_days import day_of
from functions.shared.profile import BusinessProfile, Service

CELL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A quarter of an hour of one place; `start` is in UTC."""

    start: datetime
    resource: str


def duration(service: Service) -> timedelta:
    """Of the appointment as the customer knows it."""
    return timedelta(minutes=service.minutes)


def busy(service: Service, start: datetime) -> tuple[datetime, datetime]:
    """What an appointment at `start` occupies, in UTC: itself and its buffers, widened to whole cells."""
    first = start.astimezone(UTC) - timedelta(minutes=service.buffer_before)
    last = start.astimezone(UTC) + timedelta(minutes=service.minutes + service.buffer_after)
    return _down(first), _up(last)


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
        (_instant(day, opening.opens, profile.zone), _instant(day, opening.closes, profile.zone))
        for opening in day_of(profile, day).openings
    ]


def earliest(profile: BusinessProfile, now: datetime) -> datetime:
    """Before this moment nothing can be booked any more."""
    return now + timedelta(minutes=profile.limits.min_notice_minutes)


def latest(profile: BusinessProfile, now: datetime) -> datetime:
    """After this moment nothing can be booked yet."""
    return now + timedelta(days=profile.limits.horizon_days)


def starts(profile: BusinessProfile, service: Service, day: date, now: datetime) -> list[datetime]:
    """Every moment, in UTC, when the service could begin on the local `day`, if nothing were booked.

    Where the clocks go back, an hour of local times comes twice: only the first is offered, because nobody who says
    the time could mean the second.
    """
    found = []
    for opens, closes in openings(profile, day):
        start = _up(opens)
        while start + duration(service) <= closes:
            if now < start and earliest(profile, now) <= start <= latest(profile, now):
                found.append(start)
            start += CELL
    return [start for start in found if start.astimezone(profile.zone).fold == 0]


def free_places(profile: BusinessProfile, service: Service, start: datetime, taken: Collection[Cell]) -> Iterator[str]:
    """The places on which the service fits at `start`, in the profile's order."""
    begin, end = busy(service, start)
    for resource in profile.resources:
        if service.resources and resource.name not in service.resources:
            continue
        for place in resource.places:
            if not any(cell in taken for cell in cells(place, begin, end)):
                yield place


def free_starts(
    profile: BusinessProfile, service: Service, day: date, now: datetime, taken: Collection[Cell]
) -> list[datetime]:
    """Every moment, in UTC, when the service can begin on the local `day`."""
    return [
        start
        for start in starts(profile, service, day, now)
        if next(free_places(profile, service, start, taken), None) is not None
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


def _down(moment: datetime) -> datetime:
    """The last moment of the grid that is not after `moment`."""
    return moment - timedelta(seconds=moment.timestamp() % CELL.total_seconds())


def _up(moment: datetime) -> datetime:
    """The first moment of the grid that is not before `moment`."""
    return moment + timedelta(seconds=-moment.timestamp() % CELL.total_seconds())


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A local time in UTC. One that the clocks skip is the moment at which they skip it; of two, the first."""
    naive = datetime.combine(day, clock)
    moment = naive.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == naive:
        return moment
    # zoneinfo counts a skipped time with the offset before the change: it lies as far after it as into the gap.
    offset = moment.astimezone(zone).utcoffset()
    while (moment - timedelta(minutes=1)).astimezone(zone).utcoffset() == offset:
        moment -= timedelta(minutes=1)
    return moment
