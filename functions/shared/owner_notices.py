"""What the owner reads about a customer, in the business's first language. Pure."""

from __future__ import annotations

from typing import Literal

from functions.shared.contracts import ConversationId
from functions.shared.profile import BusinessProfile, Language
from functions.shared.scheduled import Scheduled, notices

MAX_TEXT = 500
"""Characters of what the assistant says in its own words."""

Occasion = Literal["hot", "told", "person", "failed"]
"""A lead became hot; the assistant has something to say; a person is wanted, or needed because the assistant failed."""

_TEXTS: dict[Occasion, dict[Language, str]] = {
    "hot": {"en": "A hot lead: {who}.", "he": "ליד חם: {who}."},
    "told": {"en": "About {who}, from your assistant:", "he": "על {who}, מהעוזר שלך:"},
    "person": {
        "en": "{who} needs a person. The assistant is silent in that chat now.",
        "he": "{who}: נדרש מענה אנושי. העוזר לא כותב עכשיו בשיחה הזאת.",
    },
    "failed": {
        "en": "The assistant could not go on with {who}. It told them that a person will answer.",
        "he": "העוזר לא הצליח להמשיך עם {who}, והודיע שאדם יחזור עם תשובה.",
    },
}
_SOMEBODY: dict[Language, str] = {"en": "a customer", "he": "לקוח"}


def about(
    profile: BusinessProfile,
    conversation_id: ConversationId,
    occasion: Occasion,
    *,
    name: str,
    customer_name: str | None,
    customer_phone: str | None,
    words: str = "",
    urgent: bool = False,
    now_ms: int,
) -> list[Scheduled]:
    """A notice for each of the owner's numbers; `name` is unique in the conversation, so that it is told once."""
    language = profile.languages[0]
    who = " ".join(part for part in (_line(customer_name or "", 60), customer_phone) if part) or _SOMEBODY[language]
    text = _TEXTS[occasion][language].format(who=who)
    said = _line(words, MAX_TEXT)
    return notices(profile, conversation_id, name, f"{text}\n{said}" if said else text, urgent=urgent, now_ms=now_ms)


def _line(text: str, longest: int) -> str:
    return " ".join(text.split())[:longest]
