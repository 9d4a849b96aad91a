"""The owner's own numbers: where a business's owner is told, and who is therefore no customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from functions.shared.contracts import Jid

if TYPE_CHECKING:
    from functions.shared.profile import BusinessProfile

MOST_TOLD = 3
"""Of the owner's numbers: each is one more row in the transaction of a turn."""


def told(profile: BusinessProfile) -> tuple[str, ...]:
    """The numbers that hear of what needs a person."""
    return profile.owner_numbers[:MOST_TOLD]


def jid_of(number: str) -> Jid:
    """The WhatsApp address of `+972501234567`."""
    return Jid(f"{number.removeprefix('+')}@s.whatsapp.net")


def is_owner(phone_jid: str | None, owner_numbers: Sequence[str]) -> bool:
    """Whether the person with this address is the owner. A LID alone tells nothing: until WhatsApp says whose it is
    (`functions/webhook/names.py`), they are a customer."""
    return phone_jid is not None and any(phone_jid == jid_of(number) for number in owner_numbers)
