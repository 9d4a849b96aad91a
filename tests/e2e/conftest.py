"""Everything at once, started once: the CDK app in an emulated AWS, the real Baileys, a simulated WhatsApp."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3
import pytest
from rich.console import Console

from functions.shared.contracts import TenantId
from functions.shared.examples import barber_shop
from functions.shared.keys import CONVERSATION, OUTBOX_PREFIX, TURN_PREFIX, alias_key, conversation_pk
from functions.shared.tables import AliasItem, ConversationItem, OutboxItem, TurnItem, find
from kesher.local.simulator import Inbox, Simulator, SimulatorClient
from kesher.local.system import LocalSystem, local_system
from kesher.steps import Steps
from tests.waiting import eventually

BUSINESS = "972531110001"
TENANT = TenantId("business_1")
ANSWER_SECONDS = 60.0

# The gateway gives up its wait for an acknowledgement after 30 s; a test of that should not take so long.
SEND_DEADLINE_MS = 5_000


@dataclass(frozen=True)
class Customer:
    """A customer's phone, and what the app table knows of their conversation."""

    phone: str
    client: SimulatorClient

    def say(self, *texts: str) -> list[str]:
        """Write the texts one after the other; the ids of the messages."""
        return [self.client.say(self.phone, BUSINESS, text) for text in texts]

    def answers(self, count: int, *, seconds: float = ANSWER_SECONDS) -> list[str]:
        """The texts on the phone once there are `count` of them."""
        messages = eventually(
            lambda: found if len(found := self.inbox().messages) >= count else None,
            f"{count} answers on the phone of {self.phone}",
            seconds=seconds,
        )
        return [message.text or "" for message in messages]

    def inbox(self) -> Inbox:
        return self.client.inbox(self.phone)

    @property
    def pk(self) -> str:
        alias = find(AliasItem, alias_key(TENANT, f"{self.phone}@s.whatsapp.net"))
        assert alias is not None
        return conversation_pk(TENANT, alias.conversation_id)

    def epoch(self) -> int:
        """Raised whenever a person takes over."""
        conversation = find(ConversationItem, (self.pk, CONVERSATION))
        assert conversation is not None
        return conversation.epoch

    def turns(self) -> list[TurnItem]:
        return list(TurnItem.query(self.pk, TurnItem.sk.startswith(TURN_PREFIX), consistent_read=True))

    def outbox(self) -> list[OutboxItem]:
        return list(OutboxItem.query(self.pk, OutboxItem.sk.startswith(OUTBOX_PREFIX), consistent_read=True))


@pytest.fixture(scope="package")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(log=tmp_path_factory.mktemp("simulator") / "simulator.log") as running:
        yield running


@pytest.fixture(scope="package")
def system(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """The whole of it, with one business linked; gone before other tests of this process run."""
    state = tmp_path_factory.mktemp("system")
    steps = Steps(Console(file=io.StringIO()))
    settings = {"SEND_DEADLINE_MS": str(SEND_DEADLINE_MS), "METRICS_NAMESPACE": "Kesher", "METRICS_PERIOD_MS": "1000"}
    settings["MESSAGES_A_MINUTE"] = "1000"  # all tests share one number, and together they send more than a shop does
    with local_system(state, steps, whatsapp=simulator.whatsapp, gateway_settings=settings) as running:
        simulator.client.add_business(BUSINESS, "Ron")
        running.open_business(barber_shop(TENANT))
        running.link(TENANT, lambda qr: simulator.client.scan(BUSINESS, qr))
        yield running


@pytest.fixture
def client(simulator: Simulator, system: LocalSystem) -> Iterator[SimulatorClient]:
    yield simulator.client
    simulator.client.no_faults()


@pytest.fixture(scope="session")
def phones() -> Iterator[int]:
    return itertools.count(972_540_000_000)


@pytest.fixture
def new_customer(client: SimulatorClient, phones: Iterator[int]) -> Callable[[], Customer]:
    def create() -> Customer:
        phone = str(next(phones))
        client.add_customer(phone, f"Customer {phone[-3:]}")
        return Customer(phone, client)

    return create


@pytest.fixture
def customer(new_customer: Callable[[], Customer]) -> Customer:
    return new_customer()


@pytest.fixture
def sweep(system: LocalSystem) -> Callable[[], None]:
    """Run the sweeper now instead of at the next minute."""

    def run() -> None:
        answer = boto3.client("lambda").invoke(FunctionName=system.deployment.sweeper_function, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    return run
