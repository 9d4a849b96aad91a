"""The file with which a customer puts an appointment into the calendar of their phone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC

from functions.agent import room
from functions.agent.calendar import asked
from functions.agent.calendar.store import Appointment, Book, Move
from functions.agent.context import ToolContext
from functions.shared.contracts import MediaContent
from functions.shared.inbox import Reply
from functions.shared.profile import Language

MEDIA_TYPE = "text/calendar"

_CAPTIONS: dict[Language, str] = {"en": "For your calendar", "he": "ליומן שלך"}

Keep = Callable[[str, bytes, str], bool]
"""(object key, bytes, media type): whether the file is kept, so that it can be sent."""


def replies(context: ToolContext, keep: Keep) -> list[Reply]:
    """A file for each appointment that this turn books or moves, if the business wants that.

    It is kept before the commit: an object that no committed row names is forgotten by the bucket.
    """
    if not context.profile.appointment_files:
        return []
    booked = [effect.appointment for effect in context.staging.of(Book)]
    moved = [effect.after for effect in context.staging.of(Move)]
    found = []
    for appointment in [*booked, *moved][: room.MAX_FILES]:
        body = written(context, appointment)
        digest = hashlib.sha256(body).hexdigest()
        key = f"media/{context.tenant_id}/appointments/{digest}.ics"
        if keep(key, body, MEDIA_TYPE):
            caption = _CAPTIONS[context.language]
            content = MediaContent(
                kind="document",
                object_key=key,
                media_type=MEDIA_TYPE,
                bytes=len(body),
                sha256=digest,
                caption=caption,
                file_name=f"{asked.iso(context, appointment.start)[:10]}.ics",
            )
            found.append(Reply(caption, content))
    return found


def written(context: ToolContext, appointment: Appointment) -> bytes:
    """The appointment as an iCalendar; a moved one has the id that it had, so that a phone replaces it."""
    # Not with the module: it costs a cold start 60 ms, and most businesses send no files.
    from icalendar import Calendar, Event  # noqa: PLC0415

    profile = context.profile
    event = Event()
    event.add("uid", f"{appointment.booking_id}@{profile.tenant_id}.kesher")
    event.add("dtstamp", context.now.astimezone(UTC))
    # Later files of one appointment must count as newer.
    event.add("sequence", int(context.now.timestamp()) % 2**31)
    event.add("dtstart", appointment.start.astimezone(profile.zone))
    event.add("dtend", appointment.end.astimezone(profile.zone))
    event.add("summary", f"{asked.service_name(context, appointment.service_id)} · {profile.name}")
    if profile.location is not None:
        event.add("location", profile.location.address)
    calendar = Calendar()
    calendar.add("prodid", "-//Kesher//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    body: bytes = calendar.to_ical()
    return body
