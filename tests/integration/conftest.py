"""What the integration tests share: the two tables, the two queues and the secret, in the emulator."""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from functions.shared import aws as clients
from functions.shared.contracts import TenantId
from functions.shared.examples import barber_shop
from functions.shared.observability import logger, metrics
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.tables import AppItem
from kesher.local.emulator import Emulator
from tests.integration.support import SECRET, Store


@dataclass(frozen=True)
class Stack:
    """Names of what was created in the emulator for this run of the tests."""

    environment: dict[str, str]


@pytest.fixture(scope="session")
def stack(emulator: Emulator) -> Iterator[Stack]:
    """The tables, queues and secret, created once; tests keep apart by their tenants."""
    run = secrets.token_hex(4)
    with pytest.MonkeyPatch.context() as patch:
        environment = {"APP_TABLE": f"app-{run}", "GATEWAY_TABLE": f"gateway-{run}"}
        for name, value in (emulator.environment | environment).items():
            patch.setenv(name, value)
        clients.forget()
        AppItem.create_table(wait=True)
        AppItem.connection().dispatch(
            "CreateTable",
            {
                "TableName": environment["GATEWAY_TABLE"],
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
            },
        )
        for queue in ("turns", "outgoing"):
            attributes = {"FifoQueue": "true", "VisibilityTimeout": "30"}
            url = clients.sqs().create_queue(QueueName=f"{queue}-{run}.fifo", Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
            environment[f"{queue.upper()}_QUEUE_URL"] = url
        secret = clients.secrets_manager().create_secret(Name=f"internal-{run}", SecretString=SECRET.model_dump_json())
        environment["INTERNAL_SECRET_ARN"] = secret["ARN"]
        yield Stack(environment)


@pytest.fixture
def store(aws: Emulator, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The functions of this process work on the emulator; the queues are empty."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    metrics.clear_metrics()
    store = Store()
    store.drain_queues()
    return store


@pytest.fixture
def business(store: Store) -> BusinessProfile:
    """A business that no other test knows."""
    return save_profile(barber_shop(f"business_{secrets.token_hex(4)}"))


@pytest.fixture
def tenant(business: BusinessProfile) -> TenantId:
    return business.tenant_id


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the functions log during the test, as CloudWatch would get it."""
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    text = io.StringIO()
    before = handler.setStream(text)
    yield text
    handler.setStream(before)
