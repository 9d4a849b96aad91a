"""The agent against a model server on this machine: what goes over the wire, retries, time-outs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from agents import Agent, ModelSettings
from openai import APIStatusError
from pydantic import JsonValue

from functions.agent import models
from functions.agent.assistant import create_agent
from functions.agent.context import ToolContext
from functions.agent.run import Answer, run
from tests.unit.agent.model_server import Body, ModelServer, calls, completion, responses, says, server
from tests.unit.agent.support import BARBER, context_of

__all__ = ["server"]


@pytest.fixture
def as_openai(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Answer]:
    """One run against the server, spoken to as OpenAI is."""
    monkeypatch.setattr(models.Server, "is_openai", property(lambda _self: True))
    return lambda: converse(server)


def converse(server: ModelServer, *, limit_s: float = 20.0, attempt_s: float | None = None) -> Answer:
    chosen = models.Server(server.url, "sk-test")
    agent: Agent[ToolContext] = create_agent(BARBER)
    agent.model = models.model_for(BARBER, chosen)
    agent.model_settings = models.settings_for(BARBER, chosen).resolve(ModelSettings(timeout=attempt_s))
    return asyncio.run(run(agent, [{"role": "user", "content": "hi"}], context_of(), limit_s=limit_s))


def test_openai_is_asked_to_store_nothing_and_sees_no_tenant_or_customer(
    server: ModelServer, as_openai: Callable[[], Answer]
) -> None:
    server.replies = [(200, {}, responses(says("Hello!")))]
    answer = as_openai()
    [(path, body)] = server.asked
    assert (answer.text, path) == ("Hello!", "/v1/responses")
    assert (body["store"], body["model"]) == (False, "gpt-4.1-mini")
    assert "Local time now: 2026-11-22T12:00" in str(body["instructions"])
    expected = {"requests": 1, "retries": 0, "input_tokens": 100, "cached_tokens": 64, "output_tokens": 10}
    assert {name: answer.usage[name] for name in expected} == expected
    wire = json.dumps(body)
    assert "business_1" not in wire
    assert '"c1"' not in wire


def test_a_tool_call_goes_both_ways_and_is_kept_without_the_servers_ids(
    server: ModelServer, as_openai: Callable[[], Answer]
) -> None:
    book = calls("book_appointment", {"start": "2026-11-24T10:00", "service": "haircut"})
    server.replies = [(200, {}, responses(book)), (200, {}, responses(says("Booked.")))]
    answer = as_openai()
    assert answer.tools[0]["name"] == "book_appointment"
    assert '"outcome":"booked"' in str(answer.tools[0]["result"])
    assert "id" not in answer.items[0]
    assert '"outcome\\":\\"booked' in json.dumps(server.asked[1][1]["input"])


def test_a_busy_server_is_asked_again_when_it_says(server: ModelServer, as_openai: Callable[[], Answer]) -> None:
    busy: Body = {"error": {"message": "slow down", "type": "rate_limit_error", "code": None, "param": None}}
    server.replies = [(429, {"Retry-After": "0"}, busy), (500, {}, busy), (200, {}, responses(says("Hello!")))]
    answer = as_openai()
    assert (answer.text, answer.usage["requests"], answer.usage["retries"]) == ("Hello!", 3, 2)
    assert len(server.asked) == 3


def test_a_server_that_stays_broken_ends_the_run(server: ModelServer, as_openai: Callable[[], Answer]) -> None:
    server.replies = [(503, {"Retry-After": "0"}, {"error": {"message": "down"}})]
    with pytest.raises(APIStatusError):
        as_openai()
    assert len(server.asked) == 3, "once, and two repetitions"


def test_what_no_repetition_can_heal_is_not_repeated(server: ModelServer, as_openai: Callable[[], Answer]) -> None:
    server.replies = [(401, {}, {"error": {"message": "wrong key"}})]
    with pytest.raises(APIStatusError):
        as_openai()
    assert len(server.asked) == 1


def test_a_silent_server_is_left_after_the_limit(server: ModelServer) -> None:
    with pytest.raises(TimeoutError):
        converse(server, limit_s=0.5)


def test_another_server_is_spoken_to_in_chat_completions_with_tools(server: ModelServer) -> None:
    call: list[JsonValue] = [
        {"id": "call_1", "type": "function", "function": {"name": "list_appointments", "arguments": "{}"}}
    ]
    server.replies = [
        (200, {}, completion({"content": None, "tool_calls": call})),
        (200, {}, completion({"content": "You have none."})),
    ]
    answer = converse(server)
    assert answer.text == "You have none."
    assert [path for path, _ in server.asked] == ["/v1/chat/completions"] * 2
    assert "store" not in server.asked[0][1], "unknown to most servers"
    assert answer.tools[0]["result"] == '{"outcome":"appointments","appointments":[]}'
