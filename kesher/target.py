"""Which deployment a command works on: one in AWS by its stacks, or whatever the environment names."""

from __future__ import annotations

import os
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_OUTPUTS: Final = {
    "State": {"AppTableName": "APP_TABLE", "GatewayTableName": "GATEWAY_TABLE"},
    "Pipeline": {"TurnsQueueUrl": "TURNS_QUEUE_URL", "OutgoingQueueUrl": "OUTGOING_QUEUE_URL"},
}
_NEEDED: Final = ("APP_TABLE", "TURNS_QUEUE_URL", "OUTGOING_QUEUE_URL")


class TargetError(Exception):
    """There is no deployment to work on; the text says how to name one."""


def aim(stack: str | None) -> None:
    """Point `functions.shared` of this process at a deployment.

    Parameters
    ----------
    stack : str, optional
        Prefix of the stacks, `Kesher` unless the deployment chose another: their outputs name tables and queues, AWS's
        usual configuration account and region. None: APP_TABLE, TURNS_QUEUE_URL and OUTGOING_QUEUE_URL name them.

    Raises
    ------
    TargetError
    """
    if stack is not None:
        os.environ.update(_of_stacks(stack))
    missing = [name for name in _NEEDED if not os.environ.get(name)]
    if missing:
        raise TargetError(f"Name a deployment: --stack PREFIX (usually Kesher), or set {', '.join(missing)}.")


def _of_stacks(prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        client = boto3.client("cloudformation")
        for part, names in _OUTPUTS.items():
            [described] = client.describe_stacks(StackName=f"{prefix}-{part}")["Stacks"]
            outputs = {output.get("OutputKey"): output.get("OutputValue") for output in described.get("Outputs", [])}
            found |= {name: value for key, name in names.items() if (value := outputs.get(key))}
    except (BotoCoreError, ClientError) as error:
        raise TargetError(f"The stacks {prefix}-State and {prefix}-Pipeline cannot be read: {error}") from error
    return found
