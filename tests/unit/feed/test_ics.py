"""The owner's calendar as phones read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import icalendar
import pytest

from functions.feed.ics import calendar
from functions.shared.contracts import ConversationId
from functions.shared.diary import Entry
from functions.shared.examples import barber_shop, dental_clinic

BARBER = barber_shop()
NOW = datetime(2026, 10, 1, tzinfo=UTC)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BARBER.zone).timestamp() * 1000)


ENTRY = Entry(
    booking_id="b1",
    conversation_id=ConversationId("c1"),
    start=ms("2026-11-24T10:00"),
    end=ms("2026-11-24T10:30"),
    service_id="haircut",
    place="main",
    customer_name="Dana",
    customer_phone="+972501234567",
)


def read(*entries: Entry) -> list[icalendar.Event]:
    parsed = icalendar.Calendar.from_ical(calendar(BARBER, entries, NOW))
    return [component for component in parsed.walk("VEVENT") if isinstance(component, icalendar.Event)]


def test_an_appointment_says_who_what_and_when_in_the_business_time() -> None:
    [event] = read(ENTRY)
    assert str(event["SUMMARY"]) == "Dana · תספורת"
    assert str(event["DESCRIPTION"]) == "Dana\n+972501234567"
    assert str(event["UID"]) == "b1@business_1.kesher"
    assert b"DTSTART;TZID=Asia/Jerusalem:20261124T100000" in event.to_ical()
    assert "LOCATION" not in event, "there is one chair"


def test_the_zone_is_defined_in_it_with_its_changes_of_the_clocks() -> None:
    winter, summer = ENTRY, replace(ENTRY, booking_id="b2", start=ms("2027-03-30T10:00"), end=ms("2027-03-30T10:30"))
    text = calendar(BARBER, [winter, summer], NOW).decode()
    assert "BEGIN:VTIMEZONE" in text
    starts = [event.start for event in read(winter, summer)]
    assert [start.astimezone(UTC).hour for start in starts if isinstance(start, datetime)] == [8, 7]


def test_an_id_outlives_a_move() -> None:
    moved = replace(ENTRY, start=ms("2026-11-25T12:00"), end=ms("2026-11-25T12:30"))
    assert read(ENTRY)[0]["UID"] == read(moved)[0]["UID"]


@pytest.mark.parametrize("name", ["Dana\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:x", "a;b,c\\n:d", "x" * 5_000, "  ", None])
def test_a_name_is_text_whatever_was_typed_into_whatsapp(name: str | None) -> None:
    [event] = read(replace(ENTRY, customer_name=name))
    assert str(event["UID"]) == "b1@business_1.kesher"
    assert len(str(event["SUMMARY"])) < 150


def test_a_service_that_is_sold_no_more_and_a_clinic_with_rooms() -> None:
    clinic = dental_clinic()
    text = calendar(clinic, [replace(ENTRY, place="room 2", customer_phone=None)], NOW).decode()
    assert "SUMMARY:Dana · haircut" in text
    assert "LOCATION:room 2" in text
