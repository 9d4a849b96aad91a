"""Public holidays of a country, by the library `holidays`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

from functions.shared.profile_parts import Language

_LOCALES: dict[Language, str] = {"he": "he", "en": "en_US"}


def holiday_on(country: str, day: date, language: Language = "en") -> str | None:
    """The holiday's name in `language`, or None. `country` is ISO 3166-1."""
    return _holidays(country, day.year, _LOCALES[language]).get(day)


@cache
def _holidays(country: str, year: int, locale: str) -> Mapping[date, str]:
    # Not with the module: it costs a cold start a quarter of a second, and a business without holidays never needs it.
    from holidays import country_holidays  # noqa: PLC0415

    return dict(country_holidays(country, years=year, language=locale).items())
