"""Clients of AWS, made at first use and kept for the process.

botocore itself, not boto3: the resources and sessions of boto3 cost import time and nothing here uses them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import botocore.session
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 5


@cache
def _session() -> botocore.session.Session:
    import botocore.session  # noqa: PLC0415 - only who rings or verifies pays for it

    return botocore.session.get_session()


def _client(service: str) -> object:
    from botocore.config import Config  # noqa: PLC0415

    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, retries=retries)  # type: ignore[arg-type]
    return _session().create_client(service, config=config)


@cache
def sqs() -> SQSClient:
    return cast("SQSClient", _client("sqs"))


@cache
def secrets_manager() -> SecretsManagerClient:
    return cast("SecretsManagerClient", _client("secretsmanager"))
