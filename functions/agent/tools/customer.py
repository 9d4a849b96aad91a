"""The tool that notes something about this customer, for the next conversations."""

from __future__ import annotations

from agents import FunctionTool, RunContextWrapper, function_tool

from functions.agent.context import ToolContext
from functions.agent.tools.failures import tell_model
from functions.agent.tools.results import NotPossible, Result
from functions.shared.bounded import shortened
from functions.shared.facts import MAX_CHARACTERS, MAX_FACTS, NoteFacts


class Noted(Result):
    outcome: str = "noted"
    facts: list[str]
    """All that is known now, numbered from 1 by their places."""


def note(context: ToolContext, fact: str, replaces: int | None) -> Noted | NotPossible:
    """Stage a new list of facts. `replaces` is the number of an old one; an empty `fact` only takes that one away."""
    staged = context.staging.of(NoteFacts)
    known = list(staged[0].noted if staged else context.facts.noted)
    if replaces is not None and not 1 <= replaces <= len(known):
        return NotPossible(reason="not_found", advice=f"There is no fact {replaces}; there are {len(known)}.")
    if replaces is not None:
        del known[replaces - 1]
    words = shortened(" ".join(fact.split()), MAX_CHARACTERS)
    if words and words not in known:
        if len(known) >= MAX_FACTS:
            return NotPossible(
                reason="too_many", advice="Replace a fact that matters less: call again with its number."
            )
        known.append(words)
    effect = NoteFacts(context.tenant_id, context.conversation_id, tuple(known), context.facts.version)
    if effect.noted == context.facts.noted:
        context.staging.discard(effect)
    else:
        context.staging.add(effect)
    return Noted(facts=known)


@function_tool(failure_error_function=tell_model)
def remember_about_customer(run: RunContextWrapper[ToolContext], fact: str, replaces: int | None = None) -> str:
    """Note something about this customer that will help to serve them next time: a name, a preference, a habit, whom
    they book for. Nothing about money or passwords, nothing about health but what they tell you to heed, such as an
    allergy, and nothing that only matters today.

    Args:
        fact: One short sentence in the third person, such as "prefers mornings"; empty to only take an old one away.
        replaces: The number of the known fact that this one corrects, or null.
    """
    return note(run.context, fact, replaces).model_dump_json()


TOOLS: tuple[FunctionTool, ...] = (remember_about_customer,)
