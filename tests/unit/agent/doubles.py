"""Models for tests that watch or disturb a run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

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
from agents.testing import assistant_message
from openai.types.responses.response_prompt_param import ResponsePromptParam
from typing_extensions import override

from functions.agent.standin import StandIn
from functions.shared.profile import BusinessProfile


class Watched(Model):
    """The stand-in, with `before` called at each model call; keeps the instructions and items that it was given."""

    def __init__(
        self,
        profile: BusinessProfile,
        before: Callable[[], Awaitable[None]] | None = None,
        *,
        notes: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        self._inner = StandIn(profile)
        self._before = before
        self._notes = notes
        """Sums up what it is given."""
        self.seen: list[tuple[str, list[TResponseInputItem]]] = []

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
        assert isinstance(input, list)
        if self._notes and (system_instructions or "").startswith("You keep the notes"):
            return ModelResponse(
                output=[assistant_message(await self._notes(str(input)))],
                usage=Usage(requests=1, input_tokens=900, output_tokens=80),
                response_id=None,
            )
        self.seen.append((system_instructions or "", list(input)))
        if self._before:
            await self._before()
        return await self._inner.get_response(
            system_instructions,
            input,
            model_settings,
            tools,
            output_schema,
            handoffs,
            tracing,
            previous_response_id=previous_response_id,
            conversation_id=conversation_id,
            prompt=prompt,
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
        raise NotImplementedError
