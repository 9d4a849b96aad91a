"""The tools that say something to somebody besides the answer: to the owner, to a person, to this customer later.

None of them takes an address: they reach this conversation's customer or the owner's own numbers, and nobody else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from agents import FunctionTool, RunContextWrapper, function_tool

from functions.agent.calendar import asked
from functions.agent.context import ToolContext
from functions.agent.language.links import without_links
from functions.agent.tools import leads as lead_tools
from functions.agent.tools.failures import tell_model
from functions.agent.tools.results import NotPossible, Result
from functions.shared import leads, owner_notices
from functions.shared.contracts import LocationContent
from functions.shared.inbox import Reply
from functions.shared.owners import told
from functions.shared.scheduled import FollowUp, Schedule, Scheduled, Unschedule

FOLLOW_UP = "follow-up"
"""There is one at most: another takes its place."""
SOONEST, LATEST = timedelta(hours=1), timedelta(days=30)
FOLLOW_UP_USEFUL = timedelta(days=1)
MAX_FOLLOW_UP = 500
MOST_TOLD, TOLD_WITHIN = 3, timedelta(days=1)
"""How often one customer's chat may reach the owner in the assistant's own words: whoever talks it into more is heard
no more."""


class Done(Result):
    outcome: Literal["told", "handed_over", "scheduled", "cancelled", "sent"]
    advice: str = ""
    spoken: str | None = None


def tell(context: ToolContext, text: str, *, urgent: bool) -> Done | NotPossible:
    """Stage a notice in the assistant's words; of one turn the last one counts."""
    lead, now_ms = lead_tools.current(context), _ms(context.now)
    recent = [at for at in context.lead.told_at if at > now_ms - TOLD_WITHIN // timedelta(milliseconds=1)]
    if len(recent) >= MOST_TOLD:
        return asked.not_possible("too_many", "The owner has heard enough about this chat for today. Go on without.")
    notice = owner_notices.about(
        context.profile,
        context.conversation_id,
        "told",
        name=f"told#{context.turn_id}",
        customer_name=context.customer_name,
        customer_phone=context.customer_phone,
        words=without_links(text),
        # Once a day: it rings at night.
        urgent=urgent and not recent,
        now_ms=now_ms,
    )
    context.staging.add(Schedule(notice))
    if now_ms not in lead.told_at:
        lead_tools.stage(context, leads.told(lead, now_ms))
    return Done(outcome="told", advice="Say that you have passed it on.")


def attach_location(context: ToolContext) -> Done | NotPossible:
    """Send the business's own place behind this answer."""
    place = context.profile.location
    if place is None:
        return asked.not_possible("not_found", "The business has given no location. Do not make one up.")
    content = LocationContent(
        latitude=place.latitude, longitude=place.longitude, name=context.profile.name, address=place.address
    )
    context.staging.attachments["location"] = Reply(place.address, content)
    return Done(outcome="sent", spoken=place.address, advice="The map goes out behind your answer; name the address.")


def hand_over_to_person(context: ToolContext, reason: str) -> Done:
    """Let this turn's answer be the assistant's last one until a person gives it the word back."""
    context.staging.handed_over = " ".join(without_links(reason).split())[: owner_notices.MAX_TEXT] or "no reason given"
    return Done(outcome="handed_over", advice="Say that a person will answer here, and nothing more.")


def follow_up(context: ToolContext, at: str, text: str) -> Done | NotPossible:
    """Stage one message for later; nothing is sent to who writes before that, or opts out."""
    due = asked.local(context, at)
    words = text.strip()
    if due is None:
        return asked.not_possible("bad_time", "`at` must be a local time that exists, such as 2026-11-24T10:00.")
    if not context.now + SOONEST <= due <= context.now + LATEST:
        return asked.not_possible("bad_time", "A follow-up comes one hour to 30 days from now.")
    if not words or len(words) > MAX_FOLLOW_UP:
        return asked.not_possible("limit", f"The text needs 1 to {MAX_FOLLOW_UP} characters.")
    message = Scheduled(
        tenant_id=context.tenant_id,
        conversation_id=context.conversation_id,
        name=FOLLOW_UP,
        due_at=_ms(due),
        useful_until=_ms(due + FOLLOW_UP_USEFUL),
        text=words,
        about=words,
        what=FollowUp(context.upto),
    )
    _forget_follow_up(context)
    context.staging.add(Schedule([message]))
    return Done(outcome="scheduled", spoken=asked.spoken(context, due))


def no_follow_up(context: ToolContext) -> Done:
    """Stage that nothing is sent later."""
    _forget_follow_up(context)
    context.staging.add(Unschedule(context.tenant_id, context.conversation_id, [FOLLOW_UP]))
    return Done(outcome="cancelled")


def _forget_follow_up(context: ToolContext) -> None:
    # Both would be writes of one row, which a transaction refuses.
    for scheduled in context.staging.of(Schedule):
        if any(message.name == FOLLOW_UP for message in scheduled.messages):
            context.staging.discard(scheduled)
    for unscheduled in context.staging.of(Unschedule):
        if FOLLOW_UP in unscheduled.names:
            context.staging.discard(unscheduled)


def _ms(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)


# ---- as the model sees them ---------------------------------------------------------------------------------------


def _has_location(run: RunContextWrapper[ToolContext], _agent: object) -> bool:
    return run.context.profile.location is not None


@function_tool(failure_error_function=tell_model, is_enabled=_has_location)
def send_location(run: RunContextWrapper[ToolContext]) -> str:
    """Send the customer the business's place as a map, behind your answer: when they ask where it is or how to come."""
    return attach_location(run.context).model_dump_json()


def _owner_is_known(run: RunContextWrapper[ToolContext], _agent: object) -> bool:
    return bool(told(run.context.profile))


@function_tool(failure_error_function=tell_model, is_enabled=_owner_is_known)
def tell_owner(run: RunContextWrapper[ToolContext], text: str, urgent: bool = False) -> str:
    """Send the owner a short message about this customer: a complaint, a big order, what only they can decide. You stay
    in the chat and go on answering.

    Args:
        text: What the owner should know, in the business's first language, at most 500 characters.
        urgent: True only if it cannot wait until the morning.
    """
    return tell(run.context, text, urgent=urgent).model_dump_json()


@function_tool(failure_error_function=tell_model)
def hand_over(run: RunContextWrapper[ToolContext], reason: str) -> str:
    """Call a person and fall silent in this chat: when the customer is angry, in danger, or needs what you may not do.

    Args:
        reason: Why, for that person, in the business's first language.
    """
    return hand_over_to_person(run.context, reason).model_dump_json()


@function_tool(failure_error_function=tell_model)
def schedule_follow_up(run: RunContextWrapper[ToolContext], at: str, text: str) -> str:
    """Write to this customer once more later, if they have not written by then; only if they agreed to it or asked for
    it. There is one follow-up at a time: another one replaces it.

    Args:
        at: Local date and time such as 2026-11-24T10:00.
        text: What they will read, in their language, at most 500 characters.
    """
    return follow_up(run.context, at, text).model_dump_json()


@function_tool(failure_error_function=tell_model)
def cancel_follow_up(run: RunContextWrapper[ToolContext]) -> str:
    """Do not write to this customer later after all."""
    return no_follow_up(run.context).model_dump_json()


TOOLS: tuple[FunctionTool, ...] = (send_location, tell_owner, hand_over, schedule_follow_up, cancel_follow_up)
