"""The gateway beside bare Baileys, on the same simulator in the same run; see `baileys-ecs/test/bench/main.ts`."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

_PACKAGE = Path(__file__).parents[1] / "baileys-ecs"


def run() -> None:
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}\n", flush=True)
    subprocess.run(["node", "--import", "tsx", "test/bench/main.ts"], cwd=_PACKAGE, check=True)
