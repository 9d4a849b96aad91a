"""What a turn tells its agent and its tools: who asks, in which language, when, and which dates were named. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from functions.agent.calendar.store import Calendar
from functions.agent.context import ToolContext
from functions.agent.dates import Resolved, resolve
from functions.agent.language import speech
from functions.agent.routing import Intent
from functions.shared.conversation import Message, Snapshot
from functions.shared.inbox import Turn
from functions.shared.profile import BusinessProfile, Language
from functions.shared.words import own_words


def context(
    turn: Turn,
    snapshot: Snapshot,
    profile: BusinessProfile,
    known: Sequence[Message],
    calendar: Calendar,
    *,
    intent: Intent,
) -> ToolContext:
    """`known` are the newest messages, those of the turn among them."""
    now = datetime.fromtimestamp(turn.started_at / 1000, UTC).astimezone(profile.zone)
    return ToolContext(
        tenant_id=turn.tenant_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.turn_id,
        customer_name=snapshot.customer_name,
        language=language(profile, known),
        profile=profile,
        now=now,
        understood_dates=_understood([message for message in known if message.seq >= turn.lo], now),
        calendar=calendar,
        intent=intent,
        facts=snapshot.facts,
        lead=snapshot.lead,
        customer_phone=snapshot.customer_phone,
        upto=turn.hi,
    )


def language(profile: BusinessProfile, known: Sequence[Message]) -> Language:
    """What the customer wrote in last: "10:30" alone is in no language."""
    return speech.language_of(texts(known), profile.languages[0])


def _understood(pending: Sequence[Message], now: datetime) -> tuple[str, ...]:
    """What the grammar made of each message; never the customer's own words, which are no part of instructions."""
    lines = []
    for number, message in enumerate(pending, start=1):
        found = resolve(own_words(message.content), now)
        if found:
            lines.append(f"message {number} of those that wait, if it stands alone: {_said(found)}")
    return tuple(lines)


def _said(found: Resolved) -> str:
    if found.has_time:
        return f"{speech.spoken_time(found.start, 'en')} ({found.start:%Y-%m-%dT%H:%M})"
    begins = f", from {found.start:%H:%M}" if found.start.hour else ""
    return f"{speech.spoken_day(found.start.date(), 'en')} ({found.start:%Y-%m-%d}){begins}, no exact time"


def texts(messages: Sequence[Message]) -> list[str]:
    """The customer's own words."""
    return [words for m in messages if m.author == "customer" and (words := own_words(m.content))]
