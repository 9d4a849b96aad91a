"""`kesher up`: the pipeline on this machine, linked to the real WhatsApp."""

from __future__ import annotations

import time
from pathlib import Path

import segno
from rich.console import Console
from rich.panel import Panel
from rich.prompt import Confirm
from rich.text import Text

from functions.shared.contracts import TenantId
from functions.shared.examples import barber_shop
from infra.bundles import BundleError
from kesher.local.deploy import DeployError
from kesher.local.gateway import WhatsApp
from kesher.local.processes import ProcessError
from kesher.local.system import LocalSystem, local_system
from kesher.steps import Steps

SCAN_SECONDS = 10 * 60.0
_POLL_SECONDS = 1.0

WARNING = """\
Kesher speaks to WhatsApp as a linked device, through Baileys, an unofficial
client. WhatsApp does not support that and may restrict or ban the number,
without a warning and for good.

- Use a number that you can afford to lose.
- From now on the assistant answers whoever writes to it, in your name.
- Switch off the greeting and away messages of WhatsApp Business: they look
  as if you had answered yourself, and the assistant leaves the chat to you."""


def run_up(console: Console, state: Path, *, tenant: str, confirmed: bool, whatsapp: WhatsApp | None = None) -> int:
    """Run until Ctrl-C; the exit status. `whatsapp` is another server than the real one, for tests."""
    console.print(Panel(WARNING, title="Before you link a number", title_align="left", border_style="yellow"))
    if not confirmed and not _agreed(console):
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


def _agreed(console: Console) -> bool:
    if not console.is_terminal:
        console.print("This needs a yes: run it on a terminal, or with --yes.")
        return False
    return Confirm.ask("Go on?", console=console, default=False)


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
    rows = segno.make(qr, error="l").matrix_iter(border=2)
    console.print(Text("\n".join(_half_blocks(list(map(bytes, rows))))), style="black on bright_white", no_wrap=True)


def _half_blocks(rows: list[bytes]) -> list[str]:
    """Two rows of modules a line of text: a terminal's characters are about twice as high as wide."""
    pairs = zip(rows[::2], [*rows[1::2], bytes(len(rows[0]))], strict=False)
    blocks = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
    return ["".join(blocks[cell] for cell in zip(upper, lower, strict=True)) for upper, lower in pairs]


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
