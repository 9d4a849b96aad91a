"""What a model asked a tool for, as values: a service, a day, a time. What is no such thing is told why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from functions.agent.calendar import rules
from functions.agent.context import ToolContext
from functions.agent.language import speech
from functions.agent.tools.results import NotPossible, Reason, Start
from functions.shared.profile import Service


@dataclass(frozen=True, slots=True)
class Wish:
    """An appointment that is asked for."""

    service: Service
    at: datetime
    """Local."""

    @property
    def begin(self) -> datetime:
        """In UTC, like the others."""
        return self.at.astimezone(UTC)

    @property
    def end(self) -> datetime:
        return self.begin + rules.duration(self.service)

    @property
    def busy_from(self) -> datetime:
        return rules.busy(self.service, self.at)[0]

    @property
    def busy_until(self) -> datetime:
        return rules.busy(self.service, self.at)[1]


def wish(context: ToolContext, start: str, named: str) -> Wish | NotPossible:
    """The service `named` at the local time `start`."""
    wanted = service(context, named)
    if isinstance(wanted, NotPossible):
        return wanted
    at = moment(context, start)
    return at if isinstance(at, NotPossible) else Wish(wanted, at)


def service(context: ToolContext, named: str) -> Service | NotPossible:
    """By its id, or by a name in any language."""
    wanted = named.strip().casefold()
    for known in context.profile.services:
        if wanted in (known.id.casefold(), *(name.casefold() for name in known.all_names)):
            return known
    all_of_them = ", ".join(f"{s.id} ({s.name(context.language)})" for s in context.profile.services)
    return not_possible("unknown_service", f"There is no such service. Ask which one of these: {all_of_them}.")


def service_name(context: ToolContext, service_id: str) -> str:
    """In the customer's language; the id of a service that is sold no more."""
    found = next((s for s in context.profile.services if s.id == service_id), None)
    return found.name(context.language) if found else service_id


def day(context: ToolContext, text: str) -> date | NotPossible:
    """A local date on which something may be booked."""
    try:
        wanted = date.fromisoformat(text)
    except ValueError:
        return not_possible("bad_time", "`day` must be a date such as 2026-11-24.")
    if wanted < context.now.date():
        return not_possible("past", "That day has passed. Ask the customer for another.")
    if wanted > rules.latest(context.profile, context.now).date():
        return _too_far(context)
    return wanted


def moment(context: ToolContext, text: str) -> datetime | NotPossible:
    """A local time at which an appointment may begin, as far as the calendar need not be asked."""
    at = local(context, text)
    if at is None:
        return not_possible("bad_time", "`start` must be a local time that exists, such as 2026-11-24T10:00.")
    if not rules.on_grid(at):
        return not_possible("bad_time", "Appointments begin on a quarter of an hour: 10:00, 10:15, 10:30, 10:45.")
    if at <= context.now:
        return not_possible("past", "That time has passed. Ask the customer for another.")
    if at > rules.latest(context.profile, context.now):
        return _too_far(context)
    return at


def not_possible(reason: Reason, advice: str, nearest: list[Start] | None = None) -> NotPossible:
    return NotPossible(reason=reason, advice=advice, nearest=nearest or [])


def iso(context: ToolContext, at: datetime) -> str:
    """As the tools take it: local."""
    return at.astimezone(context.profile.zone).strftime("%Y-%m-%dT%H:%M")


def spoken(context: ToolContext, at: datetime) -> str:
    """As the customer hears it."""
    return speech.spoken_time(at.astimezone(context.profile.zone), context.language)


def _too_far(context: ToolContext) -> NotPossible:
    return not_possible("too_far", f"Bookings are taken {context.profile.limits.horizon_days} days ahead.")


def local(context: ToolContext, text: str) -> datetime | None:
    """A written local time; None if there is no such time."""
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        return None
    if written.tzinfo is not None:
        return written.astimezone(context.profile.zone)
    at = written.replace(tzinfo=context.profile.zone)
    exists = at.astimezone(UTC).astimezone(context.profile.zone).replace(tzinfo=None) == written
    return at if exists else None
