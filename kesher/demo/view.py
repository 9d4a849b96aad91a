"""How the demo looks: the chat as it went, and the time of every hop."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kesher.demo.hops import HOPS, Hops


@dataclass(frozen=True)
class Exchange:
    """What a customer wrote, what came back, and how long each part of the way took."""

    customer: str
    texts: tuple[str, ...]
    answer: str
    hops: Hops


def show_chat(console: Console, business: str, exchanges: Sequence[Exchange]) -> None:
    """Each customer's chat as on a phone: what they wrote on the left, the answers indented."""
    for customer in dict.fromkeys(exchange.customer for exchange in exchanges):
        lines: list[Text] = []
        for exchange in exchanges:
            if exchange.customer == customer:
                lines += [bubble(customer, text, "bold cyan") for text in exchange.texts]
                lines.append(bubble(business, exchange.answer, "bold green", indent=4))
        console.print(Panel(Text("\n").join(lines), title=f"{customer} and {business}", title_align="left"))


def show_hops(console: Console, exchanges: Sequence[Exchange]) -> None:
    """One line an exchange: milliseconds of each hop, counted from the customer's last message."""
    table = Table(box=SIMPLE_HEAD, title="Milliseconds from hop to hop", title_justify="left", title_style="bold")
    table.add_column("customer wrote", overflow="ellipsis", no_wrap=True, max_width=28)
    for hop in HOPS:
        table.add_column(hop.title, justify="right")
    table.add_column("in all", justify="right", style="bold")
    for exchange in exchanges:
        table.add_row(exchange.texts[-1], *(str(ms) for ms in exchange.hops.durations), str(exchange.hops.total))
    console.print(table)
    for hop in HOPS:
        console.print(f"  [bold]{hop.title}[/]  [dim]{hop.meaning}[/]")


def bubble(author: str, text: str, style: str, indent: int = 0) -> Text:
    """`author: text`, each line indented; Hebrew lines are isolated so that a terminal orders them by themselves."""
    head = Text(" " * indent) + Text(author, style=style) + Text("  ")
    lines = [_isolated(line) for line in text.splitlines()] or [""]
    return head + Text(("\n" + " " * (indent + 2)).join(lines))


def _isolated(line: str) -> str:
    """`line` between Unicode's FIRST STRONG ISOLATE and its end, if it holds right-to-left text."""
    if any(unicodedata.bidirectional(character) in {"R", "AL"} for character in line):
        return f"\u2068{line}\u2069"
    return line
