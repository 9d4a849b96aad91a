"""What a row is due for, and what an attempt made of it. Pure: clock and randomness are arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.shared.contracts import NotOwner, Refused, Sent, Superseded, Unavailable, Unknown
from functions.shared.outbox import Row

Result = Sent | Unknown | Refused | Unavailable | NotOwner | Superseded
Uniform = Callable[[float, float], float]

FIRST_BACKOFF_MS = 1_000
MAX_BACKOFF_MS = 60_000
MOVED_BACKOFF_MS = 500
"""A session that moved is at its new owner already; only our copy of the address was old."""
SUPERSEDED_WAIT_MS = 2_900
"""Until the claim knows whether a person took over: one repetition, just within the 3 s that send waits in its slot.

A chat's automatic text comes about a second before the assistant's answer, and the gateway gives way for 4 s: a shorter
wait would be refused twice, and the answer would wait for the sweeper's next minute.
"""


# ---- before an attempt ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leased:
    """Somebody else is at it, or died at it: then the lease runs out and the sweeper rings."""


@dataclass(frozen=True, slots=True)
class Void:
    """A person took over, or the assistant was switched off, since it was queued."""

    reason: str


@dataclass(frozen=True, slots=True)
class TooLate:
    """Its time to be sent is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """An earlier attempt asked to wait until `due_at`."""

    due_at: int


@dataclass(frozen=True, slots=True)
class Due:
    """Claim it and try."""


Step = Leased | Void | TooLate | NotYet | Due


def next_step(row: Row, *, epoch: int, assistant_on: bool, now_ms: int) -> Step:
    """What to do with the oldest unfinished row, given its conversation's `epoch` and its business's switch."""
    if row.lease_until is not None and row.lease_until > now_ms:
        return Leased()
    if row.author == "assistant" and row.epoch != epoch:
        return Void("superseded: a person took over before it went out")
    if row.author == "assistant" and not assistant_on:
        return Void("the assistant was switched off before it went out")
    if row.deadline <= now_ms:
        return TooLate("WhatsApp could not be reached in time" if row.error is None else f"too late: {row.error}")
    if row.next_attempt_at is not None and row.next_attempt_at > now_ms:
        return NotYet(row.next_attempt_at)
    return Due()


# ---- after an attempt -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivered:
    """WhatsApp's server has it."""

    at: int


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not go out and a repetition would be refused again, or make matters worse."""

    reason: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Not sent for sure; the same id again at `at`, which is never after the row's deadline."""

    at: int
    reason: str


Outcome = Delivered | Failed | TryAgain


def outcome_of(result: Result, row: Row, *, now_ms: int, uniform: Uniform) -> Outcome:
    """What the gateway's answer means for the claimed `row`."""
    match result:
        case Sent():
            return Delivered(result.acknowledged_at)
        case Refused(permanent=True):
            return Failed(f"refused with {result.code}: {result.reason}{_ends(result.until)}")
        case Refused():
            wait, reason = backoff_ms(row.attempts, uniform), f"refused with {result.code}: {result.reason}"
        case Unavailable(paced=True):
            wait, reason = result.retry_after_ms, result.reason  # nothing failed, so nothing grows
        case Unavailable():
            wait, reason = max(result.retry_after_ms, backoff_ms(row.attempts, uniform)), result.reason
        case Superseded():
            wait, reason = max(SUPERSEDED_WAIT_MS, backoff_ms(row.attempts, uniform)), result.reason
        case NotOwner():
            wait, reason = MOVED_BACKOFF_MS, result.reason
        case Unknown():
            wait, reason = backoff_ms(row.attempts, uniform), f"no acknowledgement: {result.reason}"
    return TryAgain(min(now_ms + wait, max(row.deadline, now_ms)), reason)


def _ends(until: int | None) -> str:
    if until is None:
        return ""
    return f" The restriction ends on {datetime.fromtimestamp(until / 1000, UTC):%d.%m.%Y at %H:%M} UTC."


def backoff_ms(attempts: int, uniform: Uniform) -> int:
    """Exponential, with jitter over the upper half: after the first attempt 0.5 to 1 s, at most a minute."""
    ceiling = min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** min(max(attempts, 1) - 1, 16))
    return round(uniform(ceiling / 2, ceiling))
