"""Nothing lost, nothing doubled, when parts of the way fail."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from functions.shared.keys import message_sk
from functions.shared.tables import MessageItem, find
from kesher.local.simulator import SimulatorClient
from kesher.local.system import LocalSystem
from tests.e2e.conftest import TENANT, Customer
from tests.waiting import eventually

FINISHED = {"SENT", "DELIVERED", "READ"}
KILLS = 3
CUSTOMERS = 4
MESSAGES_EACH = 6


def test_the_gateway_killed_in_the_middle_of_traffic_needs_no_new_qr_and_every_message_is_answered_once(
    system: LocalSystem, new_customer: Callable[[], Customer], sweep: Callable[[], None]
) -> None:
    customers = [new_customer() for _ in range(CUSTOMERS)]
    chance = random.Random(20)  # noqa: S311 - the moments of the kills, not a secret
    written: dict[str, list[str]] = {customer.phone: [] for customer in customers}

    def write(customer: Customer) -> None:
        for number in range(MESSAGES_EACH):
            written[customer.phone] += customer.say(f"question {number}: when are you open?")
            done.wait(chance.uniform(0.3, 1.5))

    done = threading.Event()
    writers = [threading.Thread(target=write, args=(customer,)) for customer in customers]
    for writer in writers:
        writer.start()
    for _ in range(KILLS):
        done.wait(chance.uniform(0.5, 2.0))
        system.gateway.process.kill()
        system.gateway.start()
    for writer in writers:
        writer.join()
    shown: list[str] = []
    system.link(TENANT, shown.append)
    assert shown == [], "a new QR was asked for"

    def all_answered() -> bool:
        return all(answered(customer, len(written[customer.phone])) for customer in customers)

    eventually(all_answered, "an answer to every message", seconds=30)
    for customer in customers:
        rows = customer.outbox()
        inbox = customer.inbox()
        assert {row.message_id for row in rows} == {message.id for message in inbox.messages}
        assert len(rows) == len(inbox.messages)
        assert inbox.undecryptable == 0
        in_turns = [seq for turn in customer.turns() for seq in range(turn.lo, turn.hi + 1)]
        assert list(range(1, MESSAGES_EACH + 1)) == in_turns
        stored = [find(MessageItem, (customer.pk, message_sk(seq))) for seq in in_turns]
        assert sorted(written[customer.phone]) == sorted(row.message_id for row in stored if row)


def answered(customer: Customer, count: int) -> bool:
    turns = customer.turns()
    return bool(turns) and turns[-1].hi == count and all(row.state in FINISHED for row in customer.outbox())


def test_what_the_server_never_acknowledges_is_not_sent_and_later_goes_out_under_the_same_id(
    customer: Customer, client: SimulatorClient, sweep: Callable[[], None]
) -> None:
    customer.say("hi")
    customer.answers(1)
    customer.say("when are you open?")
    # A phone that is switched off sends no receipt, which would be proof enough that the message arrived.
    client.change_customer(customer.phone, offline=True)
    client.faults(drop_acks=True)
    row = eventually(
        lambda: next((row for row in customer.outbox()[1:] if row.attempts and row.error), None),
        "an attempt whose outcome is unknown",
    )
    assert row.state == "SENDING"
    client.no_faults()

    def sent() -> bool:
        sweep()
        return customer.outbox()[1].state in FINISHED

    eventually(sent, "the acknowledgement", seconds=60, every=1)
    client.change_customer(customer.phone, offline=False)
    customer.answers(2)
    inbox = customer.inbox()
    assert [one.message_id for one in customer.outbox()] == [message.id for message in inbox.messages]
    assert len(inbox.messages) == 2
    assert inbox.copies[row.message_id] >= 2, "the same id went out again"


def test_two_chats_at_once_are_both_answered(new_customer: Callable[[], Customer]) -> None:
    customers = [new_customer() for _ in range(6)]
    for customer in customers:
        customer.say("hi")
    for customer in customers:
        customer.answers(1)
    assert [len(customer.inbox().messages) for customer in customers] == [1] * 6


def test_a_customer_whose_phone_cannot_decrypt_asks_again_and_reads_it(
    customer: Customer, client: SimulatorClient
) -> None:
    customer.say("hi")
    customer.answers(1)
    client.change_customer(customer.phone, fail_decrypt=1)
    customer.say("when are you open?")
    customer.answers(2)
    assert len(customer.inbox().messages) == 2
