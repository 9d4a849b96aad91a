"""Clients of AWS, made at first use and kept for the process.

botocore itself, not boto3: the resources and sessions of boto3 cost import time and nothing here uses them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from botocore.config import Config

from functions.shared.tables import AppItem

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 5


def _client(service: str) -> object:
    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, retries=retries)  # type: ignore[arg-type]
    # DynamoDB's session: a second one would read the partitions and endpoints of AWS again, 30 ms of CPU.
    return AppItem.connection().session.create_client(service, config=config)


@cache
def sqs() -> SQSClient:
    return cast("SQSClient", _client("sqs"))


class Objects(Protocol):
    """What is used of S3."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> object: ...  # noqa: N803


@cache
def s3() -> Objects:
    return cast("Objects", _client("s3"))


@cache
def secrets_manager() -> SecretsManagerClient:
    return cast("SecretsManagerClient", _client("secretsmanager"))


def forget() -> None:
    """Drop every client, so that the next one is made for the environment of that moment."""
    sqs.cache_clear()
    secrets_manager.cache_clear()
    s3.cache_clear()
    AppItem.disconnect()


def prepare(*clients: Callable[[], object]) -> None:
    """Make DynamoDB's client and these while Lambda initialises the process; for a handler's module.

    Lambda initialises with a whole CPU and serves with the share that the memory setting buys, so that the same 70 ms
    would be several times as many in the first request. Anywhere else nothing happens: importing reads no environment.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        for make in (lambda: AppItem.connection().client, *clients):
            make()
