"""Which times are free for one customer, given what others have and what this turn has staged."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta

from functions.agent.calendar import asked, rules
from functions.agent.calendar.opening_days import day_of
from functions.agent.calendar.store import Book, Move
from functions.agent.context import ToolContext
from functions.agent.language import speech
from functions.agent.tools.results import Free, FreeDay, NotPossible, Reason, Start, Stretch
from functions.shared.profile import Service

_SEARCH_DAYS = 21
_OFFERED_DAYS = 3


def find_free(context: ToolContext, day: str | None, service: str) -> Free | NotPossible:
    """Free starts on the local `day`, or on the first days that have some."""
    wanted = asked.service(context, service)
    if isinstance(wanted, NotPossible):
        return wanted
    if day is None:
        days = list(_days_with_free_starts(context, wanted, context.now.date()))
        if not days:
            return asked.not_possible("full", "Nothing is free. Offer a person's help.")
        return _free(context, wanted, days)
    on = asked.day(context, day)
    if isinstance(on, NotPossible):
        return on
    if found := _free_on(context, wanted, on):
        return _free(context, wanted, [(on, found)])
    midnight = datetime.combine(on, datetime.min.time(), tzinfo=context.profile.zone)
    return no_room(context, wanted, midnight, "full" if rules.openings(context.profile, on) else "closed")


def taken(context: ToolContext, begin: datetime, end: datetime) -> set[rules.Cell]:
    """The cells from `begin` to `end` (and others) that are booked, held by others, or promised in this turn."""
    staged = {cell for effect in context.staging.of(Book) for cell in effect.appointment.cells}
    staged |= {cell for effect in context.staging.of(Move) for cell in effect.added}
    first, last = begin.astimezone(UTC).date(), (end.astimezone(UTC) - rules.CELL).date()
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    return context.calendar.taken(days, context.now) | staged


def no_room(
    context: ToolContext, service: Service, wanted: datetime, reason: Reason, own: Collection[rules.Cell] = ()
) -> NotPossible:
    """Why not then, and the closest times that are free: on that day, or else on the next ones.

    `own` are the cells of the appointment that is to be moved: they are free for it.
    """
    near = rules.nearest(_free_on(context, service, wanted.date(), own), wanted, 3)
    if not near:
        following = wanted.date() + timedelta(days=1)
        for _, found in _days_with_free_starts(context, service, following, count=2):
            near += rules.nearest(found, wanted + timedelta(days=1), 1)
    why = _why(context, wanted, reason)
    advice = (
        f"{why}. Offer the nearest free times and ask."
        if near
        else f"{why}, and nothing is free near it. Ask for another day."
    )
    return asked.not_possible(reason, advice, [_start(context, start) for start in near])


def _why(context: ToolContext, wanted: datetime, reason: Reason) -> str:
    if reason == "closed":
        because = day_of(context.profile, wanted.date(), context.language).reason
        return (
            f"The business is closed then, or the appointment would not end in time{f' ({because})' if because else ''}"
        )
    if reason == "too_soon":
        return f"Appointments are booked at least {context.profile.limits.min_notice_minutes} minutes ahead"
    return "Somebody else has that time" if reason == "taken" else "No room then"


def _free_on(context: ToolContext, service: Service, day: date, own: Collection[rules.Cell] = ()) -> list[datetime]:
    possible = rules.starts(context.profile, service, day, context.now)
    if not possible:
        return []
    begin, end = rules.busy(service, possible[0])[0], rules.busy(service, possible[-1])[1]
    return rules.free_starts(context.profile, service, day, context.now, taken(context, begin, end).difference(own))


def _days_with_free_starts(
    context: ToolContext, service: Service, first: date, count: int = _OFFERED_DAYS
) -> Iterator[tuple[date, list[datetime]]]:
    for offset in range(_SEARCH_DAYS):
        found = _free_on(context, service, first + timedelta(days=offset))
        if found:
            yield first + timedelta(days=offset), found
            count -= 1
            if not count:
                return


def _free(context: ToolContext, service: Service, days: list[tuple[date, list[datetime]]]) -> Free:
    return Free(
        service=service.id,
        minutes=service.minutes,
        days=[
            FreeDay(
                day=day.isoformat(),
                spoken=speech.spoken_day(day, context.language),
                starts=[
                    Stretch(first=asked.iso(context, first)[11:], last=asked.iso(context, last)[11:])
                    for first, last in rules.stretches(found)
                ],
            )
            for day, found in days
        ],
    )


def _start(context: ToolContext, moment: datetime) -> Start:
    return Start(start=asked.iso(context, moment), spoken=asked.spoken(context, moment))
