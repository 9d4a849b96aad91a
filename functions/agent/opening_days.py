"""The hours of a date: a special day's, or none in a closure or on a holiday, or the eve's, or the weekday's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from functions.shared.profile import BusinessProfile, Language, Opening, Weekday

_WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LOCALES: dict[Language, str] = {"he": "he", "en": "en_US"}


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
    if (holiday := _holiday(profile.holidays.country, day, language)) is not None:
        return Day((), holiday)
    eve_of = _holiday(profile.holidays.country, day + timedelta(days=1), language)
    if eve_of is not None and usual and profile.holidays.eve_hours is not None:
        return Day(profile.holidays.eve_hours, f"ערב {eve_of}" if language == "he" else f"the day before {eve_of}")
    return Day(usual)


def differs(profile: BusinessProfile, day: date, found: Day) -> bool:
    """Whether these are other hours than the weekday's."""
    return found.openings != profile.hours.get(_WEEKDAYS[day.weekday()], ())


def _holiday(country: str, day: date, language: Language) -> str | None:
    return _holidays(country, day.year, _LOCALES[language]).get(day)


@cache
def _holidays(country: str, year: int, locale: str) -> Mapping[date, str]:
    # Not with the module: it costs a cold start a quarter of a second, and a business without holidays never needs it.
    from holidays import country_holidays  # noqa: PLC0415

    return dict(country_holidays(country, years=year, language=locale).items())
