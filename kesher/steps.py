"""Progress of long work, for a person: one line a step, with its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.markup import escape


class Steps:
    """Shows what is being done now and what each finished step took.

    On a terminal the running step has a spinner; elsewhere its line appears when it begins, so that a log shows where
    it hangs.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Run the body as one step. Its line ends with a tick and the seconds it took, or with a cross if it raised."""
        began = time.monotonic()
        mark = "[red]✗[/]"
        if not self._console.is_terminal:
            self._console.print(f"… {escape(title)}")
        try:
            with self._console.status(escape(title)) if self._console.is_terminal else nullcontext():
                yield
            mark = "[green]✓[/]"
        finally:
            self._console.print(f"{mark} {escape(title)}  [dim]{time.monotonic() - began:.1f} s[/]")

    def note(self, text: str) -> None:
        """A detail of the running step."""
        self._console.print(f"    [dim]{escape(text)}[/]")

    @property
    def seconds(self) -> float:
        """Since the first step."""
        return time.monotonic() - self._began
