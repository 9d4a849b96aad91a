"""The first answer to a customer says that an assistant writes: added here, not left to a model.

The ready-made texts of `phrases.py` say it themselves, so that none of them hangs on a model, not even on its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents import Agent

from functions.agent.context import ToolContext
from functions.agent.language import phrases
from functions.agent.standin import StandIn
from functions.shared.conversation import PastTurn, Snapshot
from functions.shared.profile import BusinessProfile, Language


def introduction(
    snapshot: Snapshot,
    past: Sequence[PastTurn],
    agent: Agent[ToolContext],
    profile: BusinessProfile,
    language: Language,
) -> str | None:
    """What goes before the first text of a turn, or None if the customer knows already."""
    if snapshot.introduced_at is not None or any(_spoke(turn) for turn in past):
        return None
    if isinstance(agent.model, StandIn):
        return phrases.STAND_IN[language].format(name=profile.name)
    return profile.introduction.get(language) or phrases.INTRODUCTION[language].format(name=profile.name)


def _spoke(turn: PastTurn) -> bool:
    return any(isinstance(item, dict) and item.get("role") == "assistant" for item in turn.items)
