"""Appointments as an iCalendar (RFC 5545) that phones subscribe to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from functions.shared.diary import Entry
from functions.shared.profile import BusinessProfile

REFRESH = timedelta(minutes=15)
"""How often a phone should look; most look when they like."""
_SHORTEST = 120
"""Characters of a customer's name: whatever they typed into WhatsApp."""


def calendar(profile: BusinessProfile, entries: Sequence[Entry], now: datetime) -> bytes:
    """The calendar in the business's time zone, each appointment under an id that never changes."""
    feed = Calendar()
    feed.add("prodid", "-//Kesher//Appointments//EN")
    feed.add("version", "2.0")
    feed.add("method", "PUBLISH")
    feed.add("x-wr-calname", profile.name)
    feed.add("x-wr-timezone", profile.time_zone)
    feed.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    feed.add("x-published-ttl", "PT15M")
    for entry in entries:
        feed.add_component(_event(profile, entry, now))
    feed.add_missing_timezones()
    written: bytes = feed.to_ical()
    return written


def _event(profile: BusinessProfile, entry: Entry, now: datetime) -> Event:
    service = next((one for one in profile.services if one.id == entry.service_id), None)
    name = " ".join((entry.customer_name or "").split())[:_SHORTEST]
    event = Event()
    event.add("uid", f"{entry.booking_id}@{profile.tenant_id}.kesher")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", _local(profile, entry.start))
    event.add("dtend", _local(profile, entry.end))
    what = service.name(profile.languages[0]) if service else entry.service_id
    event.add("summary", " · ".join(part for part in (name, what) if part))
    details = [part for part in (name, entry.customer_phone) if part]
    if details:
        event.add("description", "\n".join(details))
    if len([place for resource in profile.resources for place in resource.places]) > 1:
        event.add("location", entry.place)
    event.add("status", "CONFIRMED")
    return event


def _local(profile: BusinessProfile, ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(profile.zone)
