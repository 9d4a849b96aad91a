"""Which app table a command works on: a deployed stack's, the environment's, or that of the running `kesher up`.

`kesher up` says in `<state>/up/running.json` how to reach its local AWS, for as long as it runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ValidationError

RUNNING = "running.json"


class TargetError(Exception):
    """No app table to work on; the text says how to name one."""


class Running(BaseModel):
    """What a running local system says about itself."""

    pid: int
    environment: dict[str, str]
    """Variables that point AWS SDKs and the functions' code at it."""


@dataclass(frozen=True, slots=True)
class Target:
    """An app table. `environment` holds the variables to set before it is used."""

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
    """`stack` if it is named, else `APP_TABLE` of the environment, else the `kesher up` that runs in `state`.

    Raises TargetError.
    """
    if stack is not None:
        table = _table_of(stack)
        return Target(f"table {table} of the stack {stack}", {"APP_TABLE": table})
    if named := environ.get("APP_TABLE"):
        return Target(f"table {named} of APP_TABLE", {"APP_TABLE": named})
    running = find_running(state / "up")
    if running is None:
        raise TargetError(
            f"where? No `kesher up` runs in {state}. Start it in another terminal, or name what is deployed: "
            "--stack Kesher-State, or the environment variable APP_TABLE"
        )
    return Target("the running `kesher up`", running.environment)


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


def _table_of(stack: str) -> str:
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise TargetError(f"the stack {stack} cannot be read: {error}") from error
    outputs = {output.get("OutputKey"): output.get("OutputValue") for output in stacks[0].get("Outputs", [])}
    table = outputs.get("AppTableName")
    if table is None:
        raise TargetError(f"the stack {stack} has no output AppTableName; it is the one named ...-State")
    return str(table)
