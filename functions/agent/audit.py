"""What a run saw and how long its parts took, for whoever asks later why the assistant said that."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence

from agents import Agent, ModelResponse, RunContextWrapper, RunHooks, Tool, TResponseInputItem
from agents.tool_context import ToolContext as SdkToolContext
from pydantic import JsonValue
from typing_extensions import override

from functions.agent import models, prompts
from functions.agent.context import ToolContext


class Watch(RunHooks[ToolContext]):
    """Looks on at one run. `monotonic` is in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._since: dict[str, float] = {}
        self._tool_ms: dict[str, int] = {}
        self._instructions = ""
        self._model = ""
        self._items = 0
        self._model_ms = 0
        self.answers = 0
        """Of the model; a request more than these was a repetition."""

    @override
    async def on_llm_start(
        self,
        context: RunContextWrapper[ToolContext],
        agent: Agent[ToolContext],
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        if not self._instructions:
            self._instructions, self._items, self._model = system_prompt or "", len(input_items), models.label(agent)
        self._since["model"] = self._monotonic()

    @override
    async def on_llm_end(
        self, context: RunContextWrapper[ToolContext], agent: Agent[ToolContext], response: ModelResponse
    ) -> None:
        self.answers += 1
        self._model_ms += self._passed("model")

    @override
    async def on_tool_start(
        self, context: RunContextWrapper[ToolContext], agent: Agent[ToolContext], tool: Tool
    ) -> None:
        self._since[_call_id(context)] = self._monotonic()

    @override
    async def on_tool_end(
        self, context: RunContextWrapper[ToolContext], agent: Agent[ToolContext], tool: Tool, result: object
    ) -> None:
        self._tool_ms[_call_id(context)] = self._passed(_call_id(context))

    def _passed(self, what: str) -> int:
        return round((self._monotonic() - self._since.get(what, self._monotonic())) * 1000)

    @property
    def ms(self) -> dict[str, JsonValue]:
        """Milliseconds of the whole run, and of the model in it."""
        return {"ms": round((self._monotonic() - self._began) * 1000), "model_ms": self._model_ms}

    def saw(self) -> dict[str, JsonValue]:
        """What the model was given. The part of the instructions that the profile fixes is there as its hash."""
        return {
            "model": self._model,
            "history_items": self._items,
            "instructions_sha256": hashlib.sha256(self._instructions.encode()).hexdigest(),
            "moment": prompts.moment_of(self._instructions),
        }

    def tools(self, items: Sequence[Mapping[str, JsonValue]]) -> list[dict[str, JsonValue]]:
        """Each call among `items` with its arguments, its result and its milliseconds."""
        results = {item["call_id"]: item["output"] for item in items if item.get("type") == "function_call_output"}
        return [
            {
                "name": item["name"],
                "arguments": item["arguments"],
                "result": results.get(item["call_id"]),
                # None: the tool never ran, because there is none of that name.
                "ms": self._tool_ms.get(str(item["call_id"])),
            }
            for item in items
            if item.get("type") == "function_call"
        ]


def _call_id(context: RunContextWrapper[ToolContext]) -> str:
    return context.tool_call_id if isinstance(context, SdkToolContext) else ""
