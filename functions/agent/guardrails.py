"""What never reaches the model. Pure: times in Unix milliseconds are arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from functions.agent.routing import plain
from functions.shared.contracts import TextContent
from functions.shared.conversation import Message, PastTurn
from functions.shared.endings import PutAside
from functions.shared.words import own_words

YOUNG_MS = 30 * 60_000
"""Younger than this when a silence ends, a message is still answered; an older one a person has seen or should see."""
OLD_MS = 12 * 3_600_000
"""Older than this, whatever the reason, an answer from a machine would only puzzle."""

MAX_CHARACTERS = 4_000
"""Of one message, for the model; the whole of it stays in the table."""
MAX_MESSAGES = 30
"""In one turn: nobody types more in the seconds that a turn waits."""
MAX_TURNS, IN_MS = 15, 5 * 60_000
"""Of one chat: a person who reads the answers is slower."""
SAME_TEXT_MS = 15 * 60_000
LONG_TEXT, SAME_LONG, SAME_SHORT = 20, 2, 5
"""A text of so many characters that was all of the last two turns already is a machine's; "ok" may come thrice."""

_AUTOMATIC = re.compile(
    r"this is an auto\w* (?:message|reply|response)|\bauto ?reply\b|do not reply to this (?:message|number)"
    r"|(?:זו|זוהי|זאת) הודעה אוטומטית|(?:זה|זהו) מענה אוטומטי|אין להשיב להודעה זו"
)


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


def from_a_machine(pending: Sequence[Message]) -> PutAside | None:
    """All of them, if one says of itself that it is automatic: answering it would begin a loop."""
    for message in pending:
        text = own_words(message.content)
        if "?" not in text and _AUTOMATIC.search(plain(text)):
            return PutAside(pending[-1].seq, "an automatic message of another business")
    return None


def out_of_hand(texts: Sequence[str], past: Sequence[PastTurn], *, now_ms: int) -> str | None:
    """Why a person should look before the model goes on, for that person; None if all is well.

    `past` are the newest turns in order; those of today's last minutes count.
    """
    if len(texts) > MAX_MESSAGES:
        return f"{len(texts)} messages came at once"
    if sum(1 for turn in past if now_ms - turn.committed_at < IN_MS) >= MAX_TURNS:
        return f"{MAX_TURNS} answers in {IN_MS // 60_000} minutes: perhaps another machine"
    asked = plain(" ".join(texts))
    before = [_asked(turn) for turn in past if now_ms - turn.committed_at < SAME_TEXT_MS]
    needed = SAME_LONG if len(asked) >= LONG_TEXT else SAME_SHORT
    if asked and before[-needed:] == [asked] * needed:
        return "the same text came again and again: perhaps another machine"
    return None


def shortened(messages: Sequence[Message]) -> list[Message]:
    """The messages as the model sees them."""
    return [_shortened(message) for message in messages]


def _shortened(message: Message) -> Message:
    if message.content.kind != "text" or len(message.content.text) <= MAX_CHARACTERS:
        return message
    return replace(message, content=TextContent(text=f"{message.content.text[:MAX_CHARACTERS]} […]"))


def _asked(turn: PastTurn) -> str:
    items = [item for item in turn.items if isinstance(item, dict) and item.get("role") == "user"]
    return plain(" ".join(str(item.get("content", "")) for item in items))


def _waited_too_long(message: Message, silent_until: int | None) -> bool:
    if silent_until is None or message.stored_at >= silent_until:
        return False
    return silent_until - _written(message) >= YOUNG_MS


def _written(message: Message) -> int:
    # The phone's clock may be ahead of ours.
    return min(message.sent_at, message.stored_at)
