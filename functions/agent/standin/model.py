"""A model made of rules, for whoever has no key yet: it says what it is, and drives the real Runner and the real tools.

Like any model it knows only what it is given: instructions and items. What it asked and offered before, it reads in its
own last message. It calls each tool at most once in a run, so it always ends.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from agents import (
    AgentOutputSchemaBase,
    Handoff,
    Model,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    Tool,
    TResponseInputItem,
    Usage,
)
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from openai.types.responses.response_prompt_param import ResponsePromptParam
from typing_extensions import override

from functions.agent import prompts
from functions.agent.dates import Resolved
from functions.agent.memory import history
from functions.agent.standin.answer import compose
from functions.agent.standin.situation import Situation, chosen_appointment, read
from functions.agent.tools.routed import show_all_tools
from functions.shared.profile import BusinessProfile


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to call next."""

    tool: str
    arguments: Mapping[str, str | None]


def next_step(situation: Situation) -> Call | str:
    """The next tool to call, or the answer."""
    for call in _calls(situation):
        if call.tool not in situation.results:
            return call
    return compose(situation)


def _calls(situation: Situation) -> list[Call]:
    """The tools that this situation needs, in order, as far as the results so far tell."""
    wants, when, service = situation.wants, situation.when, situation.service
    calls = _questions(situation)
    if "where" in wants and situation.profile.location:
        calls.append(Call("send_location", {}))
    if service is None:
        return calls
    if wants & {"cancel", "move", "mine"}:
        calls.append(Call("list_appointments", {}))
    target = chosen_appointment(situation)
    if "cancel" in wants and target:
        calls.append(Call("cancel_appointment", {"booking_id": target.booking_id}))
    if "move" in wants and target and when and when.has_time:
        calls.append(Call("move_appointment", {"booking_id": target.booking_id, "start": _iso(when), "service": None}))
    elif "move" in wants and target and when:
        calls.append(Call("find_free_slots", {"day": when.start.date().isoformat(), "service": target.service_id}))
    elif wants & {"book", "free"} and not wants & {"cancel", "move"}:
        if when and when.has_time:
            calls.append(Call("book_appointment", {"start": _iso(when), "service": service.id}))
        elif when or "free" in wants:
            day = when.start.date().isoformat() if when else None
            calls.append(Call("find_free_slots", {"day": day, "service": service.id}))
    return calls


def _questions(situation: Situation) -> list[Call]:
    """What the business may have written down is looked up; else, and if it is a complaint, a person is asked."""
    if "complaint" in situation.wants:
        return [Call("pass_on_question", {"question": situation.said})]
    if situation.other and (situation.profile.knowledge or situation.profile.policies):
        return [Call("search_knowledge", {"query": " ".join(situation.other)})]
    if situation.other:
        return [Call("pass_on_question", {"question": " ".join(situation.other)})]
    return []


def _iso(when: Resolved) -> str:
    return when.start.strftime("%Y-%m-%dT%H:%M")


class StandIn(Model):
    """The rules as a model of the Agents SDK, for one business."""

    def __init__(self, profile: BusinessProfile) -> None:
        self._profile = profile

    @override
    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> ModelResponse:
        now = prompts.read_now(system_instructions or "")
        if now is None:
            raise ValueError("the stand-in needs the instructions of prompts.py: they hold the time")
        items = history.plain([{"role": "user", "content": input}] if isinstance(input, str) else input)
        step = next_step(read(items, self._profile, now.astimezone(self._profile.zone)))
        if isinstance(step, Call) and step.tool not in {tool.name for tool in tools}:
            step = Call(show_all_tools.name, {})  # the turn seemed to be about something else
        return ModelResponse(
            output=[_call(step) if isinstance(step, Call) else _message(step)],
            usage=Usage(requests=1),
            response_id=None,
        )

    @override
    def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> AsyncIterator[TResponseStreamEvent]:
        raise NotImplementedError("an answer on WhatsApp is sent whole; use Runner.run")


def _message(text: str) -> ResponseOutputMessage:
    content = ResponseOutputText(text=text, type="output_text", annotations=[], logprobs=[])
    return ResponseOutputMessage(
        id=f"msg_{secrets.token_hex(8)}", type="message", role="assistant", status="completed", content=[content]
    )


def _call(call: Call) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        call_id=f"call_{secrets.token_hex(8)}",
        type="function_call",
        name=call.tool,
        arguments=json.dumps(dict(call.arguments)),
    )
