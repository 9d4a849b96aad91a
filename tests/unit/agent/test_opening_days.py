"""What holds on a date: the special day before the closure, before the holiday, before the eve, before the weekday."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.agent import prompts
from functions.agent.calendar.opening_days import day_of
from functions.shared.profile import BusinessProfile
from tests.unit.agent.support import BARBER

ISRAELI = BusinessProfile.model_validate(
    {
        **BARBER.model_dump(),
        "holidays": {"country": "IL", "eve_hours": ["09:00-13:00"]},
        "closures": [{"first": "2026-09-10", "last": "2026-09-11", "reason": "moving"}],
        "special_days": [
            {"day": "2026-09-21", "hours": ["10:00-11:00"]},
            {"day": "2026-09-10", "hours": ["12:00-13:00"], "reason": "handing over keys"},
            {"day": "2026-12-31"},
        ],
    }
)


def hours(profile: BusinessProfile, day: str) -> list[str]:
    return [opening.short for opening in day_of(profile, date.fromisoformat(day)).openings]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-09-09", ["09:00-19:00"]),  # a Wednesday
        ("2026-09-10", ["12:00-13:00"]),  # special, inside the closure
        ("2026-09-11", []),  # closure, and the eve of Rosh Hashanah
        ("2026-09-12", []),  # Rosh Hashanah, on a Saturday
        ("2026-09-13", []),  # Rosh Hashanah
        ("2026-09-20", ["09:00-13:00"]),  # the eve of Yom Kippur
        ("2026-09-21", ["10:00-11:00"]),  # special, on Yom Kippur
        ("2026-09-25", ["09:00-13:00"]),  # a Friday, the eve of Sukkot
        ("2026-10-03", []),
        ("2026-12-31", []),
        ("2027-04-22", []),  # Pesach
    ],
)
def test_the_most_particular_rule_holds(day: str, expected: list[str]) -> None:
    assert hours(ISRAELI, day) == expected


def test_the_reason_is_said_in_the_customers_language() -> None:
    yom_kippur = date(2027, 10, 11)
    assert day_of(ISRAELI, yom_kippur, "he").reason == "יום כיפור"
    assert day_of(ISRAELI, yom_kippur, "en").reason == "Yom Kippur"
    assert day_of(ISRAELI, yom_kippur - timedelta(days=1), "he").reason == "ערב יום כיפור"
    assert day_of(ISRAELI, date(2026, 9, 11), "he").reason == "moving"
    assert day_of(ISRAELI, date(2026, 9, 9)).reason is None


def test_the_eve_of_a_new_years_holiday_is_in_the_year_before() -> None:
    german = ISRAELI.model_copy(update={"holidays": ISRAELI.holidays.model_copy(update={"country": "DE"})})  # type: ignore[union-attr]
    assert hours(german, "2027-12-31") == ["09:00-13:00"]


def test_holidays_that_are_switched_off_change_nothing() -> None:
    off = ISRAELI.model_copy(update={"holidays": ISRAELI.holidays.model_copy(update={"closed": False})})  # type: ignore[union-attr]
    assert hours(off, "2026-09-13") == ["09:00-19:00"]
    assert hours(off, "2026-09-20") == ["09:00-19:00"]


def test_a_day_off_stays_one_on_the_eve_of_a_holiday() -> None:
    sundays_off = ISRAELI.model_copy(update={"hours": {**ISRAELI.hours, "sunday": ()}})
    assert hours(sundays_off, "2026-09-20") == []


@given(st.dates(date(2025, 1, 1), date(2035, 12, 31)))
def test_without_holidays_closures_and_special_days_the_weekday_decides(day: date) -> None:
    weekday = f"{day:%A}".lower()
    found = day_of(BARBER, day)
    assert (found.openings, found.reason) == (dict(BARBER.hours).get(weekday, ()), None)  # type: ignore[call-overload]


def test_the_model_is_told_of_the_days_that_differ_and_why() -> None:
    assert prompts.different_days(ISRAELI, date(2026, 9, 8)) == [
        "Thursday, 10 September 2026: 12:00-13:00 (handing over keys)",
        "Friday, 11 September 2026: closed (moving)",
        "Sunday, 13 September 2026: closed (Rosh Hashanah)",
        "Sunday, 20 September 2026: 09:00-13:00 (the day before Yom Kippur)",
        "Monday, 21 September 2026: 10:00-11:00",
    ]
    assert prompts.different_days(BARBER, date(2026, 9, 8)) == []
