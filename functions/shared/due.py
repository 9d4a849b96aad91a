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
"""While a switch is off or a person has the chat, which lasts; but a person may end it at any moment, and whoever wakes
the message then (`waking.py`) may die before."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the world at the moment of the decision."""

    profile: BusinessProfile
    connected: bool
    ai_enabled: bool = True
    """The switch of this chat alone."""
    paused_until: int | None = None
    opted_out: bool = False
    left_to_owner: bool = False
    """Whether the owner saved the customer as a contact since, and the assistant leaves those alone."""
    waiting: bool = False
    """Whether messages of the customer wait for a turn."""
    reachable: bool = True
    """Whether the customer ever wrote, so that there is an address."""
    still_booked: bool = True
    """Of a reminder: the appointment stands, at the time that it names."""
    written_since: bool = False
    """Of a follow-up: the customer or a person wrote after it was scheduled."""
    to_owner: bool = False
    """Of a follow-up: the customer turned out to be the owner."""


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


@dataclass(frozen=True, slots=True)
class _Against:
    """Something that keeps a message from going out, and when it ends, as far as is known."""

    ends: int
    reason: str
    look_at: int | None = None
    """It may end before, at any moment."""

    def wait(self) -> Wait:
        return Wait(self.ends if self.look_at is None else min(self.ends, self.look_at), self.reason)


def decide(message: Scheduled, facts: Facts, *, now_ms: int) -> Decision:
    """What to do with a message that is due."""
    if message.due_at > now_ms:
        return Wait(message.due_at, "it is not due yet")
    if isinstance(message.what, Notice):
        return _notice(message, message.what, facts, now_ms)
    if pointless := _pointless(message, facts):
        return pointless
    against = _against(facts, now_ms)
    if now_ms >= message.useful_until:
        return _too_late(message, against)
    if against is None:
        return Send()
    return _too_late(message, against) if against.ends >= message.useful_until else against.wait()


def _pointless(message: Scheduled, facts: Facts) -> Drop | None:
    if isinstance(message.what, Reminder) and not facts.still_booked:
        return Drop("the appointment was moved or cancelled")
    if isinstance(message.what, FollowUp) and facts.written_since:
        return Drop("the customer or a person has written since")
    if isinstance(message.what, FollowUp) and facts.to_owner:
        return Drop("it would go to the owner")
    if facts.opted_out or facts.left_to_owner:
        reason = "the customer opted out" if facts.opted_out else "the owner saved the customer as a contact"
        return Drop(reason, tell=isinstance(message.what, Reminder))
    if not facts.reachable:
        return Drop("the customer never wrote, so there is no address", tell=True)
    return None


def _against(facts: Facts, now_ms: int) -> _Against | None:
    """What stands against it at this moment, first what is known to last."""
    quiet = _quiet(facts.profile, now_ms)
    paused = None if may_speak(True, True, facts.paused_until, now_ms) else facts.paused_until
    off, again = now_ms + OFF_MS, now_ms + LOOK_AGAIN_MS
    found = (
        None if facts.profile.assistant_on else _Against(off, "the assistant of the business is off"),
        None if facts.ai_enabled else _Against(off, "the assistant is off in this chat"),
        None if paused is None else _Against(paused, "a person has this chat", look_at=off),
        None if quiet is None else _Against(quiet, "quiet hours"),
        None if facts.connected else _Against(again, "WhatsApp is not connected"),
        _Against(again, "the customer waits for an answer first") if facts.waiting else None,
    )
    return next((one for one in found if one is not None), None)


def _too_late(message: Scheduled, against: _Against | None) -> Drop:
    return Drop(against.reason if against else "it came too late", tell=isinstance(message.what, Reminder | FollowUp))


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
