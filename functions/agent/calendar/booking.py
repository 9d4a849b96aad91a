"""Appointments of one customer: booking, moving, cancelling. Looks and stages; the turn's commit acts."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace

from functions.agent import room
from functions.agent.calendar import asked, free_times, rules
from functions.agent.calendar.asked import Wish
from functions.agent.calendar.store import Appointment, Book, Cancel, Move
from functions.agent.context import ToolContext
from functions.agent.language import speech
from functions.agent.tools.results import Appointments, Booked, Cancelled, Listed, Moved, NotPossible, Reason
from functions.shared.profile import Language, Service

Change = Book | Move | Cancel

_TO_BOOK: dict[Language, str] = {"en": "to book: {}", "he": "לקבוע תור: {}"}
_TO_MOVE: dict[Language, str] = {"en": "to move: {}; to: {}", "he": "להזיז תור: {}; למועד: {}"}
_TO_CANCEL: dict[Language, str] = {"en": "to cancel: {}", "he": "לבטל תור: {}"}


def book(context: ToolContext, start: str, service: str, *, additional: bool = False) -> Booked | NotPossible:
    """Hold the cells for this turn and stage the booking.

    An appointment that overlaps one of the customer's own is made only if it is said to be `additional`, for a second
    person: without that, a model that repeats a call would book twice.
    """
    wish = asked.wish(context, start, service)
    if isinstance(wish, NotPossible):
        return wish
    known = appointments(context)
    overlapping = [] if additional else [one for one in known if one.start < wish.end and wish.begin < one.end]
    for one in overlapping:
        if one.start == wish.begin and one.service_id == wish.service.id:
            return _booked(context, one, wish.service)
    if overlapping:
        return _have_one(context, overlapping[0])
    return _not_open(context, wish) or _limit(context, known) or _book(context, wish)


def _book(context: ToolContext, wish: Wish) -> Booked | NotPossible:
    taken = free_times.taken(context, wish.busy_from, wish.busy_until)
    for place in rules.free_places(context.profile, wish.service, wish.begin, taken):
        appointment = _appointment(f"b{secrets.token_hex(6)}", wish, place)
        effect = Book(context.tenant_id, context.conversation_id, context.turn_id, appointment)
        if refusal := _no_room_for(context, effect):
            return refusal
        if context.calendar.hold(appointment.cells, context.turn_id, context.now):
            context.staging.add(effect)
            return _booked(context, appointment, wish.service)
    return free_times.no_room(context, wish.service, wish.at, "taken")


def move(context: ToolContext, booking_id: str, start: str, service: str | None = None) -> Moved | NotPossible:
    """Hold what is new of the new time and stage the move; the old time stays the customer's until the commit."""
    current = next((one for one in appointments(context) if one.booking_id == booking_id), None)
    if current is None:
        return _not_found()
    wish = asked.wish(context, start, service or current.service_id)
    if isinstance(wish, NotPossible):
        return wish
    if (wish.begin, wish.service.id) == (current.start, current.service_id):
        return _moved(context, current, current, wish.service)
    staged = _staged(context, booking_id)
    # A booking of this same turn is stored nowhere yet: it becomes another booking.
    stored = current if staged is None else staged.before if isinstance(staged, Move) else None
    own = {*current.cells, *(stored.cells if stored else ())}
    return _not_open(context, wish, own) or _move(context, wish, current, stored, own)


def _move(
    context: ToolContext, wish: Wish, current: Appointment, stored: Appointment | None, own: set[rules.Cell]
) -> Moved | NotPossible:
    staged = _staged(context, current.booking_id)
    taken = free_times.taken(context, wish.busy_from, wish.busy_until) - own
    places = rules.free_places(context.profile, wish.service, wish.begin, taken)
    for place in sorted(places, key=lambda place: place != current.resource):  # stay where it is, if possible
        after = _appointment(current.booking_id, wish, place)
        effect: Book | Move
        if stored is None:
            effect = Book(context.tenant_id, context.conversation_id, context.turn_id, after)
        else:
            effect = Move(context.tenant_id, context.conversation_id, context.turn_id, stored, after)
        if refusal := _no_room_for(context, effect, instead_of=staged):
            return refusal
        if not effect.added or context.calendar.hold(effect.added, context.turn_id, context.now):
            _replace(context, staged, effect)
            return _moved(context, stored or current, after, wish.service)
    return free_times.no_room(context, wish.service, wish.at, "taken", own)


def _appointment(booking_id: str, wish: Wish, place: str) -> Appointment:
    return Appointment(booking_id, wish.begin, wish.end, wish.busy_from, wish.busy_until, wish.service.id, place)


def cancel(context: ToolContext, booking_id: str) -> Cancelled | NotPossible:
    """Stage the cancellation; a booking of this same turn is simply not made."""
    staged = _staged(context, booking_id)
    if isinstance(staged, Book):
        context.staging.discard(staged)
        return _cancelled(context, staged.appointment)
    for appointment in context.calendar.appointments(context.now):
        if appointment.booking_id == booking_id:
            effect = Cancel(context.tenant_id, context.conversation_id, appointment)
            if refusal := _no_room_for(context, effect, instead_of=staged):
                return refusal
            _replace(context, staged, effect)
            return _cancelled(context, appointment)
    return _not_found()


def listed(context: ToolContext) -> Appointments:
    """The customer's appointments as they will be once this turn has committed."""
    return Appointments(
        appointments=[
            Listed(
                booking_id=appointment.booking_id,
                service_id=appointment.service_id,
                service=asked.service_name(context, appointment.service_id),
                start=asked.iso(context, appointment.start),
                spoken=asked.spoken(context, appointment.start),
            )
            for appointment in appointments(context)
        ]
    )


# ---- what this turn has staged ------------------------------------------------------------------------------------


def appointments(context: ToolContext) -> list[Appointment]:
    """The customer's appointments as they will be once this turn has committed, earliest first."""
    cancelled = {effect.appointment.booking_id for effect in context.staging.of(Cancel)}
    moved = {effect.before.booking_id: effect.after for effect in context.staging.of(Move)}
    standing = [
        moved.get(appointment.booking_id, appointment)
        for appointment in context.calendar.appointments(context.now)
        if appointment.booking_id not in cancelled
    ]
    return sorted([*standing, *(e.appointment for e in context.staging.of(Book))], key=lambda a: a.start)


def _staged(context: ToolContext, booking_id: str) -> Book | Move | None:
    for booked in context.staging.of(Book):
        if booked.appointment.booking_id == booking_id:
            return booked
    return next((moved for moved in context.staging.of(Move) if moved.before.booking_id == booking_id), None)


def _replace(context: ToolContext, staged: Change | None, effect: Change) -> None:
    if staged is not None:
        context.staging.discard(staged)
    context.staging.add(effect)


def _no_room_for(context: ToolContext, effect: Change, instead_of: Change | None = None) -> NotPossible | None:
    """Why the change cannot be staged beside the others; None if the commit can hold them all."""
    staged: list[Change] = [*context.staging.of(Book), *context.staging.of(Move), *context.staging.of(Cancel)]
    others = [one for one in staged if one != instead_of]
    most = room.for_changes(context.profile)
    if _writes(context, [*others, effect]) <= most:
        return None
    return _too_many() if _writes(context, [effect]) <= most else _too_long(context, effect)


def _writes(context: ToolContext, changes: Sequence[Change]) -> int:
    reminders = len(context.profile.reminders.minutes_before)
    return sum(change.writes + reminders for change in changes)


# ---- what is said -------------------------------------------------------------------------------------------------


def _not_open(context: ToolContext, wish: Wish, own: Collection[rules.Cell] = ()) -> NotPossible | None:
    if wish.begin in rules.starts(context.profile, wish.service, wish.at.date(), context.now):
        return None
    reason: Reason = "too_soon" if wish.at < rules.earliest(context.profile, context.now) else "closed"
    return free_times.no_room(context, wish.service, wish.at, reason, own)


def _limit(context: ToolContext, known: list[Appointment]) -> NotPossible | None:
    most = context.profile.limits.max_appointments
    if len(known) < most:
        return None
    return asked.not_possible(
        "limit",
        f"A customer may have {most} coming appointments, and this one has them. A person can make an exception.",
    )


def _have_one(context: ToolContext, other: Appointment) -> NotPossible:
    known = f"{asked.service_name(context, other.service_id)}, {asked.spoken(context, other.start)}"
    return asked.not_possible(
        "already_booked",
        f"The customer already has {known}. If another one at the same time is wanted, for a second person, call again "
        "with `additional` true.",
    )


def _too_many() -> NotPossible:
    return asked.not_possible("too_many", "That is all that one answer can change; the rest after the next message.")


def _too_long(context: ToolContext, effect: Change) -> NotPossible:
    """No other turn could do it either, so a person is asked, whatever the model says next."""
    context.staging.pass_on(_for_the_owner(context, effect))
    return asked.not_possible(
        "too_long", "Only a person can arrange so long an appointment. One has been asked: say that they answer here."
    )


def _for_the_owner(context: ToolContext, effect: Change) -> str:
    language = context.profile.languages[0]
    owners = replace(context, language=language)

    def told(appointment: Appointment) -> str:
        return f"{asked.service_name(owners, appointment.service_id)}, {asked.spoken(owners, appointment.start)}"

    match effect:
        case Book(appointment=appointment):
            return _TO_BOOK[language].format(told(appointment))
        case Move(before=before, after=after):
            return _TO_MOVE[language].format(told(before), told(after))
        case Cancel(appointment=appointment):
            return _TO_CANCEL[language].format(told(appointment))


def _not_found() -> NotPossible:
    return asked.not_possible("not_found", "This customer has no such appointment. Call list_appointments for the ids.")


def _booked(context: ToolContext, appointment: Appointment, service: Service) -> Booked:
    return Booked(
        booking_id=appointment.booking_id,
        service=service.name(context.language),
        price=speech.price(service.price, service.currency),
        start=asked.iso(context, appointment.start),
        spoken=asked.spoken(context, appointment.start),
    )


def _moved(context: ToolContext, before: Appointment, after: Appointment, service: Service) -> Moved:
    return Moved(
        booking_id=after.booking_id,
        service=service.name(context.language),
        price=speech.price(service.price, service.currency),
        start=asked.iso(context, after.start),
        spoken=asked.spoken(context, after.start),
        was=asked.spoken(context, before.start),
    )


def _cancelled(context: ToolContext, appointment: Appointment) -> Cancelled:
    return Cancelled(
        booking_id=appointment.booking_id,
        service=asked.service_name(context, appointment.service_id),
        spoken=asked.spoken(context, appointment.start),
    )
