"""The agent's own time in a turn: making it ready, and what Kesher adds to a bare run of the SDK. No model, no AWS.

Bare: the SDK's Runner over an agent with two empty tools and an instant model that calls both, then answers. Kesher:
the same model and two calls through `functions.agent.run`, with all tools, instructions and audit.
"""

from __future__ import annotations

import asyncio
import io
import logging
import statistics
import time
from collections.abc import Awaitable, Callable

from agents import Agent, RunConfig, Runner, function_tool
from agents.testing import ScriptedModel, assistant_message, function_call

import functions.agent.lean_sdk  # noqa: F401 - before whatever imports the SDK
from functions.agent.assistant import AgentCache, create_agent
from functions.agent.context import ToolContext
from functions.agent.run import run as run_turn
from functions.shared.examples import barber_shop
from functions.shared.observability import logger
from tests.unit.agent.support import context_of

ROUNDS = 200
PROFILE = barber_shop().model_copy(update={"config_version": 1})


@function_tool
def first() -> str:
    """Does nothing."""
    return "{}"


@function_tool
def second() -> str:
    """Does nothing either."""
    return "{}"


def run() -> None:
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(io.StringIO())
    try:
        rows = asyncio.run(_rows())
    finally:
        handler.setStream(before)
    print(f"Median of {ROUNDS} rounds\n\n| | ms |\n|---|---:|")
    for name, ms in rows:
        print(f"| {name} | {ms:.3f} |")


async def _rows() -> list[tuple[str, float]]:
    cache = AgentCache()

    async def miss() -> None:
        create_agent(PROFILE)

    async def hit() -> None:
        cache.get(PROFILE)

    async def bare() -> None:
        agent = Agent(name="bare", instructions="None.", model=_script("first", "second"), tools=[first, second])
        await Runner.run(agent, "hi", run_config=RunConfig(tracing_disabled=True))

    async def kesher() -> None:
        agent: Agent[ToolContext] = cache.get(PROFILE).clone(model=_script("list_appointments", "read_lead"))
        await run_turn(agent, [{"role": "user", "content": "hi"}], context_of(PROFILE), limit_s=30)

    return [
        ("agent ready, cache miss", await _median(miss)),
        ("agent ready, cache hit", await _median(hit)),
        ("three model calls and two tools, bare SDK", await _median(bare)),
        ("the same as a turn of Kesher", await _median(kesher)),
    ]


def _script(*tools: str) -> ScriptedModel:
    calls = [[function_call(name, {}, call_id=name)] for name in tools]
    return ScriptedModel([*calls, [assistant_message("Done.")]])


async def _median(step: Callable[[], Awaitable[None]]) -> float:
    await step()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await step()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
