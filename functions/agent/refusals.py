"""What the customer hears when what the assistant wanted was refused twice: words about that, and only that.

Pure. The run believed in something that is not so; none of its words may stay, because none of its effects did.
"""

from __future__ import annotations

from collections.abc import Sequence

from functions.agent.calendar.store import Book, Cancel, Move
from functions.agent.context import ToolContext
from functions.agent.language import phrases
from functions.shared.inbox import Effect


def words(context: ToolContext, effects: Sequence[Effect], refused: str) -> str:
    """For the refused one of `effects`, by its name."""
    language = context.language
    if context.staging.handed_over is not None:
        return phrases.A_PERSON_WILL_ANSWER[language]
    effect = next((one for one in effects if one.name == refused), None)
    match effect:
        case Book() | Move():
            return phrases.JUST_TAKEN[language]
        case Cancel():
            return phrases.APPOINTMENT_CHANGED[language]
        case _:
            return phrases.CHANGED_MEANWHILE[language]
