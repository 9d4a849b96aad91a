"""What is generated from the wire models is committed and fresh."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_schema_and_types_are_those_of_the_models() -> None:
    command = [sys.executable, "-m", "scripts.contracts", "--check"]
    check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (check.returncode, check.stdout) == (0, ""), check.stderr
