"""What becomes of a scheduled message whose time has come: it goes out, waits on, or is dropped. Pure.

Customers' messages pass every gate that an answer of the assistant passes, at the moment at which they become outbox
rows: a reminder in a chat that a person handles would be the assistant talking over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from functions.shared.conversation import may_speak
from functions.shared.profile import BusinessProfile
from functions.shared.quiet import quiet_until
from functions.shared.scheduled import FollowUp, Notice, Reminder, Scheduled

LOOK_AGAIN_MS = 60_000
"""While a turn or a session must come first."""
OFF_MS = 15 * 60_000
"""While a switch is off, which lasts."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the world at the moment of the decision."""

    profile: BusinessProfile
    connected: bool
    ai_enabled: bool = True
    """The switch of this chat alone."""
    paused_until: int | None = None
    opted_out: bool = False
    waiting: bool = False
    """Whether messages of the customer wait for a turn."""
    reachable: bool = True
    """Whether the customer ever wrote, so that there is an address."""
    still_booked: bool = True
    """Of a reminder: the appointment stands, at the time that it names."""
    written_since: bool = False
    """Of a follow-up: the customer or a person wrote after it was scheduled."""


@dataclass(frozen=True, slots=True)
class Send:
    """It becomes an outbox row now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look at it again at `until`."""

    until: int
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """It will never go out. `tell`: somebody counts on it, so the owner hears of it."""

    reason: str
    tell: bool = False


Decision = Send | Wait | Drop


def decide(message: Scheduled, facts: Facts, *, now_ms: int) -> Decision:
    """What to do with a message that is due."""
    if message.due_at > now_ms:
        return Wait(message.due_at, "it is not due yet")
    if isinstance(message.what, Notice):
        return _notice(message, message.what, facts, now_ms)
    if pointless := _pointless(message, facts):
        return pointless
    wait = _wait(facts, now_ms)
    if now_ms >= message.useful_until:
        return _too_late(message, wait)
    if wait is None:
        return Send()
    return _too_late(message, wait) if wait.until >= message.useful_until else wait


def _pointless(message: Scheduled, facts: Facts) -> Drop | None:
    if isinstance(message.what, Reminder) and not facts.still_booked:
        return Drop("the appointment was moved or cancelled")
    if isinstance(message.what, FollowUp) and facts.written_since:
        return Drop("the customer or a person has written since")
    if facts.opted_out:
        return Drop("the customer opted out", tell=isinstance(message.what, Reminder))
    if not facts.reachable:
        return Drop("the customer never wrote, so there is no address", tell=True)
    return None


def _wait(facts: Facts, now_ms: int) -> Wait | None:
    """What stands against it at this moment, first what is known to last."""
    quiet = _quiet(facts.profile, now_ms)
    paused = None if may_speak(True, True, facts.paused_until, now_ms) else facts.paused_until
    against: tuple[tuple[int | None, str], ...] = (
        (None if facts.profile.assistant_on else now_ms + OFF_MS, "the assistant of the business is off"),
        (None if facts.ai_enabled else now_ms + OFF_MS, "the assistant is off in this chat"),
        (paused, "a person has this chat"),
        (quiet, "quiet hours"),
        (None if facts.connected else now_ms + LOOK_AGAIN_MS, "WhatsApp is not connected"),
        (now_ms + LOOK_AGAIN_MS if facts.waiting else None, "the customer waits for an answer first"),
    )
    return next((Wait(until, reason) for until, reason in against if until is not None), None)


def _too_late(message: Scheduled, wait: Wait | None) -> Drop:
    return Drop(wait.reason if wait else "it came too late", tell=isinstance(message.what, Reminder | FollowUp))


def _notice(message: Scheduled, notice: Notice, facts: Facts, now_ms: int) -> Decision:
    if notice.number not in facts.profile.owner_numbers:
        return Drop("it is no number of the owner any more")
    if now_ms >= message.useful_until:
        return Drop("it came too late")
    if not notice.urgent and (quiet := _quiet(facts.profile, now_ms)) is not None:
        return Wait(quiet, "quiet hours")
    return Send() if facts.connected else Wait(now_ms + LOOK_AGAIN_MS, "WhatsApp is not connected")


def _quiet(profile: BusinessProfile, now_ms: int) -> int | None:
    ends = quiet_until(profile, datetime.fromtimestamp(now_ms / 1000, UTC))
    return None if ends is None else int(ends.timestamp() * 1000)
