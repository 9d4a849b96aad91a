"""The tools for how the business sees this customer. What is a fact, such as an appointment, no model says."""

from __future__ import annotations

from typing import Literal

from agents import FunctionTool, RunContextWrapper, function_tool

from functions.agent.context import ToolContext
from functions.agent.language.links import without_links
from functions.agent.tools.failures import tell_model
from functions.agent.tools.results import Result
from functions.shared import leads
from functions.shared.leads import Interest, Lead, LeadChange

MOST_TAGS_A_CALL = 5


class LeadSeen(Result):
    outcome: Literal["lead"] = "lead"
    stage: str
    notes: list[str]
    tags: list[str]
    next_step: str | None


def current(context: ToolContext) -> Lead:
    """The lead as this turn has staged it."""
    staged = context.staging.of(LeadChange)
    now_ms = int(context.now.timestamp() * 1000)
    return staged[0].after if staged else leads.settled(context.lead, now_ms)


def stage(context: ToolContext, lead: Lead) -> None:
    """Let the commit write `lead`."""
    context.staging.add(LeadChange(context.tenant_id, context.conversation_id, lead))


def update(
    context: ToolContext, interest: Interest | None, note: str | None, tags: list[str], next_step: str | None
) -> LeadSeen:
    """Stage what changed; the bounds are those of `functions/shared/leads.py`."""
    lead, now_ms = current(context), int(context.now.timestamp() * 1000)
    if interest is not None:
        lead = leads.interested(lead, interest)
    if note:
        lead = leads.noted(lead, without_links(note), now_ms)
    lead = leads.tagged(lead, [without_links(tag) for tag in tags[:MOST_TAGS_A_CALL]])
    if next_step is not None:
        lead = leads.planned(lead, without_links(next_step))
    if lead != current(context):
        stage(context, lead)
    return seen(lead)


def seen(lead: Lead) -> LeadSeen:
    return LeadSeen(
        stage=lead.stage, notes=[note.text for note in lead.notes], tags=list(lead.tags), next_step=lead.next_step
    )


@function_tool(failure_error_function=tell_model)
def read_lead(run: RunContextWrapper[ToolContext]) -> str:
    """What the business noted about this customer as a lead: stage, notes, tags, next step. For you, not for them."""
    return seen(current(run.context)).model_dump_json()


@function_tool(failure_error_function=tell_model)
def update_lead(
    run: RunContextWrapper[ToolContext],
    interest: Interest | None = None,
    note: str | None = None,
    tags: list[str] | None = None,
    next_step: str | None = None,
) -> str:
    """Note for the business what this customer wants. Call it when you learn something that helps to win or serve them.

    Args:
        interest: `hot` if they want to buy or book but could not yet, or ask for an offer; `lost` if they said that
            they do not want to; `engaged` if they only ask; null if you cannot tell.
        note: One sentence about what they want, or null.
        tags: A few short words to find such customers by, or null.
        next_step: What the business should do next, or null to leave it as it is.
    """
    return update(run.context, interest, note, tags or [], next_step).model_dump_json()


TOOLS: tuple[FunctionTool, ...] = (read_lead, update_lead)
