"""The hours of a date: a special day's, or none in a closure or on a holiday, or the eve's, or the weekday's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from functions.shared.profile import BusinessProfile, Language, Opening, Weekday
from functions.shared.public_holidays import holiday_on

_WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Day:
    """Hours of one date; `reason` says why they differ from the weekday's, if they do and it is known."""

    openings: tuple[Opening, ...]
    reason: str | None = None


def day_of(profile: BusinessProfile, day: date, language: Language = "en") -> Day:
    """The hours of the local `day`, and in `language` why they are not the usual ones."""
    usual = profile.hours.get(_WEEKDAYS[day.weekday()], ())
    for special in profile.special_days:
        if special.day == day:
            return Day(special.hours, special.reason)
    for closure in profile.closures:
        if closure.first <= day <= closure.last:
            return Day((), closure.reason)
    if profile.holidays is None or not profile.holidays.closed:
        return Day(usual)
    if (holiday := holiday_on(profile.holidays.country, day, language)) is not None:
        return Day((), holiday)
    eve_of = holiday_on(profile.holidays.country, day + timedelta(days=1), language)
    if eve_of is not None and usual and profile.holidays.eve_hours is not None:
        return Day(profile.holidays.eve_hours, f"ערב {eve_of}" if language == "he" else f"the day before {eve_of}")
    return Day(usual)


def differs(profile: BusinessProfile, day: date, found: Day) -> bool:
    """Whether these are other hours than the weekday's."""
    return found.openings != profile.hours.get(_WEEKDAYS[day.weekday()], ())
