"""One bounded run of the Agents SDK: at most so many model calls, so many seconds, and nothing told to anybody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agents import (
    Agent,
    MaxTurnsExceeded,
    RunConfig,
    Runner,
    ToolExecutionConfig,
    TResponseInputItem,
    UserError,
)
from agents.tracing import set_trace_provider
from agents.tracing.provider import DefaultTraceProvider
from agents.usage import Usage
from pydantic import JsonValue

from functions.agent import intents, models
from functions.agent.audit import Watch
from functions.agent.context import ToolContext
from functions.agent.memory import history
from functions.agent.routing import Intent
from functions.shared.observability import count, logger

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


FIRST_SHARE = 0.6
"""Of a run's time, for the first model where there is a second: that one needs a few seconds too."""


class EmptyAnswerError(Exception):
    """The model ended its run without a word."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run produced. `items` are those after the input: tool calls, their outputs, the answer itself."""

    text: str
    items: Sequence[dict[str, JsonValue]]
    tools: Sequence[dict[str, JsonValue]]
    usage: Mapping[str, JsonValue]
    intent: Intent | None = None
    """What the customer wants, in the model's word."""
    saw: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the model was given, and why it was not the first one, if so: `fallback_from`, `fallback_because`."""


Spare = Callable[[], "Agent[ToolContext] | None"]
"""The same agent with another model, if there is one."""


def no_spare() -> None:
    """There is no other model."""


async def run(
    agent: Agent[ToolContext],
    items: list[TResponseInputItem],
    context: ToolContext,
    *,
    limit_s: float,
    spare: Spare = no_spare,
) -> Answer:
    """Run the agent over `items`; if its model fails or takes too long, run the spare one over them, from the start.

    Raises TimeoutError after `limit_s`, MaxTurnsExceeded, EmptyAnswerError, and whatever model and tools raise.
    """
    second = spare()
    if second is None:
        return await _run(agent, items, context, limit_s=limit_s)
    ends = time.monotonic() + limit_s
    try:
        return await _run(agent, items, context, limit_s=limit_s * FIRST_SHARE)
    except (MaxTurnsExceeded, UserError):
        raise  # it went in circles, or a tool failed: another model changes nothing
    except Exception as error:  # noqa: BLE001 - servers fail in every way: status, connection, body, time
        logger.warning("the model failed, the fallback is asked", exc_info=True)
        why = {"fallback_from": models.label(agent), "fallback_because": type(error).__name__}
    context.staging.clear()
    answer = await _run(second, items, context, limit_s=max(0.0, ends - time.monotonic()))
    count("ModelFallback")
    return replace(answer, saw={**answer.saw, **why})


async def _run(
    agent: Agent[ToolContext], items: list[TResponseInputItem], context: ToolContext, *, limit_s: float
) -> Answer:
    watch = Watch()
    async with asyncio.timeout(limit_s):
        result = await Runner.run(
            agent, list(items), context=context, max_turns=MAX_MODEL_CALLS, run_config=_CONFIG, hooks=watch
        )
    usage = {**_usage(result.context_wrapper.usage, watch.answers), **watch.ms}
    logger.info(f"Runner.run() completed in {usage['ms']} ms", extra={"usage": usage})
    said = intents.read(str(result.final_output or ""))
    if not said.text:
        raise EmptyAnswerError("the model ended its run without a word")
    logger.info("Agent final response", extra={"characters": len(said.text), "effects": len(context.staging.all())})
    new = history.plain(item.to_input_item() for item in result.new_items)
    if new and new[-1].get("role") == "assistant":
        new[-1] = {**new[-1], "content": said.text}
    return Answer(text=said.text, items=new, tools=watch.tools(new), usage=usage, intent=said.intent, saw=watch.saw())


def _usage(usage: Usage, answers: int) -> dict[str, JsonValue]:
    return {
        "requests": usage.requests,
        "retries": max(0, usage.requests - answers),
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.input_tokens_details.cached_tokens,
        "output_tokens": usage.output_tokens,
    }
