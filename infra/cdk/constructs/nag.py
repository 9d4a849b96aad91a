"""cdk-nag: synth fails on any rule of its AWS Solutions pack that is neither followed nor answered."""

from __future__ import annotations

import aws_cdk as cdk
import cdk_nag
from constructs import IConstruct


def check(app: cdk.App) -> None:
    """Let every synth of `app` check the rules."""
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks())


def not_followed(construct: IConstruct, rule: str, *, because: str) -> None:
    """Answer `rule`, for example `SQS3`, for `construct` and what is in it."""
    acknowledgment = cdk.Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=because)
    cdk.Validations.of(construct).acknowledge(acknowledgment)
