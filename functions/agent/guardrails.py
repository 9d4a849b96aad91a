"""What never reaches the model. Pure: times in Unix milliseconds are arguments."""

from __future__ import annotations

from collections.abc import Sequence

from functions.shared.conversation import Message
from functions.shared.endings import PutAside

YOUNG_MS = 30 * 60_000
"""Younger than this when a silence ends, a message is still answered; an older one a person has seen or should see."""
OLD_MS = 12 * 3_600_000
"""Older than this, whatever the reason, an answer from a machine would only puzzle."""


def left_to_a_person(pending: Sequence[Message], *, silent_until: int | None, now_ms: int) -> PutAside | None:
    """The messages, from the oldest on, that it is too late to answer; None if there are none.

    `silent_until` is when the assistant's last silence ended. Age counts from when the customer wrote; of a silence, to
    its end, so that everybody who looks, whenever they look, decides alike.
    """
    aside: PutAside | None = None
    for message in pending:
        if _waited_too_long(message, silent_until):
            aside = PutAside(message.seq, "it waited for more than 30 minutes while the assistant was silent")
        elif now_ms - _written(message) >= OLD_MS:
            aside = PutAside(message.seq, "it is more than 12 hours old")
    return aside


def _waited_too_long(message: Message, silent_until: int | None) -> bool:
    if silent_until is None or message.stored_at >= silent_until:
        return False
    return silent_until - _written(message) >= YOUNG_MS


def _written(message: Message) -> int:
    # The phone's clock may be ahead of ours.
    return min(message.sent_at, message.stored_at)
