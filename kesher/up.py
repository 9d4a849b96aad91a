"""`kesher up`: the pipeline on this machine, linked to the real WhatsApp."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from functions.shared.contracts import TenantId
from functions.shared.examples import barber_shop
from infra.bundles import BundleError
from kesher.linking_screen import qr_text, warned
from kesher.local.deploy import DeployError
from kesher.local.gateway import WhatsApp
from kesher.local.processes import ProcessError
from kesher.local.system import LocalSystem, local_system
from kesher.steps import Steps

SCAN_SECONDS = 10 * 60.0
_POLL_SECONDS = 1.0


def run_up(console: Console, state: Path, *, tenant: str, confirmed: bool, whatsapp: WhatsApp | None = None) -> int:
    """Run until Ctrl-C; the exit status. `whatsapp` is another server than the real one, for tests."""
    if not warned(console, confirmed=confirmed):
        return 2
    steps = Steps(console)
    own = state / "up"
    try:
        with local_system(own, steps, whatsapp=whatsapp or WhatsApp(), persist=True) as system:
            _link(console, steps, system, TenantId(tenant))
            console.print(
                "The assistant works for an example; `kesher business show > business.yaml` is where to change it."
            )
            console.print("Write to the number from another phone. Ctrl-C ends everything; the session stays linked.")
            stay(console, system, TenantId(tenant))
    except KeyboardInterrupt:
        console.print("\nEnded. `kesher up` goes on where this stopped.")
        return 0
    except (BundleError, DeployError, ProcessError) as error:
        console.print(f"[red]It failed:[/] {error}", soft_wrap=True, highlight=False)
        console.print(f"The logs are in {own}/")
        return 1
    return 0


def _link(console: Console, steps: Steps, system: LocalSystem, tenant: TenantId) -> None:
    business = barber_shop(tenant)
    system.open_business(business)
    with steps.step(f"Link the WhatsApp of {tenant}"):
        system.link(tenant, lambda qr: show_qr(console, qr), timeout=SCAN_SECONDS)


def show_qr(console: Console, qr: str) -> None:
    """The QR code as two characters a line of modules, with what to do with it."""
    console.print(
        "\nOn the business's phone: WhatsApp, Linked devices, Link a device. The code changes every 20 s or so."
    )
    console.print(qr_text(qr), no_wrap=True)


def stay(console: Console, system: LocalSystem, tenant: TenantId) -> None:
    """Say whenever the session's state changes. Raises ProcessError if the gateway ends."""
    said = ""
    while True:
        system.gateway.process.check()
        status = system.gateway.status(tenant)
        now = "gone" if status is None else f"{status.state}{f': {status.reason}' if status.reason else ''}"
        if now != said:
            console.print(f"[dim]{time.strftime('%H:%M:%S')}[/] {now}", highlight=False)
            said = now
        time.sleep(_POLL_SECONDS)
