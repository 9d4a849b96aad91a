"""Tools by intent: a turn that is surely about one thing is not offered what it hardly needs, but can ask for it."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from agents import AgentBase, FunctionTool, RunContextWrapper, function_tool

from functions.agent import intents
from functions.agent.context import ToolContext
from functions.agent.tools.failures import tell_model


def _narrowed(run: RunContextWrapper[ToolContext], _agent: object) -> bool:
    return bool(intents.needless(run.context.intent)) and not run.context.staging.all_tools


@function_tool(failure_error_function=tell_model, is_enabled=_narrowed)
def show_all_tools(run: RunContextWrapper[ToolContext]) -> str:
    """Get the tools that are missing here, such as those that book, move or cancel, if the customer wants that too."""
    run.context.staging.all_tools = True
    return '{"outcome": "shown", "advice": "All tools are there from your next step on."}'


def by_intent(tools: tuple[FunctionTool, ...]) -> tuple[FunctionTool, ...]:
    """The same tools, each offered where the turn's intent needs it, and the one that offers them all."""
    return (*(_routed(tool) for tool in tools), show_all_tools)


def _routed(tool: FunctionTool) -> FunctionTool:
    enabled = tool.is_enabled

    def offered(run: RunContextWrapper[ToolContext], agent: AgentBase[ToolContext]) -> bool | Awaitable[bool]:
        if tool.name in intents.needless(run.context.intent) and not run.context.staging.all_tools:
            return False
        return enabled if isinstance(enabled, bool) else enabled(run, agent)

    return replace(tool, is_enabled=offered)
