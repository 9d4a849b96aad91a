"""The CDK app: `npx cdk synth` and `npx cdk deploy --all` run it.

It asks no account for anything, so it synthesises without credentials; the stacks go to whatever account and region the
CDK command line is signed in to.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import aws_cdk as cdk

from infra import bundles
from infra.cdk.constructs.emulator import LeftOutLocally
from infra.cdk.constructs.nag import check
from infra.cdk.constructs.python_function import Code
from infra.cdk.settings import Settings, SettingsError
from infra.cdk.stacks.gateway import GatewayStack
from infra.cdk.stacks.pipeline import PipelineStack
from infra.cdk.stacks.state import StateStack


def compose(
    app: cdk.App, settings: Settings, code: Mapping[str, Code]
) -> tuple[StateStack, PipelineStack, GatewayStack]:
    """Put the three stacks of one environment into `app`."""
    state = StateStack(app, f"{settings.prefix}-State", settings=settings)
    pipeline = PipelineStack(app, f"{settings.prefix}-Pipeline", settings=settings, state=state, bundles=code)
    gateway = GatewayStack(
        app, f"{settings.prefix}-Gateway", settings=settings, state=state, webhook_url=pipeline.webhook_url
    )
    cdk.Tags.of(app).add("application", settings.prefix)
    cdk.Aspects.of(app).add(LeftOutLocally())
    return state, pipeline, gateway


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    app = cdk.App()
    try:
        settings = Settings.load(app.node.try_get_context, os.environ)
        target = bundles.local_target() if settings.bundles == "local" else bundles.lambda_target(_report)
        code = bundles.build(target, report=_report)
    except (SettingsError, bundles.BundleError) as error:
        sys.exit(str(error))
    compose(app, settings, code)
    check(app)
    app.synth()


if __name__ == "__main__":
    main()
