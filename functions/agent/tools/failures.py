"""What becomes of a tool that raises."""

from __future__ import annotations

from agents import ModelBehaviorError, RunContextWrapper

from functions.agent.context import ToolContext


def tell_model(_run: RunContextWrapper[ToolContext], error: Exception) -> str:
    """Arguments that do not fit are the model's to correct. Anything else ends the run, so that the turn is repeated.

    The SDK would give the model a text about every error, and it would go on with half of the truth.
    """
    if isinstance(error, ModelBehaviorError):
        return '{"outcome": "bad_arguments", "advice": "The arguments do not fit the tool\'s schema. Correct them."}'
    raise error
