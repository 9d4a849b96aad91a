"""The agent against a model server on this machine: what goes over the wire, retries, time-outs."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from agents import Agent, ModelSettings
from openai import APIStatusError
from pydantic import JsonValue
from typing_extensions import override

from functions.agent import models
from functions.agent.assistant import create_agent
from functions.agent.context import ToolContext
from functions.agent.run import Answer, run
from tests.unit.agent.support import BARBER, context_of

Body = dict[str, JsonValue]
Reply = tuple[int, dict[str, str], Body]


class ModelServer(ThreadingHTTPServer):
    """Answers with `replies` in turn (the last one for ever) and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[Reply] = []
        self.asked: list[tuple[str, Body]] = []
        self.silent = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        body: Body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        number = min(len(self.server.asked), len(self.server.replies)) - 1
        if number < 0:
            self.server.silent.wait(10)
            return
        status, headers, answer = self.server.replies[number]
        payload = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(payload)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Not into the tests' output."""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    server = ModelServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.silent.set()
    server.shutdown()
    thread.join()
    server.server_close()


def responses(*output: Body) -> Body:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4.1-mini",
        "status": "completed",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 64},
            "output_tokens": 10,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 110,
        },
    }


def says(text: str) -> Body:
    content: list[JsonValue] = [{"type": "output_text", "text": text, "annotations": []}]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content}


def calls(name: str, arguments: Body) -> Body:
    return {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "call_1",
        "name": name,
        "arguments": json.dumps(arguments),
        "status": "completed",
    }


def completion(message: Body) -> Body:
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "local",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


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
    assert answer.usage == {"requests": 1, "input_tokens": 100, "cached_tokens": 64, "output_tokens": 10}
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
    assert as_openai().text == "Hello!"
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
