"""`kesher link` beside a gateway that it cannot reach: the tables are all that they share."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from functions.shared import sessions
from functions.shared.contracts import TenantId
from functions.shared.examples import barber_shop
from functions.shared.profile import save_profile
from kesher.link import run_link, run_status, run_unlink
from kesher.local.simulator import Simulator, SimulatorClient
from kesher.local.system import LocalSystem
from tests.waiting import eventually

SECOND = TenantId("business_2")
PHONE = "972531110002"
NOBODY = "972531119876"


@dataclass
class Screen:
    """A command that runs, and what it shows."""

    work: Callable[[Console], int]
    file: io.StringIO = field(default_factory=io.StringIO)

    def start(self, pool: ThreadPoolExecutor) -> Future[int]:
        return pool.submit(self.work, Console(file=self.file, width=200))

    @property
    def text(self) -> str:
        return self.file.getvalue()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


@pytest.fixture(scope="module")
def second(system: LocalSystem, simulator: Simulator) -> TenantId:
    del system  # it only has to run
    simulator.client.add_business(PHONE, "Second")
    save_profile(barber_shop(SECOND))
    return SECOND


def link(tmp_path: Path, *, phone: str | None = None, restart: bool = False, minutes: float = 2) -> Screen:
    return Screen(
        lambda console: run_link(
            console, tmp_path, stack=None, tenant=SECOND, phone=phone, minutes=minutes, confirmed=True, restart=restart
        )
    )


def on_screen(work: Callable[[Console], int]) -> tuple[int, str]:
    file = io.StringIO()
    return work(Console(file=file, width=200)), file.getvalue()


def test_a_number_is_linked_by_the_code_on_the_screen_and_unlinked_again(
    second: TenantId, client: SimulatorClient, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    screen = link(tmp_path, phone=PHONE)
    running = screen.start(pool)
    shown = eventually(lambda: re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", screen.text), "a code on the screen")
    client.enter_code(PHONE, shown.group())
    assert running.result(timeout=60) == 0, screen.text
    assert f"{second} is linked: +{PHONE}" in screen.text

    status, told = on_screen(lambda console: run_status(console, tmp_path, stack=None, tenant=second))
    assert status == 0
    assert "connected since" in told
    again, told = on_screen(link(tmp_path).work)
    assert again == 0
    assert "is linked already" in told
    restarted, told = on_screen(link(tmp_path, restart=True).work)
    assert restarted == 0, told

    unlinked, told = on_screen(lambda console: run_unlink(console, tmp_path, stack=None, tenant=second))
    assert unlinked == 0, told
    assert "was unlinked on request" in told
    assert on_screen(lambda console: run_status(console, tmp_path, stack=None, tenant=second))[0] == 1


def test_a_number_is_linked_by_the_qr_code_on_the_screen(
    second: TenantId, client: SimulatorClient, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    screen = link(tmp_path)
    running = screen.start(pool)
    eventually(lambda: "█" in screen.text, "a QR code on the screen")
    pairing = sessions.load_pairing(second)
    assert pairing is not None
    assert pairing.qr is not None
    client.scan(PHONE, pairing.qr)
    assert running.result(timeout=60) == 0, screen.text
    assert on_screen(lambda console: run_unlink(console, tmp_path, stack=None, tenant=second))[0] == 0


def test_who_gives_a_wrong_number_is_told_so_and_nothing_rings_any_more(
    second: TenantId, client: SimulatorClient, tmp_path: Path
) -> None:
    del client
    status, told = on_screen(link(tmp_path, phone=NOBODY).work)
    assert status == 1
    assert "does not know this phone number" in told
    record = sessions.load_session(second)
    assert record is not None
    assert record.desired != "linked"
    assert record.desired_phone is None


def test_when_the_time_is_up_it_says_so(second: TenantId, client: SimulatorClient, tmp_path: Path) -> None:
    del second, client
    status, told = on_screen(link(tmp_path, minutes=0.1).work)
    assert status == 1
    assert "The time is up" in told
