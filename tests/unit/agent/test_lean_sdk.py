"""The SDK is loaded without `mcp`, and as usual where that does not work; each case in a process of its own."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_function_loads_without_mcp_and_the_real_one_stays_available() -> None:
    run(
        """
import sys
import functions.agent.handler
assert "agents" in sys.modules
assert not [name for name in sys.modules if name.split(".")[0] in ("mcp", "mcp_types")]
from mcp.shared.exceptions import MCPError
assert MCPError.__module__ == "mcp.shared.exceptions"
"""
    )


def test_a_run_makes_no_exporter_of_traces() -> None:
    run(
        """
import asyncio, sys
import functions.agent.handler
from functions.agent.run import run
from functions.agent.assistant import create_agent
from tests.unit.agent.support import BARBER, context_of
items = [{"role": "user", "content": "hi"}]
asyncio.run(run(create_agent(BARBER), items, context_of(), limit_s=60))
assert "httpcore2" not in sys.modules, "an HTTP client was made for a stand-in that needs none"
"""
    )


def test_an_sdk_that_wants_more_of_mcp_is_loaded_with_all_of_it() -> None:
    run(
        """
import importlib, sys
real, calls = importlib.import_module, []
def refused_once(name, package=None):
    calls.append(name)
    if len(calls) == 1:
        importlib.import_module = real
        raise ImportError("cannot import name 'Client' from 'mcp'")
    return real(name, package)
importlib.import_module = refused_once
import functions.agent.lean_sdk
from agents import Runner
assert calls == ["agents"]
assert sys.modules["mcp"].__file__
"""
    )


def test_who_has_mcp_already_keeps_it() -> None:
    run(
        """
import mcp
import functions.agent.lean_sdk
import sys
assert sys.modules["mcp"] is mcp
from agents import Runner
"""
    )
