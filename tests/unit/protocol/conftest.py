"""What the proofs of the protocol share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from functions.shared.observability import logger, metrics
from tests.unit.protocol.table import in_process_table


@pytest.fixture
def table() -> Iterator[None]:
    """A table of their own, and silence: the accidents are meant, and there are thousands."""
    level = logger.log_level
    logger.setLevel(logging.CRITICAL)
    with in_process_table():
        yield
    logger.setLevel(level)
    metrics.clear_metrics()
