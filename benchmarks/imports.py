"""Import time of each function's handler in a fresh interpreter that has nothing but its bundle.

Each round imports every function once, and `agents` alone beside them, so that noise falls on all of them alike.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from infra.bundles import build, local_target

ROUNDS = 7
_TIMED = (
    "import sys, time; sys.path.insert(0, sys.argv[1]); t = time.perf_counter(); {}; print(time.perf_counter() - t)"
)


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        statements: dict[str, tuple[Path, str]] = {}
        for name, bundle in build(local_target(), report=lambda _line: None).items():
            where = Path(folder) / name
            with zipfile.ZipFile(bundle.path) as archive:
                archive.extractall(where)
            statements[name] = (where, f"import functions.{name}.handler")
        statements["`import agents` alone"] = (Path(folder) / "agent", "import agents")
        times: dict[str, list[float]] = {name: [] for name in statements}
        for _ in range(ROUNDS):
            for name, (where, statement) in statements.items():
                times[name].append(_once(where, statement))
    print(f"Python {sys.version.split()[0]}, median of {ROUNDS} rounds\n\n| import | ms |\n|---|---:|")
    for name, seconds in times.items():
        print(f"| {name} | {statistics.median(seconds) * 1000:.0f} |")


def _once(where: Path, statement: str) -> float:
    """Seconds of one import. `-I -S`: no environment, no site-packages."""
    command = [sys.executable, "-I", "-S", "-c", _TIMED.format(statement), str(where)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])
