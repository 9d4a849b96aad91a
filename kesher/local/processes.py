"""Child processes of the local stack: started, watched until ready, ended with their parent.

    with ManagedProcess("gateway", ["node", "dist/main.js"], log=state / "gateway.log", env=env) as gateway:
        port = gateway.wait_for_line(r'"port":(\\d+)').group(1)

A child runs in a session of its own, so Ctrl-C reaches only the parent, which then stops its children in order.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

POLL_SECONDS = 0.02
STOP_GRACE_SECONDS = 10.0

# A parent killed with -9 runs no cleanup, so each child has a watchdog that reads a pipe whose other end only the
# parent holds. Not PR_SET_PDEATHSIG: macOS has none, and on Linux it fires when the *thread* that forked ends.
_WATCHDOG = """
import os, signal, sys, time
group, grace = int(sys.argv[1]), float(sys.argv[2])
sys.stdin.buffer.read()
try:
    os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        os.killpg(group, 0)
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
except (ProcessLookupError, PermissionError):
    pass
"""


class ProcessError(RuntimeError):
    """A child process ended or did not become ready; the message holds the end of its log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def url_answers(url: str) -> Callable[[], bool]:
    """A readiness check for `wait_ready`: true once `url` answers with a 2xx."""
    # Never through a proxy: everything local listens on 127.0.0.1.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def check() -> bool:
        try:
            with opener.open(url, timeout=2) as response:
                return bool(200 <= response.status < 300)
        except OSError:  # also URLError and HTTPError, which are OSErrors
            return False

    return check


class ManagedProcess:
    """One child process with a log file.

    Parameters
    ----------
    name : str
        What messages call it, for example `gateway`.
    command : sequence of str or Path
    log : Path
        File that stdout and stderr are appended to; its folder is created.
    env : mapping
        The child's whole environment; nothing is inherited.
    cwd : Path, optional
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._env = dict(env)
        self._cwd = cwd
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(self, more_env: Mapping[str, str] | None = None) -> Self:
        """Start the process, again if it ended before. Returns at once; see `wait_ready`.

        `more_env` is for this time only.
        """
        if self.running:
            message = f"{self.name} is running already (pid {self.pid})."
            raise ProcessError(message)
        self.stop()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**self._env, **(more_env or {})},
                    cwd=self._cwd,
                    start_new_session=True,
                )
            except OSError as error:
                message = f"{self.name} cannot be started: {error}"
                raise ProcessError(message) from error
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WATCHDOG, str(self._process.pid), str(STOP_GRACE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            message = f"{self.name} has not been started."
            raise ProcessError(message)
        return self._process.pid

    def check(self) -> None:
        """Raise ProcessError if the process has ended."""
        if not self.running:
            raise self._failure("has ended")

    def wait_ready(self, ready: Callable[[], bool], timeout: float = 30.0) -> None:
        """Wait until `ready` is true.

        Raises
        ------
        ProcessError
            The process ended first, or `timeout` seconds passed.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            if self._process is None or self._process.poll() is not None:
                code = "never started" if self._process is None else f"exit code {self._process.returncode}"
                raise self._failure(f"ended before it was ready ({code})")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready after {timeout:.0f} s")
            time.sleep(POLL_SECONDS)

    def wait_for_line(self, pattern: str, timeout: float = 30.0) -> re.Match[str]:
        """Wait until a line that this run of the process wrote matches `pattern` (searched, not anchored)."""
        expression = re.compile(pattern)
        found: list[re.Match[str]] = []

        def ready() -> bool:
            found.extend(match for line in self.lines() if (match := expression.search(line)))
            return bool(found)

        self.wait_ready(ready, timeout)
        return found[0]

    def lines(self) -> list[str]:
        """Every line that this run of the process has written so far."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace").splitlines()

    def tail(self, count: int = 20) -> str:
        """The last `count` lines of this run."""
        return "\n".join(self.lines()[-count:])

    def kill(self) -> None:
        """End the process and whatever it started with SIGKILL, as the kernel or a power cut would."""
        if self._process is not None:
            self._signal_group(signal.SIGKILL)
            self._process.wait()
        self._dismiss_watchdog()

    def stop(self, grace: float = STOP_GRACE_SECONDS) -> None:
        """End the process with SIGTERM, after `grace` seconds with SIGKILL. Harmless if it ended already."""
        if self._process is not None and self._process.poll() is None:
            self._signal_group(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self.kill()

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _signal_group(self, number: signal.Signals) -> None:
        # The leader may be gone while its workers live on; macOS answers EPERM for a group of zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _dismiss_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None

    def _failure(self, what: str) -> ProcessError:
        return ProcessError(f"{self.name} {what}. The end of {self.log}:\n{self.tail()}")
