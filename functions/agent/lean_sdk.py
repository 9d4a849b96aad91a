"""Imports the Agents SDK without the `mcp` package, which is 40 % of its import time and which Kesher does not use.

`agents` 0.24 needs one name of it while it loads: the class of MCP's errors, to catch them. That name is lent to it,
and the loan ends when `agents` is loaded, so that whoever else imports `mcp` gets the real one. If a version of the SDK
wants more, it is loaded as usual: slower, not broken. Import this module before anything that imports `agents`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_LENT = ("mcp", "mcp.shared", "mcp.shared.exceptions")


class _MCPError(Exception):
    """Raised by nobody: there is no MCP server."""


def _load() -> None:
    if "agents" in sys.modules or "mcp" in sys.modules:
        return
    for name in _LENT:
        sys.modules[name] = ModuleType(name)
    vars(sys.modules[_LENT[-1]])["MCPError"] = _MCPError
    try:
        importlib.import_module("agents")
    except (ImportError, AttributeError, KeyError):
        _forget("agents")
        _forget("mcp")
        importlib.import_module("agents")
    finally:
        if vars(sys.modules.get(_LENT[-1], ModuleType(""))).get("MCPError") is _MCPError:
            _forget("mcp")


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


_load()
