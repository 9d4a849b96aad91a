"""The app table inside this process: the emulator's DynamoDB without its HTTP, hundreds of times faster than a server.

It is the same engine that the integration tests talk to, so conditions, transactions and indexes are honoured. It takes
the place of the network at botocore's own hook for that.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from ministack.services import dynamodb  # type: ignore[import-untyped]

from functions.shared.tables import AppItem

_LOOP = asyncio.new_event_loop()


class _Body:
    """What botocore reads an answer from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._data


def _answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
    status, answered, data = _LOOP.run_until_complete(dynamodb.handle_request("POST", "/", headers, body, {}))
    raw: Any = _Body(data if isinstance(data, bytes) else data.encode())
    fields = HTTPHeaders()
    for name, value in answered.items():
        fields[name] = value
    return AWSResponse(str(request.url), status, fields, raw)


@contextmanager
def in_process_table() -> Iterator[None]:
    """Points the functions of this process at a table of their own; `begin_empty` makes it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "IN-PROCESS",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "APP_TABLE": f"protocol-{secrets.token_hex(6)}",
        }.items():
            patch.setenv(name, value)
        AppItem.connection().client.meta.events.register("before-send.dynamodb", _answer)  # type: ignore[arg-type] # its answer is the point
        yield


def begin_empty() -> None:
    """Throw away what is in the table; the client is kept, which costs more than all the rest."""
    if AppItem.exists():
        AppItem.delete_table()
    AppItem.create_table()
