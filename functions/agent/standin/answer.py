"""The stand-in's answer: one message that covers everything that was asked, its own question last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, time

from functions.agent.calendar import opening_days
from functions.agent.language import speech
from functions.agent.standin import errands, lead, personal
from functions.agent.standin.phrases import LANGUAGES, WEEKDAYS, Phrase, say
from functions.agent.standin.services import LISTED
from functions.agent.standin.situation import Situation
from functions.agent.standin.wishes import Intent
from functions.agent.tools.results import (
    Appointments,
    Booked,
    Cancelled,
    Free,
    FreeDay,
    Moved,
    NotPossible,
    Sources,
    Start,
)
from functions.shared.profile import Language, Service, Weekday

_WEEK: tuple[Weekday, ...] = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_OFFERED_TIMES = 5


def compose(situation: Situation) -> str:
    """The answer, once all the tools that it needs have answered."""
    language, wants = situation.language, situation.wants
    content = [
        *_facts(situation),
        *_other(situation),
        *errands.said(situation),
        *lead.said(situation),
        *_appointments(situation),
    ]
    if situation.unseen:
        content.insert(0, say("unseen", language))
    name = situation.told.name or personal.name_in(situation.facts)
    if "offer" in wants and not name:
        content.append(say("your_name", language))
    content = content or list(_small_talk(situation))
    # The introduction, before the first answer, greets already; "nice to meet you" does, too.
    opening = []
    if "greeting" in wants and not situation.first_contact and not situation.told.name:
        opening = [say("hello_name", language, name=name) if name else say("hello", language)]
    return "\n".join([*opening, *(content or [say("help", language)])])


def _small_talk(situation: Situation) -> Iterator[str]:
    """What is said if there is nothing else to say."""
    language, wants = situation.language, situation.wants
    small: dict[Intent, Phrase] = {"how_are_you": "how_are_you", "insult": "insult", "never_mind": "never_mind"}
    wordless = not any(letter.isalnum() for letter in situation.said) and not situation.unseen
    for intent, phrase in small.items():
        if intent in wants:
            yield say(phrase, language)
            return
    if "thanks" in wants or (("yes" in wants or wordless) and not situation.first_contact):
        yield say("welcome", language)


def _facts(situation: Situation) -> Iterator[str]:
    language = situation.language
    if "bot" in situation.wants:
        yield say("bot", language)
    if "languages" in situation.wants:
        spoken = ", ".join(LANGUAGES[language][one] for one in situation.profile.languages)
        yield say("languages", language, languages=spoken)
    if "others" in situation.wants:
        yield say("only_yours", language)
    if "where" in situation.wants and situation.profile.location:
        yield say("where", language, address=situation.profile.location.address)
    if situation.hours_on:
        yield _hours_on(situation, situation.hours_on)
    elif "hours" in situation.wants:
        yield say("hours", language, hours=_hours(situation))
    if situation.wants & {"price", "services"}:
        asked = situation.named or situation.profile.services
        yield "; ".join(_price(service, language) for service in asked) + "."


def _other(situation: Situation) -> Iterator[str]:
    """What the business has written down, with its title as the source; of the rest, that it is not known."""
    found = situation.results.get("search_knowledge")
    if isinstance(found, Sources):
        for source in found.entries[: len(situation.other)]:
            yield say("known", situation.language, title=source.title, text=" ".join(source.text.split()))
    if "complaint" in situation.wants:
        yield say("complaint", situation.language)
    elif situation.other and not isinstance(found, Sources):
        yield say("asked", situation.language)


def _appointments(situation: Situation) -> Iterator[str]:
    language, wants = situation.language, situation.wants
    if None in situation.results.values():
        yield say("sorry", language)
    elif "cancel" in wants:
        yield from _cancellation(situation)
    elif "move" in wants:
        yield from _move(situation)
    elif "keep" in wants:
        yield say("nothing_changed", language)
        yield _mine(situation)
    elif "mine" in wants:
        yield _mine(situation)
    elif wants & {"book", "free"}:
        yield from _booking(situation)


def _booking(situation: Situation) -> Iterator[str]:
    language, service = situation.language, situation.service
    booked = situation.results.get("book_appointment")
    free = situation.results.get("find_free_slots")
    if isinstance(booked, Booked):
        yield say("booked", language, service=booked.service, spoken=booked.spoken, price=booked.price)
    elif isinstance(booked, NotPossible):
        yield from _why_not(booked, language)
    elif isinstance(free, Free):
        yield from _offers(situation, free)
        yield say("what_time", language)
    elif isinstance(free, NotPossible):
        yield from _why_not(free, language)
    elif service:
        yield say("for_when", language, service=service.name(language))
    elif situation.profile.services:
        yield _which_service(situation)


def _which_service(situation: Situation) -> str:
    """The question holds the time that was named: what the assistant said last is all that it remembers."""
    language, when = situation.language, situation.when
    names = [service.name(language) for service in situation.profile.services]
    short = ", ".join(names[:LISTED]) + (" …" if len(names) > LISTED else "")
    spoken = speech.spoken_time if when and when.has_time else speech.spoken_day
    then = say("for_then", language, spoken=spoken(when.start, language)) if when else ""
    return say("which_service", language, then=then, services=short)


def _offers(situation: Situation, free: Free) -> Iterator[str]:
    earliest = situation.when.start.time() if situation.when else time(0)
    for day in free.days:
        times = ", ".join(_some_times(day, earliest))
        yield say("offer", situation.language, service=_name(free.service, situation), day=day.spoken, times=times)


def _cancellation(situation: Situation) -> Iterator[str]:
    cancelled = situation.results.get("cancel_appointment")
    if isinstance(cancelled, Cancelled):
        yield say("cancelled", situation.language, service=cancelled.service, spoken=cancelled.spoken)
        return
    yield _mine(situation)
    if _has_appointments(situation):
        yield say("which_cancel", situation.language)


def _move(situation: Situation) -> Iterator[str]:
    moved, free = situation.results.get("move_appointment"), situation.results.get("find_free_slots")
    if isinstance(moved, Moved):
        yield say("moved", situation.language, service=moved.service, spoken=moved.spoken)
    elif isinstance(moved, NotPossible):
        yield from _why_not(moved, situation.language)
    elif isinstance(free, Free):
        yield from _offers(situation, free)
        yield say("which_move_time", situation.language)
    elif isinstance(free, NotPossible):
        yield from _why_not(free, situation.language)
    else:
        yield _mine(situation)
        if _has_appointments(situation):
            yield say("which_move", situation.language)


def _why_not(refusal: NotPossible, language: Language) -> Iterator[str]:
    reasons: dict[str, Phrase] = {
        "closed": "closed_then", "taken": "taken", "full": "taken", "past": "past", "too_far": "too_far",
        "bad_time": "quarter", "already_booked": "have_then", "too_soon": "too_soon", "limit": "limit",
        "too_long": "too_long",
    }  # fmt: skip
    yield say(reasons.get(refusal.reason, "sorry"), language)
    if refusal.nearest:
        yield say("nearest", language, times=_listed(refusal.nearest))
        yield say("which_of_these", language)
    elif refusal.reason in ("closed", "taken", "full", "too_soon"):
        yield say("no_room", language)


def _listed(starts: Sequence[Start]) -> str:
    """Each day once: `Monday, 23 November 2026 at 09:15, 09:30, 10:30`."""
    days: dict[str, str] = {}
    for start in starts:
        day, time_of_day = start.start[:10], start.start[11:]
        days[day] = f"{days[day]}, {time_of_day}" if day in days else start.spoken
    return "; ".join(days.values())


def _mine(situation: Situation) -> str:
    found = situation.results.get("list_appointments")
    if not isinstance(found, Appointments) or not found.appointments:
        return say("none", situation.language)
    listed = "; ".join(f"{appointment.service}, {appointment.spoken}" for appointment in found.appointments)
    return say("mine", situation.language, appointments=listed)


def _has_appointments(situation: Situation) -> bool:
    found = situation.results.get("list_appointments")
    return isinstance(found, Appointments) and bool(found.appointments)


def _some_times(day: FreeDay, earliest: time) -> list[str]:
    """A few round starts of a day, spread over it, none before `earliest` if there are later ones."""
    quarters = [
        f"{minute // 60:02d}:{minute % 60:02d}"
        for stretch in day.starts
        for minute in range(_minutes(stretch.first), _minutes(stretch.last) + 1, 15)
    ]
    later = [quarter for quarter in quarters if quarter >= earliest.strftime("%H:%M")] or quarters
    whole = [quarter for quarter in later if quarter.endswith(":00")]
    choice = whole if len(whole) >= 3 else later
    step = max(1, len(choice) // _OFFERED_TIMES)
    return choice[::step][:_OFFERED_TIMES]


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _hours(situation: Situation) -> str:
    """`Sun-Thu 09:00-19:00, Fri 09:00-14:00, Sat closed`: neighbouring days with the same hours joined."""
    language, runs = situation.language, list[tuple[Weekday, Weekday, str]]()
    for day in _WEEK:
        opened = situation.profile.hours.get(day, ())
        hours = " ".join(f"{o.opens:%H:%M}-{o.closes:%H:%M}" for o in opened) or say("closed", language)
        if runs and runs[-1][2] == hours:
            runs[-1] = (runs[-1][0], day, hours)
        else:
            runs.append((day, day, hours))
    names = WEEKDAYS[language]
    return ", ".join(f"{names[a]}{f'-{names[b]}' if b != a else ''} {hours}" for a, b, hours in runs)


def _hours_on(situation: Situation, day: date) -> str:
    """`Friday, 27 November 2026: 09:00-14:00.`, with the reason if they are not the usual ones."""
    found = opening_days.day_of(situation.profile, day, situation.language)
    hours = ", ".join(opening.short for opening in found.openings) or say("closed", situation.language)
    reason = f" ({found.reason})" if found.reason else ""
    return say("hours_on", situation.language, day=speech.spoken_day(day, situation.language), hours=hours + reason)


def _price(service: Service, language: Language) -> str:
    cost = speech.price(service.price, service.currency)
    return say("price", language, service=service.name(language), price=cost, minutes=service.minutes)


def _name(service_id: str, situation: Situation) -> str:
    named = next((s for s in situation.profile.services if s.id == service_id), None)
    return named.name(situation.language) if named else service_id
