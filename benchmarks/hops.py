"""Hop times of one message, over many: everything real but WhatsApp's server, AWS and the model."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console

from functions.shared.examples import barber_shop
from kesher.demo.hops import HOPS, Answered, Hops, read_hops
from kesher.local.simulator import Simulator, SimulatorClient
from kesher.local.system import local_system
from kesher.steps import Steps

MESSAGES = 50
CUSTOMERS = 5
BUSINESS = "972531110000"
TENANT = barber_shop().tenant_id


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        steps = Steps(Console(file=io.StringIO()))
        with (
            Simulator(log=state / "simulator.log") as simulator,
            local_system(state, steps, whatsapp=simulator.whatsapp) as system,
        ):
            client = simulator.client
            client.add_business(BUSINESS, "Ron")
            system.open_business(barber_shop())
            system.link(TENANT, lambda qr: client.scan(BUSINESS, qr))
            phones = [str(972_541_000_000 + number) for number in range(CUSTOMERS)]
            for phone in phones:
                client.add_customer(phone, "Customer")
            cold, *_ = [_exchange(client, phone) for phone in phones]  # workers first, Signal sessions each time
            measured = [_exchange(client, phones[number % CUSTOMERS]) for number in range(MESSAGES)]
    print(f"{MESSAGES} messages, one at a time, {CUSTOMERS} customers, the rule-based stand-in as the model\n")
    print("| hop | what happens in it | median ms | p95 ms | the very first, all workers cold |")
    print("|---|---|---:|---:|---:|")
    by_hop = zip(*(hops.durations for hops in measured), strict=True)
    for hop, durations, first in zip(HOPS, by_hop, cold.durations, strict=True):
        print(f"| {hop.title} | {hop.meaning} | {_row(durations)} | {first} |")
    print(f"| in all | | {_row([hops.total for hops in measured])} | {cold.total} |")


def _exchange(client: SimulatorClient, phone: str) -> Hops:
    after = client.inbox(phone).next
    written_at = int(time.time() * 1000)
    message_id = client.say(phone, BUSINESS, "When are you open?")
    answer = client.inbox(phone, after=after, wait_seconds=60).messages[0]
    return read_hops(TENANT, Answered(phone, message_id, written_at, answer.id, answer.at))


def _row(values: tuple[int, ...] | list[int]) -> str:
    ordered = sorted(values)
    return f"{statistics.median(ordered):.0f} | {ordered[int(len(ordered) * 0.95) - 1]}"
