"""What a person sees who links a number: the warning before it, the QR code, the pairing code."""

from __future__ import annotations

import segno
from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.prompt import Confirm
from rich.text import Text

WARNING = """\
Kesher speaks to WhatsApp as a linked device, through Baileys, an unofficial
client. WhatsApp does not support that and may restrict or ban the number,
without a warning and for good.

- Use a number that you can afford to lose.
- From now on the assistant answers whoever writes to it, in your name.
- Switch off the greeting and away messages of WhatsApp Business: they look
  as if you had answered yourself, and the assistant leaves the chat to you."""


def warned(console: Console, *, confirmed: bool) -> bool:
    """Show the risk; whether the person takes it. `confirmed`: they said so before."""
    console.print(Panel(WARNING, title="Before you link a number", title_align="left", border_style="yellow"))
    return confirmed or _agreed(console)


def _agreed(console: Console) -> bool:
    if not console.is_terminal:
        console.print("This needs a yes: run it on a terminal, or with --yes.")
        return False
    return Confirm.ask("Go on?", console=console, default=False)


def qr_text(qr: str) -> Text:
    """Two rows of modules a line of text: a terminal's characters are about twice as high as wide."""
    rows = list(map(bytes, segno.make(qr, error="l").matrix_iter(border=2)))
    pairs = zip(rows[::2], [*rows[1::2], bytes(len(rows[0]))], strict=False)
    blocks = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
    lines = ("".join(blocks[cell] for cell in zip(upper, lower, strict=True)) for upper, lower in pairs)
    return Text("\n".join(lines), style="black on bright_white")


def scan_screen(qr: str, seconds: int) -> Group:
    """A QR code, what to do with it, and for how long it holds."""
    return Group(
        Text("On the business's phone: WhatsApp, Linked devices, Link a device."),
        qr_text(qr),
        Text(f"This code holds for {seconds} s; another one follows.", style="dim"),
    )


def type_screen(code: str, phone: str, seconds: int) -> Group:
    """A pairing code, what to do with it, and for how long it holds."""
    return Group(
        Text(f"On the phone with +{phone}: WhatsApp, Linked devices, Link a device, Link with phone number instead."),
        Padding(Text(f"{code[:4]}-{code[4:]}", style="bold"), (1, 4)),
        Text(f"This code holds for {seconds // 60}:{seconds % 60:02d}; another one follows.", style="dim"),
    )
