"""Which reminders an appointment has, and when: written by the commit that books, moves or cancels it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from functions.agent.calendar import asked
from functions.agent.calendar.store import Appointment, Book, Cancel, Move
from functions.agent.context import ToolContext
from functions.agent.language import speech
from functions.shared.inbox import Effect
from functions.shared.profile import BusinessProfile, Language
from functions.shared.profile_parts import REMINDER_USELESS_MINUTES
from functions.shared.scheduled import Reminder, Schedule, Scheduled, Unschedule

SOON = timedelta(hours=1)
"""Whoever booked just now knows."""

_TEXTS: dict[Language, str] = {
    "en": "A reminder from {business}: {service}, {spoken}.{note} To move or cancel it, just answer here.",
    "he": "תזכורת מאת {business}: {service}, {spoken}.{note} לשינוי או לביטול אפשר פשוט לענות כאן.",
}
_ABOUT: dict[Language, str] = {
    "en": "a reminder to {customer} of {service}, {spoken}",
    "he": "תזכורת אל {customer}: {service}, {spoken}",
}
_NOBODY: dict[Language, str] = {"en": "a customer", "he": "לקוח"}


def effects(context: ToolContext) -> list[Effect]:
    """What the staged changes of appointments mean for reminders, as effects of the same commit."""
    return list(_effects(context))


def _effects(context: ToolContext) -> Iterator[Effect]:
    for booked in context.staging.of(Book):
        yield from _set(context, booked.appointment, was_booked=False)
    for moved in context.staging.of(Move):
        yield from _set(context, moved.after, was_booked=True)
    for cancelled in context.staging.of(Cancel):
        yield from _unset(context, [name_of(cancelled.appointment, m) for m in _leads(context)])


def _set(context: ToolContext, appointment: Appointment, *, was_booked: bool) -> Iterator[Effect]:
    found = {minutes: due_at(context.profile, appointment.start, minutes) for minutes in _leads(context)}
    useful = {minutes: due for minutes, due in found.items() if due >= context.now + SOON}
    if useful:
        yield Schedule([_reminder(context, appointment, minutes, due) for minutes, due in useful.items()])
    if was_booked:
        yield from _unset(context, [name_of(appointment, minutes) for minutes in found if minutes not in useful])


def _unset(context: ToolContext, names: list[str]) -> Iterator[Effect]:
    if names:
        yield Unschedule(context.tenant_id, context.conversation_id, names)


def _leads(context: ToolContext) -> tuple[int, ...]:
    return context.profile.reminders.minutes_before


def name_of(appointment: Appointment, minutes: int) -> str:
    """The key of a reminder: one for each appointment and lead, so that a moved appointment's replaces its own."""
    return f"reminder#{appointment.booking_id}#{minutes}"


def due_at(profile: BusinessProfile, start: datetime, minutes: int) -> datetime:
    """When to remind of an appointment at `start`, in UTC. Whole days count on the clock, the rest as it elapses: a day
    before ten o'clock is ten o'clock, though the clocks change in between; two hours before are two hours."""
    days, rest = divmod(minutes, 24 * 60)
    local = start.astimezone(profile.zone) - timedelta(days=days)
    return local.astimezone(UTC) - timedelta(minutes=rest)


def _reminder(context: ToolContext, appointment: Appointment, minutes: int, due: datetime) -> Scheduled:
    profile = context.profile
    service = next((one for one in profile.services if one.id == appointment.service_id), None)
    start = appointment.start.astimezone(profile.zone)
    owners = profile.languages[0]
    return Scheduled(
        tenant_id=context.tenant_id,
        conversation_id=context.conversation_id,
        name=name_of(appointment, minutes),
        due_at=_ms(due),
        useful_until=_ms(appointment.start - timedelta(minutes=REMINDER_USELESS_MINUTES)),
        text=_TEXTS[context.language].format(
            business=profile.name,
            service=asked.service_name(context, appointment.service_id),
            spoken=speech.spoken_time(start, context.language),
            note=_note(profile, context.language),
        ),
        about=_ABOUT[owners].format(
            customer=context.customer_name or _NOBODY[owners],
            service=service.name(owners) if service else appointment.service_id,
            spoken=speech.spoken_time(start, owners),
        ),
        what=Reminder(appointment.booking_id, _ms(appointment.start)),
    )


def _note(profile: BusinessProfile, language: Language) -> str:
    note = profile.reminders.note.get(language) or next(iter(profile.reminders.note.values()), "")
    return f" {' '.join(note.split())}" if note else ""


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
