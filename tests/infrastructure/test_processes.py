"""Child processes: ready when they say so, gone with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kesher.local.processes import ManagedProcess, ProcessError, free_port, url_answers
from tests.waiting import eventually

SLEEPER = "import time; print('ready on port 4711', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
WITH_A_WORKER = (
    "import subprocess, sys; "
    f"worker = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); "
    "print('worker', worker.pid, flush=True); worker.wait()"
)


def python(script: str, log: Path) -> ManagedProcess:
    return ManagedProcess("the child", [sys.executable, "-c", script], log=log, env={"PATH": os.environ["PATH"]})


def alive(pid: int) -> bool:
    """Zombies do not count: who reaps an orphan is up to the machine."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() != "" and not done.stdout.strip().startswith("Z")


def test_a_line_of_the_log_says_that_it_is_ready(tmp_path: Path) -> None:
    with python(SLEEPER, tmp_path / "log") as child:
        assert child.wait_for_line(r"port (\d+)").group(1) == "4711"
        assert child.running
    assert not child.running


def test_an_early_end_is_told_with_the_last_lines(tmp_path: Path) -> None:
    with (
        python("raise SystemExit('no such table')", tmp_path / "log") as child,
        pytest.raises(ProcessError, match=r"(?s)the child ended before it was ready \(exit code 1\).*no such table"),
    ):
        child.wait_ready(lambda: False)


def test_waiting_ends(tmp_path: Path) -> None:
    with python(SLEEPER, tmp_path / "log") as child, pytest.raises(ProcessError, match="not ready after 0 s"):
        child.wait_ready(lambda: False, timeout=0.1)


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    child = ManagedProcess("the child", [tmp_path / "missing"], log=tmp_path / "log", env={})

    with pytest.raises(ProcessError, match="missing"):
        child.start()


def test_who_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    child = python(STUBBORN, tmp_path / "log").start()
    child.wait_for_line("ready")

    child.stop(grace=0.2)

    assert not alive(child.pid)


def test_what_the_child_started_ends_with_it(tmp_path: Path) -> None:
    child = python(WITH_A_WORKER, tmp_path / "log").start()
    worker = int(child.wait_for_line(r"worker (\d+)").group(1))

    child.kill()

    eventually(lambda: not alive(worker), "the worker's end")


def test_a_killed_child_starts_again_and_its_lines_are_its_own(tmp_path: Path) -> None:
    with python(SLEEPER, tmp_path / "log") as child:
        child.wait_for_line("ready")
        child.kill()
        assert not child.running

        child.start()
        child.wait_for_line("ready")
        assert child.lines() == ["ready on port 4711"]
    assert (tmp_path / "log").read_text().count("ready") == 2


def test_it_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    child = python(SLEEPER, tmp_path / "log")
    starter = threading.Thread(target=child.start)
    starter.start()
    starter.join()

    child.wait_for_line("ready")
    assert child.running
    child.stop()


def test_it_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = f"""
import os, sys, time
from pathlib import Path
from kesher.local.processes import ManagedProcess
env = {{"PATH": os.environ["PATH"]}}
child = ManagedProcess("child", [sys.executable, "-c", {WITH_A_WORKER!r}], log=Path({str(tmp_path / "log")!r}), env=env)
worker = child.start().wait_for_line(r"worker (\\d+)").group(1)
print(child.pid, worker, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child, worker = map(int, process.stdout.readline().split())
        assert alive(child)
        assert alive(worker)

        process.send_signal(signal.SIGKILL)

        eventually(lambda: not alive(child), "the child's end")
        eventually(lambda: not alive(worker), "the end of the child's own child")


def test_a_url_answers_or_not() -> None:
    assert not url_answers(f"http://127.0.0.1:{free_port()}/")()
