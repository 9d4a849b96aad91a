"""How the demo looks: the chat as it goes, and the time of every hop."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from kesher.demo.hops import HOPS
from kesher.demo.play import Played
from kesher.demo.script import Customer
from kesher.direction import isolated

_NAME = 12
_WIDTH = 100


def show_customer(console: Console, customer: Customer, business: str) -> None:
    """The head of a customer's chat."""
    console.print()
    title = Text.assemble(isolated(customer.name, "bold cyan"), " writes to ", isolated(business, "bold green"))
    console.print(Rule(title, align="left", style="dim"), width=_width(console))


def show_texts(console: Console, author: str, texts: Sequence[str], *, style: str = "cyan") -> None:
    """Messages as they are written."""
    for text in texts:
        show_message(console, author, text, style)


def show_played(console: Console, number: int, played: Played, business: str) -> None:
    """What came back, and what it showed."""
    if played.answer is not None:
        show_message(console, business, played.answer, "green")
    said = f"#{number}  {played.step.shows}"
    if played.hops is not None:
        said += f"  ·  {played.hops.total / 1000:.1f} s"
    console.print(Padding(Text.assemble(("✓ ", "green"), (said, "dim")), (0, 0, 0, _NAME + 2)))


def show_message(console: Console, author: str, text: str, style: str) -> None:
    """One message: the author's name, then the text in a column of its own."""
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(justify="right", width=_NAME, no_wrap=True)
    row.add_column(no_wrap=True)
    # Wrapped before they are isolated: an isolate ends with its line.
    lines = Text(text).wrap(console, _width(console) - _NAME - 4)
    shown = Text("\n").join(isolated(line.plain.rstrip(), style) for line in lines)
    row.add_row(isolated(_shortened(author), f"bold {style}"), shown)
    console.print(row, width=_width(console))


def show_hops(console: Console, played: Sequence[tuple[int, Played]]) -> None:
    """A row a message that was answered at once: milliseconds of each hop, up to the answer on the phone."""
    hops = [(number, one.hops) for number, one in played if one.hops is not None]
    table = Table(box=SIMPLE_HEAD, title="Milliseconds of every hop", title_justify="left", title_style="bold")
    table.add_column("#", justify="right", style="dim")
    for hop in HOPS:
        table.add_column(hop.title, justify="right")
    table.add_column("in all", justify="right", style="bold")
    for number, one in hops:
        table.add_row(str(number), *map(str, one.durations), str(one.total))
    table.add_section()
    middle = [round(median(column)) for column in zip(*(one.durations for _, one in hops), strict=True)]
    table.add_row("median", *map(str, middle), str(round(median(one.total for _, one in hops))), style="bold")
    console.print()
    console.print(table)
    for hop in HOPS:
        console.print(f"  [dim]{hop.title:8} {hop.meaning}[/]")


def _shortened(name: str) -> str:
    return name if cell_len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _width(console: Console) -> int:
    return min(console.width, _WIDTH)
