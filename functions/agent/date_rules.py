"""The rules of the date grammar: each one takes its words out of a text and says what it read in them.

A text is read by all rules in their order. What they read must agree, and no word about time may be left;
`dates.py` judges both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

from functions.agent import date_words as words

FARTHEST = timedelta(days=300)
"""A day and month without a year may be this far ahead; farther, it more likely has just passed."""


class Unsure(Exception):  # noqa: N818 - not an error: the grammar's way of saying "ask"
    pass


@dataclass(frozen=True)
class Moment:
    at: datetime


@dataclass(frozen=True)
class Day:
    day: date


@dataclass(frozen=True)
class DayOfMonth:
    number: int


@dataclass(frozen=True)
class Weekday:
    index: int
    of_next_week: bool = False


@dataclass(frozen=True)
class Week:
    offset: int


@dataclass(frozen=True)
class InWeeks:
    """Without a weekday the same day as today, with one that day of the week then."""

    count: int


@dataclass(frozen=True)
class Later:
    by: timedelta


@dataclass(frozen=True)
class Clock:
    hour: int
    minute: int
    certain: bool
    """False where "4" may be 04:00 or 16:00."""


@dataclass(frozen=True)
class Part:
    first: int
    end: int


@dataclass(frozen=True)
class Span:
    """A range of time, or an open one; `begin` is None for "before 5"."""

    begin: Clock | None


Reading = Moment | Day | DayOfMonth | Weekday | Week | InWeeks | Later | Clock | Part | Span
Rule = Callable[[re.Match[str], datetime], "tuple[Reading, ...]"]


def read(text: str, now: datetime) -> tuple[list[Reading], str]:
    """Everything that the rules read in `text`, which is normalised, and what they left of it.

    Raises Unsure if a word about time is left.
    """
    readings: list[Reading] = []
    for pattern, rule in RULES:
        while match := pattern.search(text):
            readings += rule(match, now)
            text = f"{text[: match.start()]}|{text[match.end() :]}"
    if words.LEFTOVER.search(text):
        raise Unsure
    return readings, text


def _clock(match: re.Match[str], _now: datetime, n: str = "") -> Clock:
    hour, minute = int(match[f"h{n}"]), int(match[f"m{n}"] or 0)
    half = (match[f"ap{n}"] or "").replace(".", "")
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        raise Unsure
    if half:
        return Clock(hour % 12 + (12 if half == "pm" else 0), minute, certain=True)
    return Clock(hour, minute, certain=hour > 12 or match[f"h{n}"].startswith("0"))


def _at_clock(match: re.Match[str], now: datetime) -> tuple[Reading, ...]:
    return (_clock(match, now),)


def _span(match: re.Match[str], now: datetime) -> tuple[Reading, ...]:
    begin, end = _clock(match, now, "1"), _clock(match, now, "2")
    if not begin.certain and end.certain and end.hour >= 12 and begin.hour < end.hour - 12:
        begin = Clock(begin.hour + 12, begin.minute, certain=True)
    return (Span(begin),)


def _from_then(match: re.Match[str], now: datetime) -> tuple[Reading, ...]:
    return (Span(_clock(match, now)),)


def _until_then(match: re.Match[str], now: datetime) -> tuple[Reading, ...]:
    _clock(match, now)  # "until 25" is no time
    return (Span(None),)


def _date(match: re.Match[str], now: datetime) -> tuple[Reading, ...]:
    groups = match.groupdict()
    month = words.MONTHS.get(groups["month"]) or int(groups["month"])
    number = int(groups["day"])
    if groups.get("year"):
        year = int(groups["year"])
        return (Day(date(year + 2000 if year < 100 else year, month, number)),)
    today = now.date()
    for year in (today.year, today.year + 1):
        try:
            day = date(year, month, number)
        except ValueError:
            continue
        if today <= day <= today + FARTHEST:
            return (Day(day),)
    raise Unsure


def _in(match: re.Match[str], now: datetime, unit: str, fixed: float | None = None) -> tuple[Reading, ...]:
    count = fixed if fixed is not None else float(match["n"])
    if unit in ("hours", "minutes"):
        at = now.astimezone(UTC) + timedelta(**{unit: count})
        return (Moment(at.astimezone(now.tzinfo).replace(second=0, microsecond=0)),)
    return (Day(now.date() + timedelta(**{unit: count})),)


def _in_weeks(match: re.Match[str], _now: datetime) -> tuple[Reading, ...]:
    return (InWeeks(int(match["n"])),)


def _military(match: re.Match[str], _now: datetime) -> tuple[Reading, ...]:
    return (Clock(int(match["h"]), int(match["m"]), certain=True),)


def _part(match: re.Match[str], _now: datetime) -> tuple[Reading, ...]:
    return (Part(*words.PARTS[match["part"]]),)


def _part_of_today(match: re.Match[str], now: datetime) -> tuple[Reading, ...]:
    return (Day(now.date()), *_part(match, now))


def _weekday(match: re.Match[str], now: datetime) -> tuple[Reading, ...]:
    index, which = words.WEEKDAYS[match["weekday"]], match.groupdict().get("next")
    if which in ("this", "הזה") and index == now.weekday():
        raise Unsure
    return (Weekday(index, of_next_week=which in ("next", "הבא", "הבאה")),)


def _day_of_month(match: re.Match[str], _now: datetime) -> tuple[Reading, ...]:
    return (DayOfMonth(int(match["n"])),)


def _of_next_month(match: re.Match[str], now: datetime) -> tuple[Reading, ...]:
    following = (now.date().replace(day=1) + timedelta(days=31)).replace(day=1)
    return (Day(following.replace(day=int(match["n"]))),)


def _always(*readings: Reading) -> Rule:
    return lambda _match, _now: readings


def _days_ahead(count: int) -> Rule:
    return lambda _match, now: (Day(now.date() + timedelta(days=count)),)


def _clock_pattern(n: str = "") -> str:
    return rf"(?P<h{n}>\d{{1,2}})(?::(?P<m{n}>\d{{2}}))?(?!\d|[:/.]\d)(?:\s?(?P<ap{n}>[ap]\.?m\b\.?))?"


_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<year>20\d\d))?\b(?!:)"
_LONG = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|shabbat|shabat"
_SHORT = "mon|tues|tue|weds|wed|thurs|thur|thu|fri|sat|sun"
_HEBREW = "ראשון|שני|שלישי|שלשי|רביעי|רבעי|חמישי|חמשי|שישי|ששי|שבת"
_FOLLOWED = r"(?= ?(?:$|[,.?!|]|ב|הקרוב|הבא|הזה|אחר|ל?שעה|\d))"
_WEEK = timedelta(weeks=1)
_UNTIL = r"(?:and|to|until|till|-|ל|עד|ו)(?: ?ל)?"
_AROUND = r"(?:at|@|say|around|(?<!how )(?<!what )about|approximately|בשעה|לשעה|השעה|בסביבות|בערך|לקראת|ב)"

RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        # relative to now
        (r"\bin (?:an |1 )hour and (?:a )?half\b|\bב?עוד שעה וחצי\b", partial(_in, unit="minutes", fixed=90)),
        (r"\bin (?:half an|a half) hour\b|\bב?עוד חצי שעה\b", partial(_in, unit="minutes", fixed=30)),
        (r"\bin (?:a )?quarter of an hour\b|\bב?עוד רבע שעה\b", partial(_in, unit="minutes", fixed=15)),
        (r"\bin (?:an|1) hour\b|\bב?עוד שעה\b(?! ו)", partial(_in, unit="hours", fixed=1)),
        (r"\bב?עוד שעתיים\b(?! ו)", partial(_in, unit="hours", fixed=2)),
        (r"\b(?:in|ב?עוד) (?P<n>\d{1,2}(?:\.5)?) (?:hours|hrs|שעות)\b(?! and| ו)", partial(_in, unit="hours")),
        (r"\b(?:in|ב?עוד) (?P<n>\d{1,3}) (?:minutes|mins?|דקות)\b", partial(_in, unit="minutes")),
        (r"\b(?:a|1) week (?:from|after)(?= \w)|\b(?:ב?עוד )?שבוע (?=מה?יום|ממחר)", _always(Later(_WEEK))),
        (r"\bin (?:a|1) week\b|\bב?עוד שבוע\b(?! ו)", _days_ahead(7)),
        (r"\bב?עוד שבועיים\b(?! ו)", _always(InWeeks(2))),
        (r"\bב?עוד יומיים\b", _days_ahead(2)),
        (r"\bin (?:a|1) day\b|\bבעוד יום\b(?! [א-ת])", _days_ahead(1)),
        (r"\b(?:in|ב?עוד) (?P<n>\d{1,3}) (?:days|ימים)\b", partial(_in, unit="days")),
        (r"\b(?:in|ב?עוד) (?:a )?(?P<n>\d{1,2}) (?:weeks|שבועות)\b", _in_weeks),
        (r"\b(?:the )?day after tomorrow\b|\b[לב]?מחרתיים\b", _days_ahead(2)),
        (r"\btomorrow\b|\btmrw\b|\btomorow\b|\b[למ]?מחר\b", _days_ahead(1)),
        (r"\btoday\b|\b[למ]?היום\b(?! ה)", _days_ahead(0)),
        # parts of today
        (r"\b(?:this |(?=tonight)|ה)(?P<part>morning|afternoon|evening|tonight|בוקר|ערב|לילה)\b", _part_of_today),
        # dates
        (r"\b(?P<year>20\d\d)-(?P<month>\d{2})-(?P<day>\d{2})(?:\b|t)", _date),
        (r"\b[בהל]?-?(?P<day>\d{1,2})([/.-])(?P<month>\d{1,2})\2(?P<year>20\d\d|\d\d)\b(?![./:-]?\d)", _date),
        (r"\b[בהל]?-?(?P<day>\d{1,2})[/.](?P<month>\d{1,2})\b(?![./:-]?\d)", _date),
        (rf"\b(?:on )?(?:the )?{_DAY} (?:of )?{words.MONTH}{_YEAR}", _date),
        (rf"\b(?:on )?{words.MONTH} (?:the )?{_DAY}\b{_YEAR}", _date),
        (rf"\b[בהל]?-?(?P<day>\d{{1,2}}) [בל]?-?{words.MONTH}{_YEAR}", _date),
        (r"\b(?:on )?the (?P<n>\d{1,2})(?:st|nd|rd|th)\b(?! of)", _day_of_month),
        (r"\bnext month (?P<n>\d{1,2})\b", _of_next_month),
        (r"\bon the (?P<n>\d{1,2})\b(?!:)", _day_of_month),
        (r"\b[בהל]?-?(?P<n>\d{1,2}) לחודש\b(?! הבא)", _day_of_month),
        (r"\bה-(?P<n>\d{1,2})\b(?![:/.])", _day_of_month),
        (r"\b(?P<n>\d{1,2})(?:st|nd|rd|th)\b(?! (?:of|time|floor|visit|grade|street|birthday))", _day_of_month),
        # weeks and weekdays
        (r"\b(?:in |the )?next week\b|\bב?שבוע הבא\b", _always(Week(1))),
        (r"\bthis week\b|\bהשבוע\b", _always(Week(0))),
        (rf"(?<!by )\b(?:on )?(?:(?P<next>next|this coming|this|coming) )?(?P<weekday>{_LONG})\b", _weekday),
        (rf"\b(?:on |(?P<next>next|this coming|this|coming) )(?P<weekday>{_SHORT})\b", _weekday),
        (rf"\b(?P<weekday>{_SHORT})(?=\s?(?:$|[,|@]|at\b|\d|morning|afternoon|evening))", _weekday),
        (rf"\b[בל]?יום (?P<weekday>{_HEBREW})\b(?: (?P<next>הקרוב|הבא|הזה))?", _weekday),
        (r"\b[בל]?יום (?P<weekday>[א-וש])'?(?![\w'-])(?: (?P<next>הקרוב|הבא|הזה))?", _weekday),
        (rf"\b[בל](?P<weekday>{_HEBREW})\b(?: (?P<next>הקרוב|הבא|הזה|הבאה))?", _weekday),
        (rf"(?<!יום )\b(?P<weekday>{_HEBREW})\b{_FOLLOWED}(?: (?P<next>הקרוב|הבא|הזה))?", _weekday),
        # times
        (rf"\b(?:between|from|בין|מ)(?: ה)?[ -]?{_clock_pattern('1')} ?{_UNTIL}[ -]?{_clock_pattern('2')}", _span),
        (rf"\b(?:at|בשעה|בין|ב) ?-?{_clock_pattern('1')} ?- ?{_clock_pattern('2')}", _span),
        (r"\b(?P<h1>\d{1,2})(?P<m1>)(?P<ap1>) ?- ?(?P<h2>\d{1,2})(?P<m2>)\s?(?P<ap2>[ap]\.?m\b\.?)", _span),
        (r"\b(?P<h1>1[3-9]|2[0-3])(?P<m1>)(?P<ap1>) ?- ?(?P<h2>1[4-9]|2[0-3])(?P<m2>)(?P<ap2>)\b(?![:/.-]\d)", _span),
        (r"\b(?P<h1>\d{1,2}):(?P<m1>\d\d)(?P<ap1>) ?- ?(?P<h2>\d{1,2}):(?P<m2>\d\d)(?P<ap2>)\b", _span),
        (r"\bafter (?:work|school)\b|\bאחרי (?:ה?עבודה|ה?לימודים)\b", _always(Span(Clock(17, 0, certain=True)))),
        (r"\bafter lunch\b", _always(Span(Clock(13, 0, certain=True)))),
        # 1630, but no year
        (r"\b(?:at|בשעה|ב) ?-?(?!20[23])(?P<h>[01]\d|2[0-3])(?P<m>[0-5]\d)\b(?: ?(?:hours|hrs|h)\b)?", _military),
        (rf"\b(?:after|from|אחרי|מ|החל מ)(?: ה)?[ -]?{_clock_pattern()}", _from_then),
        (rf"\b(?:before|until|till|לפני|עד)(?: ה)?[ -]?{_clock_pattern()}", _until_then),
        (r"\b(?:at |around |about |by )?(?:12 )?(?:noon|midday)\b", _always(Clock(12, 0, certain=True))),
        (rf"\b(?:{_AROUND}[ -]{{0,2}})+(?:ה-?)?{_clock_pattern()}(?: o'?clock)?", _at_clock),
        (r"\b(?P<h>\d{1,2}):(?P<m>\d{2})(?!\d|[:/.]\d)(?:\s?(?P<ap>[ap]\.?m\b\.?))?", _at_clock),
        (r"\b(?P<h>\d{1,2})(?P<m>)\s?(?P<ap>[ap]\.?m\b\.?)", _at_clock),
        (r"\b(?P<h>\d{1,2})(?P<m>)(?P<ap>) o'?clock\b", _at_clock),
        (rf"\b(?P<h>\d{{1,2}})(?P<m>)(?P<ap>)(?= (?:in the |at |ב)?{words.PART})", _at_clock),
        # parts of a day
        (rf"\b(?:in the |at |early |late |ב)?{words.PART}", _part),
    )
)  # fmt: skip
