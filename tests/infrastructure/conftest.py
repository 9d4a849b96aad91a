"""The app's templates, synthesised once."""

from __future__ import annotations

import pytest

from infra.cdk.settings import Settings
from tests.infrastructure.templates import Templates, synthesise


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """As deployed on AWS, but for the image, which is named instead of built."""
    settings = Settings(gateway_image="kesher/gateway:test", alarm_email="ops@example.com")
    return synthesise(settings, tmp_path_factory.mktemp("synth"))
