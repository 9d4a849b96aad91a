"""What a customer means by "tomorrow at 4" or "יום שלישי בעשר וחצי": one deterministic grammar for Hebrew and English.

It is never silently wrong: a sentence with a word about time that no rule took, or with two that disagree, is not
understood, and the assistant asks. (General parsers guess: `dateparser` reads "מחר ב-16:30" as another day.)

Conventions, said back to the customer in every confirmation:
  - a bare hour from 1 to 7 is in the afternoon or evening, 8 to 12 as written, for today the next one to come;
  - `03/12` is day and month; a day that has passed this year is next year's, if that is within ten months;
  - a time without a day is today's, but only if no other word stands by it that may name a day;
  - a weekday is the next one after today; "next Monday" is Monday of the next week, and weeks begin on Sunday.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from functions.agent.date_rules import (
    Clock,
    Day,
    DayOfMonth,
    InWeeks,
    Later,
    Moment,
    Part,
    Reading,
    Span,
    Unsure,
    Week,
    Weekday,
    read,
)
from functions.agent.date_words import is_strange, normalise

_CLEAR_WEEKS = 2
""""In a week, on Monday" may be tomorrow's week or the one after; "in two weeks" is clear enough."""


@dataclass(frozen=True)
class Resolved:
    """A point in time as a customer named it."""

    start: datetime
    """Aware, in the time zone of `now`. Without a time: the first moment meant, for example 17:00 for "after 5"."""
    has_time: bool
    """False if the customer named a day, or a part or range of it, but no single time."""


def resolve(text: str, now: datetime) -> Resolved | None:
    """The day or time that `text` names, seen from `now` (aware, in the business's time zone); None when unsure.

    Times that have passed, and local times that a change of the clocks skips or repeats, are not understood either.
    """
    if now.tzinfo is None:
        raise ValueError("resolve needs an aware `now`, in the time zone of the business")
    try:
        readings, rest = read(normalise(text), now)
        return _combine(readings, now, alone=not is_strange(rest))
    except (Unsure, ValueError, OverflowError):
        return None


def _combine(readings: list[Reading], now: datetime, *, alone: bool) -> Resolved | None:
    if not readings:
        return None
    if isinstance(readings[0], Moment):
        if len(readings) > 1:
            raise Unsure
        return Resolved(readings[0].at, has_time=True)
    clocks = {r for r in readings if isinstance(r, Clock)}
    parts = {r for r in readings if isinstance(r, Part)}
    spans = {r for r in readings if isinstance(r, Span)}
    if len(clocks) > 1 or len(parts) > 1 or len(spans) > 1 or (clocks and spans):
        raise Unsure
    part = next(iter(parts), None)
    span = next(iter(spans), None)
    clock = next(iter(clocks), span.begin if span else None)
    day = _day(readings, now.date())
    if day is None:
        if not clocks or not alone:
            raise Unsure
        day = now.date()
        at = _at(day, _hour(next(iter(clocks)), part, None), now)
    elif clock:
        at = _at(day, _hour(clock, part, now if day == now.date() else None), now)
    else:
        if part and day == now.date() and part.end <= now.hour:
            raise Unsure
        at = _at(day, time(part.first if part else 0), now)
    if day < now.date() or (clock and at < now):
        raise Unsure
    return Resolved(at, has_time=bool(clocks))


def _day(readings: list[Reading], today: date) -> date | None:
    days = {r.day for r in readings if isinstance(r, Day)}
    numbers = {r.number for r in readings if isinstance(r, DayOfMonth)}
    weekdays = {r for r in readings if isinstance(r, Weekday)}
    weeks = {r.offset for r in readings if isinstance(r, Week)}
    in_weeks = {r.count for r in readings if isinstance(r, InWeeks)}
    later = sum((r.by for r in readings if isinstance(r, Later)), timedelta())
    if len(days) > 1 or len(numbers) > 1 or len(weekdays) > 1 or len(weeks) > 1 or len(in_weeks) > 1:
        raise Unsure
    weekday = next(iter(weekdays), None)
    if in_weeks:
        count = next(iter(in_weeks))
        if days or numbers or weeks or later or (weekday and (weekday.of_next_week or count < _CLEAR_WEEKS)):
            raise Unsure
        return _in_week(today, weekday.index, count) if weekday else today + timedelta(weeks=count)
    if days or numbers:
        candidates = days or _days_of_month(next(iter(numbers)), today)
        fitting = [d + later for d in sorted(candidates) if weekday is None or d.weekday() == weekday.index]
        if not fitting or weeks or (numbers and days and {d.day for d in days} != numbers):
            raise Unsure
        return fitting[0]
    if weekday is None:
        if weeks or later:
            raise Unsure  # "next week" names no day
        return None
    if weekday.of_next_week or weeks:
        day = _in_week(today, weekday.index, 1 if weekday.of_next_week else next(iter(weeks)))
        if day <= today:
            raise Unsure
        return day + later
    return today + timedelta(days=(weekday.index - today.weekday() - 1) % 7 + 1) + later


def _in_week(today: date, weekday: int, offset: int) -> date:
    """That weekday of the week `offset` weeks from this one; weeks begin on Sunday."""
    sunday = today - timedelta(days=(today.weekday() + 1) % 7)
    return sunday + timedelta(days=(weekday + 1) % 7, weeks=offset)


def _days_of_month(number: int, today: date) -> set[date]:
    following = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    found = set()
    for month in (today.replace(day=1), following):
        day = month + timedelta(days=number - 1)
        if day.month == month.month and day >= today:
            found.add(day)
    return found


def _hour(clock: Clock, part: Part | None, today: datetime | None) -> time:
    hours = {clock.hour} if clock.certain else {clock.hour % 12, clock.hour % 12 + 12}
    if part:
        hours = {hour for hour in hours if part.first <= hour < part.end}
        if len(hours) != 1:
            raise Unsure
        return time(hours.pop(), clock.minute)
    if clock.certain:
        return time(clock.hour, clock.minute)
    usual = clock.hour + 12 if clock.hour <= 7 else clock.hour
    if today and time(usual, clock.minute) < today.time() and usual < 12:
        usual += 12
    return time(usual, clock.minute)


def _at(day: date, at: time, now: datetime) -> datetime:
    """That local time; unsure where a change of the clocks skips or repeats it."""
    local = datetime.combine(day, at, tzinfo=now.tzinfo)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise Unsure
    return local
