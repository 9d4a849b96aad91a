"""What a customer means by "tomorrow at 4" or "יום שלישי בעשר וחצי": one deterministic grammar for Hebrew and English.

It is never silently wrong: a sentence with a word about time that no rule took, or with two that disagree, is not
understood, and the assistant asks. (General parsers guess: `dateparser` reads "מחר ב-16:30" as another day.)

Conventions, said back to the customer in every confirmation:
  - a bare hour from 1 to 7 is in the afternoon or evening, 8 to 12 as written, for today the next one to come;
  - `03/12` is day and month; a day that has passed this year is next year's, if that is within ten months;
  - a weekday is the next one after today; "next Monday" is Monday of the next week, and weeks begin on Sunday.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from functions.agent import date_words as words

_FARTHEST = timedelta(days=300)


@dataclass(frozen=True)
class Resolved:
    """A point in time as a customer named it."""

    start: datetime
    """Aware, in the time zone of `now`. Without a time: the first moment meant, for example 17:00 for "after 5"."""
    has_time: bool
    """False if the customer named a day, or a part or range of it, but no single time."""


class _Unsure(Exception):  # noqa: N818 - not an error: the grammar's way of saying "ask"
    pass


# What the rules read in a text. All readings of one text must agree.


@dataclass(frozen=True)
class _Moment:
    at: datetime


@dataclass(frozen=True)
class _Day:
    day: date


@dataclass(frozen=True)
class _DayOfMonth:
    number: int


@dataclass(frozen=True)
class _Weekday:
    index: int
    of_next_week: bool = False


@dataclass(frozen=True)
class _Week:
    offset: int


@dataclass(frozen=True)
class _Later:
    by: timedelta


@dataclass(frozen=True)
class _Clock:
    hour: int
    minute: int
    certain: bool
    """False where "4" may be 04:00 or 16:00."""


@dataclass(frozen=True)
class _Part:
    first: int
    end: int


@dataclass(frozen=True)
class _Span:
    """A range of time, or an open one; `begin` is None for "before 5"."""

    begin: _Clock | None


_Reading = _Moment | _Day | _DayOfMonth | _Weekday | _Week | _Later | _Clock | _Part | _Span
_Rule = Callable[[re.Match[str], datetime], "tuple[_Reading, ...]"]


def resolve(text: str, now: datetime) -> Resolved | None:
    """The day or time that `text` names, seen from `now` (aware, in the business's time zone); None when unsure.

    Times that have passed, and local times that a change of the clocks skips or repeats, are not understood either.
    """
    if now.tzinfo is None:
        raise ValueError("resolve needs an aware `now`, in the time zone of the business")
    try:
        return _combine(list(_read(words.normalise(text), now)), now)
    except (_Unsure, ValueError, OverflowError):
        return None


def _read(text: str, now: datetime) -> Iterator[_Reading]:
    for pattern, rule in _RULES:
        while match := pattern.search(text):
            yield from rule(match, now)
            text = f"{text[: match.start()]}|{text[match.end() :]}"
    if words.LEFTOVER.search(text):
        raise _Unsure


def _combine(readings: list[_Reading], now: datetime) -> Resolved | None:
    if not readings:
        return None
    if isinstance(readings[0], _Moment):
        if len(readings) > 1:
            raise _Unsure
        return Resolved(readings[0].at, has_time=True)
    clocks = {r for r in readings if isinstance(r, _Clock)}
    parts = {r for r in readings if isinstance(r, _Part)}
    spans = {r for r in readings if isinstance(r, _Span)}
    if len(clocks) > 1 or len(parts) > 1 or len(spans) > 1 or (clocks and spans):
        raise _Unsure
    part = next(iter(parts), None)
    span = next(iter(spans), None)
    clock = next(iter(clocks), span.begin if span else None)
    day = _day(readings, now.date())
    if day is None:
        if not clocks:
            raise _Unsure
        day = now.date()
        at = _at(day, _hour(next(iter(clocks)), part, None), now)
    elif clock:
        at = _at(day, _hour(clock, part, now if day == now.date() else None), now)
    else:
        if part and day == now.date() and part.end <= now.hour:
            raise _Unsure
        at = _at(day, time(part.first if part else 0), now)
    if day < now.date() or (clock and at < now):
        raise _Unsure
    return Resolved(at, has_time=bool(clocks))


def _day(readings: list[_Reading], today: date) -> date | None:
    days = {r.day for r in readings if isinstance(r, _Day)}
    numbers = {r.number for r in readings if isinstance(r, _DayOfMonth)}
    weekdays = {r for r in readings if isinstance(r, _Weekday)}
    weeks = {r.offset for r in readings if isinstance(r, _Week)}
    later = sum((r.by for r in readings if isinstance(r, _Later)), timedelta())
    if len(days) > 1 or len(numbers) > 1 or len(weekdays) > 1 or len(weeks) > 1:
        raise _Unsure
    weekday = next(iter(weekdays), None)
    if days or numbers:
        candidates = days or _days_of_month(next(iter(numbers)), today)
        fitting = [d + later for d in sorted(candidates) if weekday is None or d.weekday() == weekday.index]
        if not fitting or weeks or (numbers and days and {d.day for d in days} != numbers):
            raise _Unsure
        return fitting[0]
    if weekday is None:
        if weeks or later:
            raise _Unsure  # "next week" names no day
        return None
    this_week = today - timedelta(days=(today.weekday() + 1) % 7)  # weeks begin on Sunday
    in_week = timedelta(days=(weekday.index + 1) % 7)
    if weekday.of_next_week or weeks:
        day = this_week + in_week + timedelta(weeks=1 if weekday.of_next_week else next(iter(weeks)))
        if day <= today:
            raise _Unsure
        return day + later
    return today + timedelta(days=(weekday.index - today.weekday() - 1) % 7 + 1) + later


def _days_of_month(number: int, today: date) -> set[date]:
    following = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    found = set()
    for month in (today.replace(day=1), following):
        day = month + timedelta(days=number - 1)
        if day.month == month.month and day >= today:
            found.add(day)
    return found


def _hour(clock: _Clock, part: _Part | None, today: datetime | None) -> time:
    hours = {clock.hour} if clock.certain else {clock.hour % 12, clock.hour % 12 + 12}
    if part:
        hours = {hour for hour in hours if part.first <= hour < part.end}
        if len(hours) != 1:
            raise _Unsure
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
        raise _Unsure
    return local


# ---- the rules, in the order in which they take their words --------------------------------------------------------


def _clock(match: re.Match[str], _now: datetime, n: str = "") -> _Clock:
    hour, minute = int(match[f"h{n}"]), int(match[f"m{n}"] or 0)
    half = (match[f"ap{n}"] or "").replace(".", "")
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        raise _Unsure
    if half:
        return _Clock(hour % 12 + (12 if half == "pm" else 0), minute, certain=True)
    return _Clock(hour, minute, certain=hour > 12 or match[f"h{n}"].startswith("0"))


def _at_clock(match: re.Match[str], now: datetime) -> tuple[_Reading, ...]:
    return (_clock(match, now),)


def _span(match: re.Match[str], now: datetime) -> tuple[_Reading, ...]:
    begin, end = _clock(match, now, "1"), _clock(match, now, "2")
    if not begin.certain and end.certain and end.hour >= 12 and begin.hour < end.hour - 12:
        begin = _Clock(begin.hour + 12, begin.minute, certain=True)
    return (_Span(begin),)


def _date(match: re.Match[str], now: datetime) -> tuple[_Reading, ...]:
    groups = match.groupdict()
    month = words.MONTHS.get(groups["month"]) or int(groups["month"])
    number = int(groups["day"])
    if groups.get("year"):
        year = int(groups["year"])
        return (_Day(date(year + 2000 if year < 100 else year, month, number)),)
    today = now.date()
    for year in (today.year, today.year + 1):
        try:
            day = date(year, month, number)
        except ValueError:
            continue
        if today <= day <= today + _FARTHEST:
            return (_Day(day),)
    raise _Unsure


def _in(match: re.Match[str], now: datetime, unit: str, fixed: float | None = None) -> tuple[_Reading, ...]:
    count = fixed if fixed is not None else float(match["n"])
    if unit in ("hours", "minutes"):
        at = now.astimezone(UTC) + timedelta(**{unit: count})
        return (_Moment(at.astimezone(now.tzinfo).replace(second=0, microsecond=0)),)
    return (_Day(now.date() + timedelta(**{unit: count})),)


def _part(match: re.Match[str], now: datetime, today: bool = False) -> tuple[_Reading, ...]:
    part = _Part(*words.PARTS[match["part"]])
    return (_Day(now.date()), part) if today else (part,)


def _weekday(match: re.Match[str], now: datetime) -> tuple[_Reading, ...]:
    index, which = words.WEEKDAYS[match["weekday"]], match.groupdict().get("next")
    if which in ("this", "הזה") and index == now.weekday():
        raise _Unsure
    return (_Weekday(index, of_next_week=which in ("next", "הבא", "הבאה")),)


def _day_of_month(match: re.Match[str], _now: datetime) -> tuple[_Reading, ...]:
    return (_DayOfMonth(int(match["n"])),)


def _always(*readings: _Reading) -> _Rule:
    return lambda _match, _now: readings


def _days_ahead(count: int) -> _Rule:
    return lambda _match, now: (_Day(now.date() + timedelta(days=count)),)


def _clock_pattern(n: str = "") -> str:
    return rf"(?P<h{n}>\d{{1,2}})(?::(?P<m{n}>\d{{2}}))?(?!\d|[:/.]\d)(?:\s?(?P<ap{n}>[ap]\.?m\b\.?))?"


_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<year>20\d\d))?\b(?!:)"
_LONG = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_SHORT = "mon|tues|tue|wed|thurs|thur|thu|fri|sat|sun"
_HEBREW = "ראשון|שני|שלישי|רביעי|חמישי|שישי|ששי|שבת"
_FOLLOWED = r"(?= ?(?:$|[,.?!|]|ב|הקרוב|הבא|הזה|אחר|ל?שעה|\d))"
_AROUND = r"(?:at|@|around|(?<!how )(?<!what )about|approximately|בשעה|לשעה|השעה|בסביבות|בערך|לקראת|ב)"

_RULES: tuple[tuple[re.Pattern[str], _Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        # relative to now
        (r"\bin (?:an |1 )hour and (?:a )?half\b|\bב?עוד שעה וחצי\b", partial(_in, unit="minutes", fixed=90)),
        (r"\bin (?:half an|a half) hour\b|\bב?עוד חצי שעה\b", partial(_in, unit="minutes", fixed=30)),
        (r"\bin (?:a )?quarter of an hour\b|\bב?עוד רבע שעה\b", partial(_in, unit="minutes", fixed=15)),
        (r"\bin (?:an|1) hour\b|\bב?עוד שעה\b(?! ו)", partial(_in, unit="hours", fixed=1)),
        (r"\bב?עוד שעתיים\b(?! ו)", partial(_in, unit="hours", fixed=2)),
        (r"\b(?:in|ב?עוד) (?P<n>\d{1,2}) (?:hours|hrs|שעות)\b(?! and| ו)", partial(_in, unit="hours")),
        (r"\b(?:in|ב?עוד) (?P<n>\d{1,3}) (?:minutes|mins?|דקות)\b", partial(_in, unit="minutes")),
        (r"\b(?:a|1) week (?:from|after)(?= \w)|\b(?:ב?עוד )?שבוע (?=מה?יום|ממחר)", _always(_Later(timedelta(weeks=1)))),
        (r"\bin (?:a|1) week\b|\bב?עוד שבוע\b(?! ו)", _days_ahead(7)),
        (r"\bב?עוד שבועיים\b(?! ו)", _days_ahead(14)),
        (r"\bב?עוד יומיים\b", _days_ahead(2)),
        (r"\bin (?:a|1) day\b|\bבעוד יום\b(?! [א-ת])", _days_ahead(1)),
        (r"\b(?:in|ב?עוד) (?P<n>\d{1,3}) (?:days|ימים)\b", partial(_in, unit="days")),
        (r"\b(?:in|ב?עוד) (?P<n>\d{1,2}) (?:weeks|שבועות)\b", partial(_in, unit="weeks")),
        (r"\b(?:the )?day after tomorrow\b|\b[לב]?מחרתיים\b", _days_ahead(2)),
        (r"\btomorrow\b|\btmrw\b|\btomorow\b|\b[למ]?מחר\b", _days_ahead(1)),
        (r"\btoday\b|\b[למ]?היום\b(?! ה)", _days_ahead(0)),
        # parts of today
        (r"\b(?:this |(?=tonight)|ה)(?P<part>morning|afternoon|evening|tonight|בוקר|ערב|לילה)\b", partial(_part, today=True)),
        # dates
        (r"\b(?P<year>20\d\d)-(?P<month>\d{2})-(?P<day>\d{2})(?:\b|t)", _date),
        (r"\b[בהל]?-?(?P<day>\d{1,2})([/.-])(?P<month>\d{1,2})\2(?P<year>20\d\d|\d\d)\b(?![./:-]?\d)", _date),
        (r"\b[בהל]?-?(?P<day>\d{1,2})[/.](?P<month>\d{1,2})\b(?![./:-]?\d)", _date),
        (rf"\b(?:on )?(?:the )?{_DAY} (?:of )?{words.MONTH}{_YEAR}", _date),
        (rf"\b(?:on )?{words.MONTH} (?:the )?{_DAY}\b{_YEAR}", _date),
        (rf"\b[בהל]?-?(?P<day>\d{{1,2}}) [בל]?-?{words.MONTH}{_YEAR}", _date),
        (r"\b(?:on )?the (?P<n>\d{1,2})(?:st|nd|rd|th)\b(?! of)", _day_of_month),
        (r"\bon the (?P<n>\d{1,2})\b(?!:)", _day_of_month),
        (r"\b[בהל]?-?(?P<n>\d{1,2}) לחודש\b(?! הבא)", _day_of_month),
        (r"\bה-(?P<n>\d{1,2})\b(?![:/.])", _day_of_month),
        # weeks and weekdays
        (r"\b(?:in |the )?next week\b|\bב?שבוע הבא\b", _always(_Week(1))),
        (r"\bthis week\b|\bהשבוע\b", _always(_Week(0))),
        (rf"(?<!by )\b(?:on )?(?:(?P<next>next|this coming|this|coming) )?(?P<weekday>{_LONG})\b", _weekday),
        (rf"\b(?:on |(?P<next>next|this coming|this|coming) )(?P<weekday>{_SHORT})\b", _weekday),
        (rf"\b(?P<weekday>{_SHORT})(?=\s?(?:$|[,|]|at\b|\d|morning|afternoon|evening))", _weekday),
        (rf"\b[בל]?יום (?P<weekday>{_HEBREW})\b(?: (?P<next>הקרוב|הבא|הזה))?", _weekday),
        (r"\b[בל]?יום (?P<weekday>[א-וש])'?(?![\w'-])(?: (?P<next>הקרוב|הבא|הזה))?", _weekday),
        (rf"\b[בל](?P<weekday>{_HEBREW})\b(?: (?P<next>הקרוב|הבא|הזה|הבאה))?", _weekday),
        (rf"(?<!יום )\b(?P<weekday>{_HEBREW})\b{_FOLLOWED}(?: (?P<next>הקרוב|הבא|הזה))?", _weekday),
        # times
        (rf"\b(?:between|from|בין|מ)(?: ה)?[ -]?{_clock_pattern('1')} ?(?:and|to|until|till|-|ל|עד|ו)(?: ?ל)?[ -]?{_clock_pattern('2')}", _span),
        (rf"\b(?:after|from|אחרי|מ|החל מ)(?: ה)?[ -]?{_clock_pattern()}", lambda m, now: (_Span(_clock(m, now)),)),
        (rf"\b(?:before|until|till|לפני|עד)(?: ה)?[ -]?{_clock_pattern()}", lambda m, now: (_clock(m, now), _Span(None))[1:]),
        (r"\b(?:at |around |about |by )?(?:12 )?(?:noon|midday)\b", _always(_Clock(12, 0, certain=True))),
        (rf"\b(?:{_AROUND}[ -]{{0,2}})+(?:ה-?)?{_clock_pattern()}(?: o'?clock)?", _at_clock),
        (r"\b(?P<h>\d{1,2}):(?P<m>\d{2})(?!\d|[:/.]\d)(?:\s?(?P<ap>[ap]\.?m\b\.?))?", _at_clock),
        (r"\b(?P<h>\d{1,2})(?P<m>)\s?(?P<ap>[ap]\.?m\b\.?)", _at_clock),
        (r"\b(?P<h>\d{1,2})(?P<m>)(?P<ap>) o'?clock\b", _at_clock),
        (rf"\b(?P<h>\d{{1,2}})(?P<m>)(?P<ap>)(?= (?:in the |at |ב)?{words.PART})", _at_clock),
        # parts of a day
        (rf"\b(?:in the |at |early |late |ב)?{words.PART}", _part),
    )
)  # fmt: skip
