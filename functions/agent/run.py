"""One bounded run of the Agents SDK: at most so many model calls, so many seconds, and nothing told to anybody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents import Agent, RunConfig, Runner, ToolExecutionConfig, TResponseInputItem
from agents.tracing import set_trace_provider
from agents.tracing.provider import DefaultTraceProvider
from agents.usage import Usage
from pydantic import JsonValue

from functions.agent import memory
from functions.agent.context import ToolContext
from functions.shared.observability import logger

MAX_MODEL_CALLS = 8
"""A booking takes two to four; a model that wants more goes in circles."""

# Even with tracing disabled, the first run would make the SDK's exporter: an HTTP client to OpenAI, and 0.15 s.
_no_tracing = DefaultTraceProvider()
_no_tracing.set_disabled(True)
set_trace_provider(_no_tracing)

_CONFIG = RunConfig(
    tracing_disabled=True,
    trace_include_sensitive_data=False,
    # One tool at a time: they share the turn's staging area.
    tool_execution=ToolExecutionConfig(max_function_tool_concurrency=1),
    tool_not_found_behavior="return_error_to_model",
    # OpenAI stores nothing of ours, so an id of a thought would name nothing.
    reasoning_item_id_policy="omit",
)


class EmptyAnswerError(Exception):
    """The model ended its run without a word."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run produced. `items` are those after the input: tool calls, their outputs, the answer itself."""

    text: str
    items: Sequence[dict[str, JsonValue]]
    tools: Sequence[dict[str, JsonValue]]
    usage: Mapping[str, JsonValue]


async def run(
    agent: Agent[ToolContext], items: list[TResponseInputItem], context: ToolContext, *, limit_s: float
) -> Answer:
    """Run the agent over `items`.

    Raises TimeoutError after `limit_s`, MaxTurnsExceeded, EmptyAnswerError, and whatever model and tools raise.
    """
    began = time.monotonic()
    async with asyncio.timeout(limit_s):
        result = await Runner.run(agent, items, context=context, max_turns=MAX_MODEL_CALLS, run_config=_CONFIG)
    usage = _usage(result.context_wrapper.usage)
    logger.info(f"Runner.run() completed in {(time.monotonic() - began) * 1000:.0f} ms", extra={"usage": usage})
    text = str(result.final_output or "").strip()
    if not text:
        raise EmptyAnswerError("the model ended its run without a word")
    logger.info("Agent final response", extra={"characters": len(text), "effects": len(context.staging.all())})
    new = memory.plain(item.to_input_item() for item in result.new_items)
    return Answer(text=text, items=new, tools=_tools(new), usage=usage)


def _usage(usage: Usage) -> dict[str, JsonValue]:
    return {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.input_tokens_details.cached_tokens,
        "output_tokens": usage.output_tokens,
    }


def _tools(items: Sequence[dict[str, JsonValue]]) -> list[dict[str, JsonValue]]:
    """The audit of a run: each call with its arguments and its result."""
    results = {item["call_id"]: item["output"] for item in items if item.get("type") == "function_call_output"}
    return [
        {"name": item["name"], "arguments": item["arguments"], "result": results.get(item["call_id"])}
        for item in items
        if item.get("type") == "function_call"
    ]
