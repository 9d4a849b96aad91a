"""What several suites share: one local AWS for all, and how a run in several processes divides the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from kesher.local.emulator import Emulator

KINDS = ("e2e", "infrastructure", "integration", "unit", "contract")
"""Longest first, so that no process ends with the longest test while the others have nothing left."""

ON_THEIR_OWN = "tests/e2e/test_cli.py"
"""The other files of e2e share one system, which costs more than most of their tests."""


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One ministack per process of the tests. Tests share it, so they name their tables and queues apart."""
    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Points boto3 and PynamoDB of this process at the emulator, for one test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return emulator


class _ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file stays in one process, with its fixtures, and so do the files that share the system."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file == ON_THEIR_OWN or not file.startswith("tests/e2e/") else "tests/e2e"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByFile:
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: KINDS.index(item.nodeid.split("/")[1]))
