"""A model server on this machine that answers as it is told, and fails in every way that one can."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import pytest
from pydantic import JsonValue
from typing_extensions import override

Body = dict[str, JsonValue]
Reply = tuple[int, dict[str, str], Body]
Fault = Literal["stall", "cut", "garbage"]
"""Says nothing; promises more than it says and hangs up; says 200 and then no JSON."""


class ModelServer(ThreadingHTTPServer):
    """Answers with `replies` in turn (the last one for ever) and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: list[Reply | Fault] = []
        self.by_model: dict[str, list[Reply | Fault]] = {}
        """Instead of `replies`, for the models that are named."""
        self.asked: list[tuple[str, Body]] = []
        self.keys: set[str] = set()
        """That it was shown."""
        self.silent = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        body: Body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        self.server.keys.add(self.headers["Authorization"].removeprefix("Bearer "))
        replies = self.server.by_model.get(str(body.get("model")), self.server.replies)
        reply = replies.pop(0) if len(replies) > 1 else replies[0] if replies else "stall"
        if reply == "stall":
            self.server.silent.wait(10)
            return
        status, headers, answer = (200, {}, Body()) if isinstance(reply, str) else reply
        payload = b"<html>busy" if reply == "garbage" else json.dumps(answer).encode()
        if reply == "cut":
            headers = {"Content-Length": "1000"}
            self.close_connection = True
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(payload)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Not into the tests' output."""


@contextmanager
def running() -> Iterator[ModelServer]:
    server = ModelServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.silent.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running() as one:
        yield one


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


def calls(name: str, arguments: Body | str) -> Body:
    return {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "call_1",
        "name": name,
        "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
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


def completion_calls(name: str, arguments: str, *, call_id: str = "call_1") -> Body:
    call: list[JsonValue] = [{"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}]
    return completion({"content": None, "tool_calls": call})
