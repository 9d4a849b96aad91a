"""A model made of rules, for whoever has no key yet: it says what it is, and drives the real Runner and the real tools.

Like any model it knows only what it is given: instructions, tools and items. What it asked and offered before, it reads
in its own last message.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator

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
from functions.agent.memory import history
from functions.agent.standin.situation import Call, read
from functions.agent.standin.steps import next_step
from functions.agent.tools.routed import show_all_tools
from functions.shared.profile import BusinessProfile


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
        facts = prompts.read_facts(system_instructions or "")
        situation = read(items, self._profile, now.astimezone(self._profile.zone), facts)
        step = next_step(situation, {tool.name for tool in tools}, show_all_tools.name)
        return ModelResponse(
            output=[_message(step)] if isinstance(step, str) else [_call(call) for call in step],
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
