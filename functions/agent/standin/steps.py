"""What the stand-in does next: the tools that a situation needs, then the answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from functions.agent.dates import Resolved
from functions.agent.standin import errands, lead
from functions.agent.standin.answer import compose
from functions.agent.standin.situation import Call, Situation, chosen_appointment


def next_step(situation: Situation, offered: Collection[str], more: str) -> Sequence[Call] | str:
    """The tools to call next, or the answer. `offered` are the tools that can be called, `more` the one that offers
    others: the turn may have seemed to be about something else."""
    due = [call for call in _calls(situation) if call not in situation.calls]
    if more in offered and any(call.tool not in offered for call in due):
        return [Call(more, {})]
    return [call for call in due if call.tool in offered] or compose(situation)


def _calls(situation: Situation) -> list[Call]:
    """The tools that this situation needs, in order, as far as the results so far tell. Each is called at most once
    with the same arguments, so a run always ends."""
    return [*errands.calls(situation), *_questions(situation), *_appointments(situation), *lead.calls(situation)]


def _questions(situation: Situation) -> list[Call]:
    """What the business may have written down is looked up; else, and if it is a complaint, a person is asked."""
    calls = []
    if "where" in situation.wants and situation.profile.location:
        calls.append(Call("send_location", {}))
    if "complaint" in situation.wants:
        calls.append(Call("pass_on_question", {"question": situation.said}))
    elif situation.other and (situation.profile.knowledge or situation.profile.policies):
        calls.append(Call("search_knowledge", {"query": " ".join(situation.other)}))
    elif situation.other:
        calls.append(Call("pass_on_question", {"question": " ".join(situation.other)}))
    return calls


def _appointments(situation: Situation) -> list[Call]:
    wants, when, service = situation.wants, situation.when, situation.service
    if not situation.profile.services:
        return []
    calls = []
    if wants & {"cancel", "move", "mine", "keep"}:
        calls.append(Call("list_appointments", {}))
    target = chosen_appointment(situation)
    if "cancel" in wants and target:
        calls.append(Call("cancel_appointment", {"booking_id": target.booking_id}))
    if "move" in wants and target and when and when.has_time:
        calls.append(Call("move_appointment", {"booking_id": target.booking_id, "start": _iso(when), "service": None}))
    elif "move" in wants and target and when:
        calls.append(Call("find_free_slots", {"day": when.start.date().isoformat(), "service": target.service_id}))
    elif service and wants & {"book", "free"} and not wants & {"cancel", "move"}:
        if when and when.has_time:
            calls.append(Call("book_appointment", {"start": _iso(when), "service": service.id}))
        elif when or "free" in wants:
            day = when.start.date().isoformat() if when else None
            calls.append(Call("find_free_slots", {"day": day, "service": service.id}))
    return calls


def _iso(when: Resolved) -> str:
    return when.start.strftime("%Y-%m-%dT%H:%M")
