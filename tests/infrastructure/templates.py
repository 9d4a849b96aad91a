"""The app's templates, with empty bundles: what is in a bundle matters to test_bundles.py alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Before the kernel of jsii starts, which is when aws_cdk is imported.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

import aws_cdk as cdk
from aws_cdk.assertions import Template

from infra.bundles import FUNCTIONS, ROOT
from infra.cdk.app import compose
from infra.cdk.settings import Settings

CONTEXT: Mapping[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]


@dataclass(frozen=True)
class EmptyBundle:
    """A zip file with nothing of the function in it."""

    path: Path
    key: str


@dataclass(frozen=True)
class Templates:
    """The three templates of one environment."""

    state: Template
    pipeline: Template
    gateway: Template


def synthesise(settings: Settings, folder: Path, *, key: str = "0" * 64) -> Templates:
    """The templates under `settings`; `key` stands for the content of the bundles."""
    state, pipeline, gateway = (Template.from_stack(stack) for stack in _composed(settings, folder, key)[1])
    return Templates(state, pipeline, gateway)


def assembly(settings: Settings, folder: Path) -> cdk.App:
    """The app, to be synthesised into `cdk.out` in `folder`."""
    return _composed(settings, folder, "0" * 64)[0]


def _composed(settings: Settings, folder: Path, key: str) -> tuple[cdk.App, tuple[cdk.Stack, ...]]:
    bundle = folder / "empty.zip"
    bundle.write_bytes(b"PK\x05\x06" + bytes(18))
    app = cdk.App(context=dict(CONTEXT), outdir=str(folder / "cdk.out"))
    return app, compose(app, settings, {name: EmptyBundle(bundle, key) for name in FUNCTIONS})
