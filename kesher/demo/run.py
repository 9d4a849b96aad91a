"""The demo from start to end."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from functions.shared.contracts import TenantId
from functions.shared.examples import barber_shop
from infra.bundles import BundleError
from kesher.demo.chat import chat_as_customer
from kesher.demo.hops import Answered, HopsError, read_hops
from kesher.demo.script import CUSTOMERS, STEPS, Step
from kesher.demo.view import Exchange, show_chat, show_hops
from kesher.local.deploy import DeployError
from kesher.local.processes import ProcessError
from kesher.local.simulator import Simulator, SimulatorClient, SimulatorError
from kesher.local.system import LocalSystem, local_system
from kesher.steps import Steps

BUSINESS_PHONE = "972531110000"
ANSWER_SECONDS = 60.0


class NoAnswerError(Exception):
    """An answer did not reach the customer's phone in time; the text says where to look."""


class UnexpectedError(Exception):
    """The customers' phones hold something else than one answer an exchange."""


def run_demo(console: Console, state: Path, *, chat: bool | None) -> int:
    """Play the demo; the exit status: 0 if every message was answered."""
    interactive = sys.stdin.isatty() and console.is_terminal if chat is None else chat
    own = _own_folder(state)
    steps = Steps(console)
    console.print(Panel("A customer writes, the whole pipeline answers", title="Kesher demo", title_align="left"))
    try:
        with ExitStack() as stack:
            with steps.step("Start the simulated WhatsApp"):
                simulator = stack.enter_context(Simulator(log=own / "simulator.log"))
            system = stack.enter_context(local_system(own, steps, whatsapp=simulator.whatsapp))
            _play(console, steps, system, simulator.client, own, interactive=interactive)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130
    except (BundleError, DeployError, ProcessError, SimulatorError, NoAnswerError, UnexpectedError, HopsError) as error:
        console.print(f"[red]The demo failed:[/] {error}", soft_wrap=True, highlight=False)
        console.print(f"The logs are in {own}/")
        return 1
    shutil.rmtree(own, ignore_errors=True)
    return 0


def _play(
    console: Console, steps: Steps, system: LocalSystem, client: SimulatorClient, own: Path, *, interactive: bool
) -> None:
    business = barber_shop()
    with steps.step("Link the business's phone by QR"):
        client.add_business(BUSINESS_PHONE, business.name)
        system.open_business(business)
        system.link(business.tenant_id, lambda qr: client.scan(BUSINESS_PHONE, qr))
    for customer in CUSTOMERS.values():
        client.add_customer(customer.phone, customer.name, reads=True)
    with steps.step("Two customers write, in English and in Hebrew"):
        exchanges = [_exchange(client, business.tenant_id, step, own) for step in STEPS]
    console.print()
    show_chat(console, business.name, exchanges)
    show_hops(console, exchanges)
    _check(client, exchanges)
    console.print(f"\n[green]{len(exchanges)} of {len(STEPS)} answered[/], {steps.seconds:.0f} s since the start.")
    if interactive:
        chat_as_customer(console, client, business=BUSINESS_PHONE, name=business.name)


def _exchange(client: SimulatorClient, tenant: TenantId, step: Step, own: Path) -> Exchange:
    """Write as the customer and wait for the one answer."""
    before = client.inbox(step.customer).next
    for text in step.texts:
        written_at = int(time.time() * 1000)
        message_id = client.say(step.customer, BUSINESS_PHONE, text)
    inbox = client.inbox(step.customer, after=before, wait_seconds=ANSWER_SECONDS)
    if not inbox.messages:
        raise NoAnswerError(
            f"no answer to {step.texts[-1]!r} within {ANSWER_SECONDS:.0f} s. Look into {own}/gateway.log first."
        )
    answer = inbox.messages[0]
    answered = Answered(step.customer, message_id, written_at, answer.id, answer.at)
    return Exchange(CUSTOMERS[step.customer].name, step.texts, answer.text or "", read_hops(tenant, answered))


def _check(client: SimulatorClient, exchanges: Sequence[Exchange]) -> None:
    """Count what is on the phones: one answer an exchange, each once, none unreadable.

    Raises NoAnswerError, or UnexpectedError.
    """
    inboxes = [client.inbox(phone) for phone in CUSTOMERS]
    answers = sum(len(inbox.messages) for inbox in inboxes)
    copies = sum(sum(inbox.copies.values()) for inbox in inboxes)
    unreadable = sum(inbox.undecryptable for inbox in inboxes)
    if (answers, copies, unreadable) != (len(exchanges), len(exchanges), 0):
        raise UnexpectedError(
            f"{len(exchanges)} answers were due; the phones hold {answers} of {copies} stanzas, {unreadable} unreadable"
        )


def _own_folder(state: Path) -> Path:
    """A folder for this run. Those of earlier runs that failed are kept until the next one."""
    runs = state / "demo"
    for run in runs.glob("*"):
        if not _alive(run.name):
            shutil.rmtree(run, ignore_errors=True)
    own = runs / str(os.getpid())
    own.mkdir(parents=True)
    return own


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
