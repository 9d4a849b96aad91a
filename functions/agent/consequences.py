"""What a run's commit writes: what its tools staged, and what follows from that by rule, whatever the model said."""

from __future__ import annotations

from dataclasses import replace

from functions.agent.calendar import booking, reminders
from functions.agent.calendar.store import Book, Cancel, Move
from functions.agent.context import ToolContext
from functions.agent.knowledge import questions
from functions.agent.language import wording
from functions.agent.tools import leads as lead_tools
from functions.shared import leads, owner_notices
from functions.shared.inbox import Effect
from functions.shared.leads import Lead, LeadChange
from functions.shared.owners import told
from functions.shared.scheduled import FollowUp, Notice, Schedule, Scheduled


def effects(context: ToolContext) -> list[Effect]:
    """Every effect of this run. Raises wording.AnswerRefusedError if a follow-up holds what no answer may."""
    _check_follow_ups(context)
    staged = [effect for effect in context.staging.all() if not isinstance(effect, LeadChange)]
    by_rule = (reminders.effects, questions.effects, _lead, _handed_over)
    return [*staged, *(effect for found in by_rule for effect in found(context))]


def calls(context: ToolContext) -> list[Effect]:
    """Those that tell a person something; nothing can refuse them."""
    return [*filter(_is_notice, context.staging.of(Schedule)), *questions.effects(context), *_handed_over(context)]


def _is_notice(scheduled: Schedule) -> bool:
    return all(isinstance(message.what, Notice) for message in scheduled.messages)


def _check_follow_ups(context: ToolContext) -> None:
    for scheduled in context.staging.of(Schedule):
        for message in scheduled.messages:
            if isinstance(message.what, FollowUp):
                wording.worded(message.text, context.profile, [], context.language)


def _lead(context: ToolContext) -> list[Effect]:
    now_ms = int(context.now.timestamp() * 1000)
    lead = leads.answered(lead_tools.current(context))
    if any(context.staging.of(kind) for kind in (Book, Move, Cancel)):
        ends = [int(one.end.timestamp() * 1000) for one in booking.appointments(context)]
        lead = leads.with_appointments(lead, ends, now_ms)
    found: list[Effect] = []
    if lead.stage == "hot" and lead.hot_told_at is None and told(context.profile):
        lead = replace(lead, hot_told_at=now_ms)
        found.append(Schedule(_hot(context, lead, now_ms)))
    if lead != context.lead:
        found.append(LeadChange(context.tenant_id, context.conversation_id, lead))
    return found


def _hot(context: ToolContext, lead: Lead, now_ms: int) -> list[Scheduled]:
    return owner_notices.about(
        context.profile,
        context.conversation_id,
        "hot",
        name="hot",
        customer_name=context.customer_name,
        customer_phone=context.customer_phone,
        words=" ".join([*(note.text for note in lead.notes[-1:]), lead.next_step or ""]),
        now_ms=now_ms,
    )


def _handed_over(context: ToolContext) -> list[Effect]:
    reason = context.staging.handed_over
    if reason is None or not told(context.profile):
        return []
    notice = owner_notices.about(
        context.profile,
        context.conversation_id,
        "person",
        name=f"person#{context.turn_id}",
        customer_name=context.customer_name,
        customer_phone=context.customer_phone,
        words=reason,
        now_ms=int(context.now.timestamp() * 1000),
    )
    return [Schedule(notice)]
