"""The app table inside this process: the emulator's DynamoDB without its HTTP, hundreds of times faster than a server.

It is the same engine that the integration tests talk to, so conditions, transactions and indexes are honoured. It takes
the place of the AWS SDK, at the one method of its client that everything goes through: building, signing and parsing
requests would cost more than the engine and the tested code together, and the integration tests do it all.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import pytest
from ministack.services import dynamodb  # type: ignore[import-untyped]

from functions.shared.aws import forget
from functions.shared.tables import AppItem

Item = TypeVar("Item", bound=AppItem)

_LOOP = asyncio.new_event_loop()


def _call(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the SDK's client makes of an answer: the parsed body, or the exception of its code."""
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
    request = dynamodb.handle_request("POST", "/", headers, json.dumps(arguments).encode(), {})
    status, _, data = _LOOP.run_until_complete(request)
    answer: dict[str, Any] = json.loads(data)
    if status < 400:
        return answer
    code = answer.pop("__type").rpartition("#")[2]
    message = answer.pop("message", answer.pop("Message", ""))
    error = cast("type[Exception]", AppItem.connection().client.exceptions.from_code(code))
    raise error({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}, **answer}, operation)


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
        forget()
        patch.setattr(AppItem.connection().client, "_make_api_call", _call)
        yield
    forget()


def begin_empty() -> None:
    """Throw away what is in the table; the client is kept, which costs more than all the rest."""
    if AppItem.exists():
        AppItem.delete_table()
    AppItem.create_table()


def lying_under(model: type[Item], pk: str, prefix: str) -> list[Item]:
    """What a query would find. Taken out of the engine past its API: a check after every step is as cheap as a step."""
    rows = dynamodb._tables[os.environ["APP_TABLE"]]["items"].get(pk, {})
    return [model.from_raw_data(row) for sk, row in sorted(rows.items()) if sk.startswith(prefix)]
