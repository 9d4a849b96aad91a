"""Quiet hours: when the business begins nothing by itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from functions.shared.profile import BusinessProfile, Weekday
from functions.shared.public_holidays import holiday_on

WEEK: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVE_FROM = time(15)
"""A holiday is quiet from now on the day before: in Israel it begins that evening."""
LONGEST = timedelta(days=8)
"""Of quiet that follows on quiet; a profile that is quiet all week is quiet for ever."""

Stretch = tuple[datetime, datetime]
"""From, until; in UTC."""


def quiet_until(profile: BusinessProfile, moment: datetime) -> datetime | None:
    """When the quiet in which `moment` lies ends, with all that follows on it without a break; None if it is none.

    In UTC; never more than a few days beyond LONGEST.
    """
    begun = at = moment.astimezone(UTC)
    while at - begun < LONGEST:
        ends = [until for begins, until in _stretches(profile, at) if begins <= at < until]
        if not ends:
            break
        at = max(ends)
    return at if at > begun else None


def _stretches(profile: BusinessProfile, at: datetime) -> Iterator[Stretch]:
    """All that can lie around `at`."""
    today = at.astimezone(profile.zone).date()
    for day in (today + timedelta(days=offset) for offset in range(-7, 2)):
        yield from _weekly(profile, day)
        yield from _nightly(profile, day)
        yield from _holiday(profile, day)


def _weekly(profile: BusinessProfile, day: date) -> Iterator[Stretch]:
    for stretch in profile.quiet_hours.weekly:
        begins_on, begins_at = stretch.begins.split()
        if begins_on != WEEK[day.weekday()]:
            continue
        ends_on, ends_at = stretch.ends.split()
        days = (_position(ends_on) - day.weekday()) % 7
        if days == 0 and ends_at <= begins_at:
            days = 7
        yield _utc(profile, day, begins_at), _utc(profile, day + timedelta(days=days), ends_at)


def _nightly(profile: BusinessProfile, day: date) -> Iterator[Stretch]:
    if profile.quiet_hours.nightly is None:
        return
    begins, ends = profile.quiet_hours.nightly.split("-")
    morning = day if ends > begins else day + timedelta(days=1)
    yield _utc(profile, day, begins), _utc(profile, morning, ends)


def _holiday(profile: BusinessProfile, day: date) -> Iterator[Stretch]:
    if not profile.quiet_hours.holidays or profile.holidays is None:
        return
    if holiday_on(profile.holidays.country, day) is not None:
        eve, morrow = day - timedelta(days=1), day + timedelta(days=1)
        yield _utc(profile, eve, EVE_FROM.isoformat("minutes")), _utc(profile, morrow, "00:00")


def _position(weekday: str) -> int:
    return [*WEEK].index(weekday)  # type: ignore[arg-type] # the profile's pattern lets no other word pass


def _utc(profile: BusinessProfile, day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=profile.zone).astimezone(UTC)
