"""Quiet hours: nights, a weekly stretch, holidays and their eves, and what follows on each other without a break."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.examples import barber_shop
from functions.shared.profile import BusinessProfile
from functions.shared.quiet import LONGEST, quiet_until

SABBATH = {"begins": "friday 15:00", "ends": "saturday 20:30"}


def shop(*, country: str | None = None, **quiet: Any) -> BusinessProfile:  # noqa: ANN401 - as YAML would bring it
    fields = barber_shop().model_dump(mode="json") | {"quiet_hours": quiet}
    return BusinessProfile.model_validate(fields | {"holidays": {"country": country} if country else None})


def local(profile: BusinessProfile, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=profile.zone)


def ends(profile: BusinessProfile, text: str) -> str | None:
    found = quiet_until(profile, local(profile, text))
    return None if found is None else found.astimezone(profile.zone).strftime("%a %d %H:%M")


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-24T20:59", None),
        ("2026-11-24T21:00", "Wed 25 08:00"),
        ("2026-11-25T07:59", "Wed 25 08:00"),
        ("2026-11-25T08:00", None),
        ("2026-11-27T14:59", None),
        ("2026-11-27T15:00", "Sat 28 20:30"),
        ("2026-11-28T20:29", "Sat 28 20:30"),
        ("2026-11-28T20:30", None),
        ("2026-11-28T21:30", "Sun 29 08:00"),
    ],
)
def test_nights_and_the_sabbath_are_quiet(at: str, until: str | None) -> None:
    assert ends(shop(nightly="21:00-08:00", weekly=[SABBATH]), at) == until


def test_what_follows_without_a_break_is_one_quiet() -> None:
    late = {"begins": "friday 15:00", "ends": "saturday 22:00"}
    assert ends(shop(nightly="21:00-08:00", weekly=[late]), "2026-11-27T16:00") == "Sun 29 08:00"


def test_quiet_within_one_day_and_over_the_end_of_a_week() -> None:
    assert ends(shop(nightly="13:00-16:00"), "2026-11-24T14:00") == "Tue 24 16:00"
    weekend = shop(weekly=[{"begins": "saturday 20:00", "ends": "monday 06:00"}])
    assert ends(weekend, "2026-11-29T12:00") == "Mon 30 06:00"


def test_a_holiday_is_quiet_from_the_afternoon_before_it() -> None:
    """Yom Kippur 2026 is Monday, 21 September."""
    profile = shop(country="IL", holidays=True, nightly="21:00-08:00")
    assert ends(profile, "2026-09-20T14:59") is None
    assert ends(profile, "2026-09-20T15:00") == "Tue 22 08:00"
    assert ends(shop(country="IL", nightly="21:00-08:00"), "2026-09-21T12:00") is None, "unless the profile says so"


def test_a_night_in_which_the_clocks_change_ends_by_the_clock() -> None:
    """Israel, 27 March 2026 at 2:00, and back on 25 October at 2:00."""
    profile = shop(nightly="21:00-08:00")
    for evening, hours in (("2026-03-26T21:00", 10), ("2026-10-24T21:00", 12)):
        begins = local(profile, evening).astimezone(UTC)
        found = quiet_until(profile, begins)
        assert found is not None
        assert found.astimezone(profile.zone).hour == 8
        assert found - begins == timedelta(hours=hours)


def test_a_business_that_is_always_quiet_does_not_hang() -> None:
    profile = shop(weekly=[{"begins": "sunday 00:00", "ends": "sunday 00:00"}])
    begins = local(profile, "2026-11-24T12:00")
    found = quiet_until(profile, begins)
    assert found is not None
    assert found >= begins + LONGEST


@given(st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-31")))
def test_no_quiet_begins_where_one_ends(moment: datetime) -> None:
    profile = shop(nightly="21:00-08:00", weekly=[SABBATH])
    at = moment.replace(tzinfo=UTC)
    found = quiet_until(profile, at)
    assert found is None or (found > at and quiet_until(profile, found) is None)
