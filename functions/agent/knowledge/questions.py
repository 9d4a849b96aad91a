"""Questions that the assistant could not answer: they are shown to a person, and the owner is told. Pure."""

from __future__ import annotations

from functions.agent.context import ToolContext
from functions.shared.inbox import Effect
from functions.shared.profile import Language
from functions.shared.scheduled import Schedule, notices

_ASKED: dict[Language, str] = {
    "en": "{customer} asks what I do not know: {questions}",
    "he": "שאלה שאין לי תשובה עליה, מאת {customer}: {questions}",
}
_SOMEBODY: dict[Language, str] = {"en": "A customer", "he": "לקוח"}


def attention(context: ToolContext) -> str | None:
    """Why a person should look at the conversation, in the owner's language; None if every question was answered."""
    if not context.staging.questions:
        return None
    language = context.profile.languages[0]
    questions = " / ".join(f'"{question}"' for question in context.staging.questions)
    return _ASKED[language].format(customer=context.customer_name or _SOMEBODY[language], questions=questions)


def effects(context: ToolContext) -> list[Effect]:
    """The notices to the owner, written with the turn."""
    text = attention(context)
    if text is None:
        return []
    found = notices(
        context.profile,
        context.conversation_id,
        f"question-{context.turn_id}",
        text,
        urgent=False,
        now_ms=int(context.now.timestamp() * 1000),
    )
    return [Schedule(found)] if found else []
