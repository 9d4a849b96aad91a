"""Appointments of one customer: what is free, booking, cancelling. Looks and stages; the turn's commit acts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from functions.agent import calendar_rules as rules
from functions.agent import speech
from functions.agent.calendar_store import Appointment, Book, Cancel
from functions.agent.context import ToolContext
from functions.agent.tools.results import (
    Appointments,
    Booked,
    Cancelled,
    Free,
    FreeDay,
    Listed,
    NotPossible,
    Reason,
    Start,
    Stretch,
)
from functions.shared.profile import Service

MAX_STAGED_WRITES = 80
"""A DynamoDB transaction takes 100 items, and the turn itself needs some."""
_SEARCH_DAYS = 21
_OFFERED_DAYS = 3


def find_free(context: ToolContext, day: str | None, service: str) -> Free | NotPossible:
    """Free starts on the local `day`, or on the first days that have some."""
    wanted = _service(context, service)
    if isinstance(wanted, NotPossible):
        return wanted
    if day is None:
        days = list(_days_with_free_starts(context, wanted, context.now.date()))
        return (
            _free(context, wanted, days) if days else _not_possible("full", "Nothing is free. Offer a person's help.")
        )
    asked = _day(context, day)
    if isinstance(asked, NotPossible):
        return asked
    if found := _free_on(context, wanted, asked):
        return _free(context, wanted, [(asked, found)])
    midnight = datetime.combine(asked, datetime.min.time(), tzinfo=context.profile.zone)
    return _no_room(context, wanted, midnight, "full" if rules.openings(context.profile, asked) else "closed")


def book(context: ToolContext, start: str, service: str) -> Booked | NotPossible:
    """Hold the cells for this turn and stage the booking."""
    wanted = _service(context, service)
    if isinstance(wanted, NotPossible):
        return wanted
    at = _time(context, start)
    if isinstance(at, NotPossible):
        return at
    begin, end = at.astimezone(UTC), at.astimezone(UTC) + rules.duration(wanted)
    for known in _appointments(context):
        if known.start == begin and known.service_id == wanted.id:
            return _booked(context, known, wanted)
        if known.start < end and begin < known.end:
            return _not_possible("already_booked", f"The customer already has {_say(context, known)} then.")
    if begin not in rules.starts(context.profile, wanted, at.date(), context.now):
        return _no_room(context, wanted, at, "closed")
    return _hold(context, wanted, begin, end) or _no_room(context, wanted, at, "taken")


def _hold(context: ToolContext, wanted: Service, begin: datetime, end: datetime) -> Booked | NotPossible | None:
    """The first resource that can be held, booked; None if somebody has them all."""
    for resource in rules.free_resources(context.profile, wanted, begin, _taken(context, begin, end)):
        appointment = Appointment(f"b{secrets.token_hex(6)}", begin, end, wanted.id, resource)
        effect = Book(context.tenant_id, context.conversation_id, context.turn_id, appointment)
        if not _room_for(context, effect):
            return _not_possible("too_many", "That is all that one answer can change; the rest after the next message.")
        if context.calendar.hold(appointment.cells, context.turn_id, context.now):
            context.staging.add(effect)
            return _booked(context, appointment, wanted)
    return None


def cancel(context: ToolContext, booking_id: str) -> Cancelled | NotPossible:
    """Stage the cancellation; a booking of this same turn is simply not made."""
    for booked in context.staging.of(Book):
        if booked.appointment.booking_id == booking_id:
            context.staging.discard(booked)
            return _cancelled(context, booked.appointment)
    for appointment in context.calendar.appointments(context.now):
        if appointment.booking_id == booking_id:
            effect = Cancel(context.tenant_id, context.conversation_id, appointment)
            if not _room_for(context, effect):
                return _not_possible("too_many", "That is all that one answer can change; cancel the rest after it.")
            context.staging.add(effect)
            return _cancelled(context, appointment)
    return _not_possible("not_found", "This customer has no such appointment. Call list_appointments for the ids.")


def listed(context: ToolContext) -> Appointments:
    """The customer's appointments as they will be once this turn has committed."""
    return Appointments(
        appointments=[
            Listed(
                booking_id=appointment.booking_id,
                service_id=appointment.service_id,
                service=_service_name(context, appointment.service_id),
                start=_iso(context, appointment.start),
                spoken=speech.spoken_time(_at_home(context, appointment.start), context.language),
            )
            for appointment in _appointments(context)
        ]
    )


def _service(context: ToolContext, named: str) -> Service | NotPossible:
    """By its id, or by a name in any language."""
    wanted = named.strip().casefold()
    for service in context.profile.services:
        if wanted in (service.id.casefold(), *(name.casefold() for name in service.all_names)):
            return service
    known = ", ".join(f"{s.id} ({s.name(context.language)})" for s in context.profile.services)
    return _not_possible("unknown_service", f"There is no such service. Ask which one of these: {known}.")


def _service_name(context: ToolContext, service_id: str) -> str:
    service = _service(context, service_id)
    return service.name(context.language) if isinstance(service, Service) else service_id


def _day(context: ToolContext, text: str) -> date | NotPossible:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _not_possible("bad_time", "`day` must be a date such as 2026-11-24.")
    if day < context.now.date():
        return _not_possible("past", "That day has passed. Ask the customer for another.")
    if day > (context.now + rules.HORIZON).date():
        return _too_far()
    return day


def _time(context: ToolContext, text: str) -> datetime | NotPossible:
    at = _local(context, text)
    if at is None:
        return _not_possible("bad_time", "`start` must be a local time that exists, such as 2026-11-24T10:00.")
    if not rules.on_grid(at):
        return _not_possible("bad_time", "Appointments begin on a quarter of an hour: 10:00, 10:15, 10:30, 10:45.")
    if at <= context.now:
        return _not_possible("past", "That time has passed. Ask the customer for another.")
    if at > context.now + rules.HORIZON:
        return _too_far()
    return at


def _too_far() -> NotPossible:
    return _not_possible("too_far", f"Bookings are taken {rules.HORIZON.days} days ahead.")


def _appointments(context: ToolContext) -> list[Appointment]:
    cancelled = {effect.appointment.booking_id for effect in context.staging.of(Cancel)}
    standing = [a for a in context.calendar.appointments(context.now) if a.booking_id not in cancelled]
    return sorted([*standing, *(e.appointment for e in context.staging.of(Book))], key=lambda a: a.start)


def _taken(context: ToolContext, begin: datetime, end: datetime) -> set[rules.Cell]:
    staged = {cell for effect in context.staging.of(Book) for cell in effect.appointment.cells}
    days = {begin.astimezone(UTC).date(), (end.astimezone(UTC) - rules.CELL).date()}
    return context.calendar.taken(days, context.now) | staged


def _free_on(context: ToolContext, service: Service, day: date) -> list[datetime]:
    possible = rules.starts(context.profile, service, day, context.now)
    if not possible:
        return []
    taken = _taken(context, possible[0], possible[-1] + rules.duration(service))
    return rules.free_starts(context.profile, service, day, context.now, taken)


def _days_with_free_starts(
    context: ToolContext, service: Service, first: date, count: int = _OFFERED_DAYS
) -> Iterator[tuple[date, list[datetime]]]:
    for offset in range(_SEARCH_DAYS):
        found = _free_on(context, service, first + timedelta(days=offset))
        if found:
            yield first + timedelta(days=offset), found
            count -= 1
            if not count:
                return


def _room_for(context: ToolContext, effect: Book | Cancel) -> bool:
    staged: list[Book | Cancel] = [*context.staging.of(Book), *context.staging.of(Cancel), effect]
    return sum(each.writes for each in staged) <= MAX_STAGED_WRITES


def _local(context: ToolContext, text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(context.profile.zone)
    at = moment.replace(tzinfo=context.profile.zone)
    exists = at.astimezone(UTC).astimezone(context.profile.zone).replace(tzinfo=None) == moment
    return at if exists else None


def _at_home(context: ToolContext, moment: datetime) -> datetime:
    return moment.astimezone(context.profile.zone)


def _iso(context: ToolContext, moment: datetime) -> str:
    return _at_home(context, moment).strftime("%Y-%m-%dT%H:%M")


def _say(context: ToolContext, appointment: Appointment) -> str:
    spoken = speech.spoken_time(_at_home(context, appointment.start), context.language)
    return f"{_service_name(context, appointment.service_id)}, {spoken}"


def _booked(context: ToolContext, appointment: Appointment, service: Service) -> Booked:
    return Booked(
        booking_id=appointment.booking_id,
        service=service.name(context.language),
        price=speech.price(service.price, service.currency),
        start=_iso(context, appointment.start),
        spoken=speech.spoken_time(_at_home(context, appointment.start), context.language),
    )


def _cancelled(context: ToolContext, appointment: Appointment) -> Cancelled:
    return Cancelled(
        booking_id=appointment.booking_id,
        service=_service_name(context, appointment.service_id),
        spoken=speech.spoken_time(_at_home(context, appointment.start), context.language),
    )


def _free(context: ToolContext, service: Service, days: list[tuple[date, list[datetime]]]) -> Free:
    return Free(
        service=service.id,
        minutes=service.minutes,
        days=[
            FreeDay(
                day=day.isoformat(),
                spoken=speech.spoken_day(day, context.language),
                starts=[
                    Stretch(first=_iso(context, first)[11:], last=_iso(context, last)[11:])
                    for first, last in rules.stretches(found)
                ],
            )
            for day, found in days
        ],
    )


def _no_room(context: ToolContext, service: Service, wanted: datetime, reason: Reason) -> NotPossible:
    """Why not then, and the closest times that are free: on that day, or else on the next ones."""
    near = rules.nearest(_free_on(context, service, wanted.date()), wanted, 3)
    if not near:
        following = wanted.date() + timedelta(days=1)
        for _, found in _days_with_free_starts(context, service, following, count=2):
            near += rules.nearest(found, wanted + timedelta(days=1), 1)
    why = {"closed": "The business is closed then", "taken": "Somebody else has that time"}.get(reason, "No room then")
    advice = (
        f"{why}, or the appointment would not end in time. Offer the nearest free times and ask."
        if near
        else f"{why}, and nothing is free near it. Ask for another day."
    )
    return _not_possible(reason, advice, [_start(context, start) for start in near])


def _start(context: ToolContext, moment: datetime) -> Start:
    return Start(start=_iso(context, moment), spoken=speech.spoken_time(_at_home(context, moment), context.language))


def _not_possible(reason: Reason, advice: str, nearest: list[Start] | None = None) -> NotPossible:
    return NotPossible(reason=reason, advice=advice, nearest=nearest or [])
