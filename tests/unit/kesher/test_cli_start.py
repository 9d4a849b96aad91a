"""How the command line starts: at once."""

from __future__ import annotations

import subprocess
import sys

_HEAVY = ("boto3", "botocore", "pynamodb", "pydantic", "agents", "openai", "ruamel", "functions.shared.tables")


def test_the_command_line_loads_nothing_heavy_before_it_knows_what_to_do() -> None:
    code = f"import sys, kesher.cli; print([name for name in {_HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
