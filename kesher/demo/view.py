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
    """Each customer's chat as on a phone: what they wrote on the left, the answers indented.

    `#n` is the number of the exchange in `show_hops`.
    """
    numbers = {id(exchange): f"#{number}" for number, exchange in enumerate(exchanges, start=1)}
    for customer in dict.fromkeys(exchange.customer for exchange in exchanges):
        chat = Table.grid(padding=(0, 1))
        chat.add_column(justify="right", no_wrap=True)
        chat.add_column(overflow="fold")
        for exchange in exchanges:
            if exchange.customer == customer:
                for text in exchange.texts:
                    chat.add_row(Text(customer, style="bold cyan"), _isolated(text))
                chat.add_row(Text(numbers[id(exchange)], style="bold green"), _isolated(exchange.answer, "green"))
        console.print(Panel(chat, title=f"{customer} and {business}", title_align="left"))


def show_hops(console: Console, exchanges: Sequence[Exchange]) -> None:
    """A column an exchange: milliseconds of each hop, from the customer's last message to the answer."""
    table = Table(box=SIMPLE_HEAD, title="Milliseconds of every hop", title_justify="left", title_style="bold")
    table.add_column("hop")
    table.add_column("what happens in it", style="dim")
    for number, _ in enumerate(exchanges, start=1):
        table.add_column(f"#{number}", justify="right")
    for hop, durations in zip(
        HOPS, zip(*(exchange.hops.durations for exchange in exchanges), strict=True), strict=True
    ):
        table.add_row(hop.title, hop.meaning, *map(str, durations))
    table.add_section()
    table.add_row("in all", "", *(str(exchange.hops.total) for exchange in exchanges), style="bold")
    console.print(table)


def show_answer(console: Console, author: str, text: str) -> None:
    """One message as it arrives."""
    console.print(Text(author, style="bold green"), _isolated(text, "green"))


def _isolated(text: str, style: str = "") -> Text:
    """Each line that holds right-to-left text between Unicode's FIRST STRONG ISOLATE and its end.

    A terminal then orders every line by itself, whatever stands before it.
    """
    return Text("\n".join(f"\u2068{line}\u2069" if _right_to_left(line) else line for line in text.splitlines()), style)


def _right_to_left(line: str) -> bool:
    return any(unicodedata.bidirectional(character) in {"R", "AL"} for character in line)
