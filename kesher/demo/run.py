"""The demo from start to end."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from functions.agent import settings
from infra.bundles import BundleError
from kesher.demo.chat import chat_as_customer
from kesher.demo.hops import HopsError
from kesher.demo.play import NoAnswerError, Played, Player, UnexpectedError
from kesher.demo.script import BUSINESS_PHONE, CUSTOMERS, STEPS, business
from kesher.demo.view import show_customer, show_hops, show_played, show_texts
from kesher.local.deploy import DeployError
from kesher.local.processes import ProcessError
from kesher.local.simulator import Simulator, SimulatorClient, SimulatorError
from kesher.local.system import LocalSystem, local_system
from kesher.steps import Steps

OWNER = "Ron (owner)"


def run_demo(console: Console, state: Path, *, chat: bool | None) -> int:
    """Play the demo; the exit status: 0 if every step went as it should."""
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
    shop = business()
    with steps.step("Link the business's phone by QR"):
        client.add_business(BUSINESS_PHONE, shop.name)
        system.open_business(shop)
        system.link(shop.tenant_id, lambda qr: client.scan(BUSINESS_PHONE, qr))
    for customer in CUSTOMERS:
        client.add_customer(customer.phone, customer.name, reads=True)
    began = time.monotonic()
    player = Player(client, shop, own / "gateway.log", real_model=settings.has_model_server())
    played: list[Played] = []
    for number, step in enumerate(STEPS, start=1):
        if number == 1 or step.customer != STEPS[number - 2].customer:
            show_customer(console, step.customer, shop.name)
        if step.texts:
            owner = step.who == "owner"
            show_texts(
                console, OWNER if owner else step.customer.name, step.texts, style="magenta" if owner else "cyan"
            )
        played.append(player.play(step))
        show_played(console, number, played[-1], shop.name)
    talked = time.monotonic() - began
    on_phones = player.count_phones()
    show_hops(console, list(enumerate(played, start=1)))
    answers = sum(step.answered for step in STEPS)
    console.print(
        f"\n[green]All {len(STEPS)} steps went as they should[/]: {answers} of {answers} answers, {on_phones} messages "
        f"on {len(CUSTOMERS)} phones, each once; {sum(one.facts for one in played)} facts checked in the tables.\n"
        f"{talked:.0f} s of conversation, {steps.seconds:.0f} s since the start.",
        soft_wrap=True,
        highlight=False,
    )
    if interactive:
        chat_as_customer(console, client, business=BUSINESS_PHONE, name=shop.name)


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
