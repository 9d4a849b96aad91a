"""Which deployment a command works on: one in AWS by its stacks, the environment's, or the running `kesher up` or demo.

`kesher up` says in `<state>/up/running.json` how to reach its local AWS, for as long as it runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ValidationError

RUNNING = "running.json"
_OUTPUTS: Final = {
    "State": {"AppTableName": "APP_TABLE", "GatewayTableName": "GATEWAY_TABLE"},
    "Pipeline": {"TurnsQueueUrl": "TURNS_QUEUE_URL", "OutgoingQueueUrl": "OUTGOING_QUEUE_URL", "FeedUrl": "FEED_URL"},
}


class TargetError(Exception):
    """No deployment to work on; the text says how to name one."""


class Running(BaseModel):
    """What a running local system says about itself."""

    pid: int
    environment: dict[str, str]
    """Variables that point AWS SDKs and the functions' code at it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment. `environment` holds the variables to set before it is used."""

    description: str
    environment: Mapping[str, str]


@contextmanager
def announced(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Other commands find the local system while the body runs. A crash leaves the file; its pid tells then."""
    path = folder / RUNNING
    path.unlink(missing_ok=True)
    # Of the emulator only, but credentials all the same.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(Running(pid=os.getpid(), environment=dict(environment)).model_dump_json(indent=2))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find_target(state: Path, stack: str | None, environ: Mapping[str, str] = os.environ) -> Target:
    """The stacks with the prefix `stack`, else the environment's APP_TABLE, else what runs in `state`: the `kesher up`,
    or a demo.

    Raises TargetError.
    """
    if stack is not None:
        found = _of_stacks(stack)
        return Target(f"table {found['APP_TABLE']} of the stack {stack}-State", found)
    if named := environ.get("APP_TABLE"):
        return Target(f"table {named} of APP_TABLE", {"APP_TABLE": named})
    if running := find_running(state / "up"):
        return Target("the running `kesher up`", running.environment)
    for folder in sorted((state / "demo").glob("*")):
        if running := find_running(folder):
            return Target("the running demo", running.environment)
    raise TargetError(
        f"Neither `kesher up` nor `kesher demo` runs in {state}. Start one in another terminal, or name what is "
        "deployed: --stack Kesher, or the environment variable APP_TABLE"
    )


def aim(stack: str | None, state: Path = Path(".kesher")) -> str:
    """Find the deployment and point this process at it; says which one it is. Raises TargetError."""
    target = find_target(state, stack)
    use(target)
    return target.description


def use(target: Target) -> None:
    """Point this process at it. A local system brings everything that AWS SDKs need, so the developer's own profile
    and region are forgotten."""
    if "AWS_ENDPOINT_URL" in target.environment:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
    os.environ.update(target.environment)


def find_running(folder: Path) -> Running | None:
    """The local system of this folder, if it runs."""
    path = folder / RUNNING
    try:
        running = Running.model_validate(json.loads(path.read_text()))
        os.kill(running.pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except (ValueError, ValidationError) as error:
        raise TargetError(f"{path} is damaged; delete it and start `kesher up` anew") from error
    return running


def _of_stacks(prefix: str) -> dict[str, str]:
    client = boto3.client("cloudformation")
    found: dict[str, str] = {}
    for part, names in _OUTPUTS.items():
        name = f"{prefix}-{part}"
        try:
            stacks = client.describe_stacks(StackName=name)["Stacks"]
        except (BotoCoreError, ClientError) as error:
            raise TargetError(f"the stack {name} cannot be read: {error}") from error
        outputs = {output.get("OutputKey"): output.get("OutputValue") for output in stacks[0].get("Outputs", [])}
        for key, variable in names.items():
            value = outputs.get(key)
            if value is None:
                raise TargetError(f"the stack {name} has no output {key}; deploy it anew")
            found[variable] = value
    return found
