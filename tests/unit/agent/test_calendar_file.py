"""The file for the customer's calendar, behind the confirmation of a booking."""

from __future__ import annotations

import icalendar
import pytest

from functions.shared.contracts import MediaContent
from functions.shared.profile_parts import Location
from tests.unit.agent.support import BARBER, Phone

PLACE = Location(address="1 Herzl Street; Tel Aviv", latitude=32.0, longitude=34.7)
WITH_FILES = BARBER.model_copy(update={"appointment_files": True, "location": PLACE})


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


def test_a_booking_comes_with_a_file_and_a_move_with_one_that_replaces_it() -> None:
    phone = Phone(WITH_FILES)
    phone.send("book me a haircut tomorrow at 10")
    phone.send("move it to tomorrow at 12")
    events = []
    for content in phone.store.chat().attachments:
        assert isinstance(content, MediaContent)
        assert (content.kind, content.media_type, content.file_name) == ("document", "text/calendar", "2026-11-23.ics")
        assert content.object_key is not None
        body = phone.store.files[content.object_key]
        assert content.bytes == len(body)
        events += icalendar.Calendar.from_ical(body).walk("VEVENT")
    booked, moved = (event.to_ical().decode() for event in events)
    assert "DTSTART;TZID=Asia/Jerusalem:20261123T100000" in booked
    assert "DTSTART;TZID=Asia/Jerusalem:20261123T120000" in moved
    assert "SUMMARY:Haircut · מספרת רון" in booked
    assert "LOCATION:1 Herzl Street\\; Tel Aviv" in booked
    assert str(events[0]["UID"]) == str(events[1]["UID"])


def test_without_a_bucket_or_the_owners_wish_the_confirmation_comes_alone() -> None:
    for profile, keeps in ((WITH_FILES, False), (BARBER, True)):
        phone = Phone(profile)
        phone.store.keeps_files = keeps
        phone.send("book me a haircut tomorrow at 10")
        assert len(phone.booked()) == 1
        assert phone.store.chat().attachments == []
