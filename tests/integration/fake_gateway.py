"""A gateway that is told what to answer: a real HTTP server on 127.0.0.1, one script for each test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from functions.shared import settings
from functions.shared.contracts import (
    NotOwner,
    Refused,
    SendCommand,
    Sent,
    Superseded,
    TenantId,
    Unavailable,
    Unknown,
    Wire,
)
from functions.shared.sessions import session_key
from functions.shared.tables import AppItem
from functions.shared.words import in_words


@dataclass(frozen=True)
class Reply:
    """What goes over the wire; no status: the connection is cut instead."""

    status: int | None
    body: str = ""


Script = Callable[[SendCommand], Reply]


def reply(status: int, result: Wire) -> Reply:
    return Reply(status, result.to_json())


def sent(command: SendCommand) -> Reply:
    return reply(200, Sent(message_id=command.message_id, acknowledged_at=1_790_000_000_000))


def unknown(command: SendCommand) -> Reply:
    return reply(504, Unknown(message_id=command.message_id, reason="no acknowledgement within 30 s"))


def unavailable(command: SendCommand, retry_after_ms: int = 1_000) -> Reply:
    result = Unavailable(message_id=command.message_id, reason="reconnecting", retry_after_ms=retry_after_ms)
    return reply(503, result)


def not_owner(command: SendCommand) -> Reply:
    return reply(409, NotOwner(message_id=command.message_id, reason="owner token 8 is in force"))


def superseded(command: SendCommand) -> Reply:
    return reply(410, Superseded(message_id=command.message_id, reason="the owner wrote in this chat"))


def refused(code: str, *, permanent: bool) -> Script:
    return lambda command: reply(
        422, Refused(message_id=command.message_id, code=code, reason="restricted", permanent=permanent)
    )


def cut(_: SendCommand) -> Reply:
    return Reply(None)


def garbage(status: int) -> Script:
    return lambda _: Reply(status, "<html>")


@dataclass
class Call:
    """A request as it came."""

    tenant: str
    secret: str | None
    command: SendCommand


@dataclass
class FakeGateway:
    """Plays `script` call by call, then answers `sent`. `calls` is what it was asked."""

    url: str
    script: list[Script] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    secret: str | None = None
    """If set, the only one that opens this gateway."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def texts(self) -> list[str]:
        return [in_words(call.command.content) for call in self.calls]

    def ids(self) -> list[str]:
        return [call.command.message_id for call in self.calls]

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        secret = headers.get("X-Internal-Secret")
        if self.secret is not None and secret != self.secret:
            return Reply(401, '{"error": "unauthorized", "reason": "X-Internal-Secret"}')
        command = SendCommand.model_validate_json(body)
        with self._lock:
            _, _, tenant, _ = path.split("/")
            self.calls.append(Call(tenant, secret, command))
            script = self.script.pop(0) if self.script else sent
        return script(command)


@contextmanager
def running_gateway() -> Iterator[FakeGateway]:
    """A gateway on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = gateway.answer(self.path, dict(self.headers.items()), body)
            if answer.status is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.body.encode())))
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gateway = FakeGateway(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def own_session(tenant: TenantId, owner_url: str | None, *, token: int = 7, up_since: int = 1) -> None:
    """Write the session row as the gateway does when a session that it claimed is connected."""
    item: dict[str, dict[str, str]] = {
        **session_key(tenant),
        "tenantId": {"S": tenant},
        "desired": {"S": "linked"},
        "ownerToken": {"N": str(token)},
        "state": {"S": "connected"},
        "updatedAt": {"N": str(up_since)},
    }
    if owner_url is not None:
        item["ownerUrl"] = {"S": owner_url}
    AppItem.connection().dispatch("PutItem", {"TableName": settings.gateway_table(), "Item": item})
