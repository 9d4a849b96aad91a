"""The command line as a new user meets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from functions.shared.examples import barber_shop
from kesher import up
from kesher.demo.script import STEPS
from kesher.local.simulator import Simulator
from kesher.local.system import LocalSystem

BUSINESS = "972531119999"


def kesher(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OPENAI_"))}
    command = [sys.executable, "-m", "kesher", *arguments, "--state", str(state)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False, env=environment
    )


def test_the_demo_without_a_terminal_checks_every_step_prints_hop_times_and_ends_with_0(tmp_path: Path) -> None:
    done = kesher("demo", state=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"All {len(STEPS)} steps went as they should" in done.stdout
    assert [str(number) for number in range(1, len(STEPS) + 1)] == re.findall(r"✓ #(\d+)", done.stdout)
    assert re.search(r"median( +\d+){7}", done.stdout)
    assert "Booked: Haircut, Tuesday" in done.stdout
    assert "בוטל: עיצוב זקן" in done.stdout
    assert list((tmp_path / "demo").iterdir()) == [], "a demo that went well leaves nothing behind"


def test_up_without_a_yes_explains_itself_and_starts_nothing(tmp_path: Path) -> None:
    done = kesher("up", state=tmp_path)
    assert done.returncode == 2
    assert "an unofficial" in done.stdout
    assert "--yes" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_up_links_by_qr_answers_and_the_next_time_needs_no_qr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a simulated WhatsApp in the place of the real one, and a hand that scans what would be on the screen."""
    customer = "972541119999"
    scanned: list[str] = []
    answers: list[int] = []
    with Simulator(log=tmp_path / "simulator.log") as simulator:
        client = simulator.client
        client.add_business(BUSINESS, "Ron")
        client.add_customer(customer, "Dana")
        show_qr = up.show_qr

        def scan(console: Console, qr: str) -> None:
            show_qr(console, qr)
            scanned.append(qr)
            client.scan(BUSINESS, qr)

        def write_and_end(console: Console, system: LocalSystem, tenant: str) -> None:
            after = client.inbox(customer).next
            client.say(customer, BUSINESS, "hi")
            answers.append(len(client.inbox(customer, after=after, wait_seconds=60).messages))
            raise KeyboardInterrupt

        monkeypatch.setattr(up, "show_qr", scan)
        monkeypatch.setattr(up, "stay", write_and_end)
        for _ in range(2):
            with (tmp_path / "screen").open("w") as screen:
                console = Console(file=screen)
                code = up.run_up(
                    console, tmp_path, tenant=barber_shop().tenant_id, confirmed=True, whatsapp=simulator.whatsapp
                )
            assert code == 0, (tmp_path / "screen").read_text()
    assert answers == [1, 1]
    assert len(scanned) == 1
