"""Where the linking of a number stands, read from the tables that the gateway writes: pure decisions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from functions.shared.contracts import PairingRecord, SessionRecord

TAKE_UP_MS: Final = 45_000
"""A gateway looks every second, and takes over from a dead one within 15 s."""
RESTING_CODES: Final = frozenset({400, 403, 404, 406, 411, 429})
"""After these the gateway tries nothing until a person asks again (`baileys-ecs/src/session/disconnects.ts`);
`contracts/vectors/resting-codes.json` binds the two lists."""
NOBODY = (
    "No gateway has taken it up. Is one running? On AWS: the ECS service needs a task (the setting gatewayTasks) "
    "and its log says what it lacks. On this machine: `kesher up`."
)


class PhoneNumberError(ValueError):
    """Not a phone number that WhatsApp could have; the text says how to write one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to do for a person. `note` says what for."""

    note: str


@dataclass(frozen=True, slots=True)
class Offered:
    """Something to scan or to type."""

    pairing: PairingRecord
    seconds: int
    """For how long it holds."""


@dataclass(frozen=True, slots=True)
class Linked:
    phone: str | None
    """Digits with the country code."""


@dataclass(frozen=True, slots=True)
class Ended:
    """It will not go on by itself; `reason` is for a person."""

    reason: str


Standing = Waiting | Offered | Linked | Ended


def parse_phone(text: str) -> str:
    """Digits with the country code, from `+972 50-123-4567`, `00972...` or the digits alone.

    Raises PhoneNumberError.
    """
    bare = re.sub(r"[\s().-]", "", text)
    digits = re.sub(r"^(\+|00)", "", bare)
    if not digits.isascii() or not digits.isdigit():
        raise PhoneNumberError(f"{text!r} is no phone number. Write it with its country code: +972501234567")
    if digits.startswith("0"):
        raise PhoneNumberError(
            f"{text!r} has no country code. Write it as WhatsApp shows it on that phone: +972501234567, without the 0"
        )
    if not 7 <= len(digits) <= 15:
        raise PhoneNumberError(f"{text!r} has {len(digits)} digits; a number with its country code has 7 to 15")
    return digits


def standing(
    record: SessionRecord | None, pairing: PairingRecord | None, *, generation: int, asked_ms: int, now_ms: int
) -> Standing:
    """Where it stands.

    Parameters
    ----------
    generation : int
        That of the wish: what the record says with an older one is from before.
    asked_ms, now_ms : int
        When it was wished, and now; Unix milliseconds.
    """
    if record is None or (record.generation or 0) < generation:
        return Ended(NOBODY) if now_ms - asked_ms > TAKE_UP_MS else Waiting("Waiting for the gateway")
    if record.state == "connected":
        return Linked(phone_of(record))
    if record.state == "pairing" and pairing is not None and pairing.valid_until > now_ms:
        return Offered(pairing, (pairing.valid_until - now_ms + 999) // 1000)
    if record.state == "logged_out" or (record.state == "disconnected" and record.code in RESTING_CODES):
        return Ended(record.reason or "WhatsApp refused it.")
    return Waiting(_note(record))


def _note(record: SessionRecord) -> str:
    if record.state == "disconnected" and record.reason is not None:
        return record.reason
    return "Connecting to WhatsApp" if record.phone_jid is None else "The phone is linked; connecting"


def unlinking(record: SessionRecord | None, *, asked_ms: int, now_ms: int) -> Waiting | Ended:
    """Where an unlink stands; `Ended` is what was wished."""
    if record is None or record.state is None:
        return Ended("No number was linked.")
    if record.state == "logged_out":
        return Ended(record.reason or "The device was unlinked.")
    return Ended(NOBODY) if now_ms - asked_ms > TAKE_UP_MS else Waiting("Waiting for the gateway to unlink")


def phone_of(record: SessionRecord) -> str | None:
    """The linked number: digits with the country code."""
    return None if record.phone_jid is None else record.phone_jid.partition("@")[0]
