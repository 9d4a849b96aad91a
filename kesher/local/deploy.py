"""Deploy the CDK app into the emulator, with the real `cdk` command line.

with Emulator(state) as emulator:
    deployment = deploy(emulator)
    gateway = Gateway(table=deployment.gateway_table, webhook_url=deployment.webhook_url, ...)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra import bundles
from infra.cdk.settings import WEBHOOK_PATH, Settings
from kesher.local.emulator import ACCOUNT, REGION, Emulator

ROOT = bundles.ROOT
CDK = ROOT / "node_modules" / ".bin" / "cdk"
BUILD = ROOT / ".build"
LOCAL_IMAGE = "kesher/gateway:local"
"""Never pulled: the emulator stores the service and runs nothing; the gateway is a process."""
_ERROR_LINES = 30
_KEEP_ASSEMBLY_SECONDS = 24 * 3600

Step = Callable[[str], AbstractContextManager[None]]
"""Wraps one step of the work, given its title: `kesher.steps.Steps.step`, for example."""


class DeployError(RuntimeError):
    """The CDK app could not be deployed; the message holds the end of what `cdk` said."""


@dataclass(frozen=True)
class Deployment:
    """What was deployed, by the names that the parts are reached by on this machine."""

    app_table: str
    gateway_table: str
    session_index: str
    """Of the gateway table: the gateway's SESSION_INDEX."""
    media_bucket: str
    internal_secret_arn: str
    model_secret_arn: str
    alarm_topic_arn: str
    webhook_url: str
    """The full URL, with the path, as the gateway's WEBHOOK_URL."""
    turns_queue_url: str
    turns_dead_letters_url: str
    outgoing_queue_url: str
    outgoing_dead_letters_url: str
    webhook_function: str
    agent_function: str
    send_function: str
    sweeper_function: str
    feed_function: str
    feed_url: str
    """Where the owner's calendar is served, without a `/` at its end."""


def deploy(
    emulator: Emulator,
    settings: Settings | None = None,
    *,
    model_key: str | None = None,
    step: Step | None = None,
) -> Deployment:
    """Build, synthesise and deploy what changed since the last time.

    Parameters
    ----------
    emulator : Emulator
        A running one.
    settings : Settings, optional
        Of the CDK app. `bundles` and `gateway_image` are set for this machine here.
    model_key : str, optional
        API key of the model, written into its secret.
    step : callable
        Wraps each step.

    Raises
    ------
    DeployError, BundleError
        Saying what failed and how it ended.
    """
    if not CDK.exists():
        message = f"{CDK} is missing: run `npm ci` in {ROOT}."
        raise DeployError(message)
    step = step or (lambda _title: nullcontext())
    chosen = (settings or Settings()).model_copy(update={"bundles": "local", "gateway_image": LOCAL_IMAGE})
    cdk = _Cdk(emulator)
    with ThreadPoolExecutor(max_workers=1) as beside:
        bootstrapped = beside.submit(cdk.run, ["bootstrap", f"aws://{ACCOUNT}/{REGION}"], cwd=emulator.state_dir)
        with step("Build the functions"):
            built = bundles.build(bundles.local_target(), report=cdk.note)
        with step("Synthesise the CDK app"):
            assembly = _synthesise(cdk, chosen, built)
        with step("Prepare the local AWS for CDK"):
            bootstrapped.result()
    with step("Deploy the stacks"):
        outputs = _deploy_stacks(cdk, assembly, emulator.state_dir / "outputs.json")
    with step("Apply what the emulator does not"):
        deployment = _deployment(outputs, chosen.prefix, emulator.endpoint)
        _finish(emulator, deployment, model_key)
    return deployment


class _Cdk:
    """The command line, pointed at one emulator, with a log and a home of its own."""

    def __init__(self, emulator: Emulator) -> None:
        self._log = emulator.state_dir / "deploy.log"
        self._environment = emulator.child_environment(
            {
                # It keeps accounts by access key there, and every emulator has a new one.
                "CDK_HOME": str(emulator.state_dir / "cdk"),
                "CDK_DISABLE_CLI_TELEMETRY": "true",
                "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
                "NO_COLOR": "1",
            }
        )

    def run(self, arguments: Sequence[str], *, cwd: Path) -> None:
        done = subprocess.run(
            [str(CDK), *arguments, "--no-notices"],
            cwd=cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.note(f"$ cdk {' '.join(arguments)}\n{done.stdout}")
        if done.returncode != 0:
            tail = "\n".join(done.stdout.splitlines()[-_ERROR_LINES:])
            message = f"`cdk {arguments[0]}` failed (all of it: {self._log}):\n{tail}"
            raise DeployError(message)

    def note(self, text: str) -> None:
        with self._log.open("a") as log:
            log.write(f"{text}\n")


def _synthesise(cdk: _Cdk, settings: Settings, built: Mapping[str, bundles.Bundle]) -> Path:
    """The cloud assembly, from `.build/` if the same inputs made it before: synth takes seconds, CDK being CDK."""
    context = {name: value for name, value in settings.model_dump(by_alias=True).items() if value is not None}
    digest = hashlib.sha256(json.dumps(context, sort_keys=True).encode())
    inputs = [ROOT / "cdk.json", ROOT / "requirements" / "dev.txt", *sorted((ROOT / "infra").rglob("*.py"))]
    for path in inputs:
        digest.update(path.read_bytes())
    for name, bundle in sorted(built.items()):
        digest.update(f"{name} {bundle.key}".encode())
    assembly = BUILD / f"assembly-{digest.hexdigest()[:24]}"
    if not assembly.exists():
        partial = BUILD / f"{assembly.name}.{os.getpid()}"
        given = [part for name, value in context.items() for part in ("--context", f"{name}={value}")]
        cdk.run(
            ["synth", "--quiet", "--app", f'"{sys.executable}" -m infra.cdk.app', "--output", str(partial), *given],
            cwd=ROOT,
        )
        try:
            partial.rename(assembly)
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    os.utime(assembly)
    for old in BUILD.glob("assembly-*"):
        if old.stat().st_mtime < time.time() - _KEEP_ASSEMBLY_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    return assembly


def _deploy_stacks(cdk: _Cdk, assembly: Path, outputs: Path) -> dict[str, dict[str, str]]:
    arguments = ["deploy", "--all", "--app", str(assembly), "--outputs-file", str(outputs)]
    arguments += ["--parameters", "DeployTarget=local", "--require-approval", "never"]
    # `direct`: no change sets, which the emulator would only pretend to review.
    arguments += ["--method", "direct", "--concurrency", "3", "--progress", "events"]
    cdk.run(arguments, cwd=outputs.parent)
    found: dict[str, dict[str, str]] = json.loads(outputs.read_text())
    return found


def _deployment(outputs: Mapping[str, Mapping[str, str]], prefix: str, endpoint: str) -> Deployment:
    state, pipeline = outputs[f"{prefix}-State"], outputs[f"{prefix}-Pipeline"]
    return Deployment(
        app_table=state["AppTableName"],
        gateway_table=state["GatewayTableName"],
        session_index=state["SessionIndexName"],
        media_bucket=state["MediaBucketName"],
        internal_secret_arn=state["InternalSecretArn"],
        model_secret_arn=state["ModelSecretArn"],
        alarm_topic_arn=state["AlarmTopicArn"],
        webhook_url=f"{_reachable(pipeline['WebhookUrl'], endpoint)}{WEBHOOK_PATH}",
        turns_queue_url=pipeline["TurnsQueueUrl"],
        turns_dead_letters_url=pipeline["TurnsDeadLettersUrl"],
        outgoing_queue_url=pipeline["OutgoingQueueUrl"],
        outgoing_dead_letters_url=pipeline["OutgoingDeadLettersUrl"],
        webhook_function=pipeline["WebhookFunctionName"],
        agent_function=pipeline["AgentFunctionName"],
        send_function=pipeline["SendFunctionName"],
        sweeper_function=pipeline["SweeperFunctionName"],
        feed_function=pipeline["FeedFunctionName"],
        feed_url=_reachable(pipeline["FeedUrl"], endpoint).rstrip("/"),
    )


def _reachable(function_url: str, endpoint: str) -> str:
    """`https://<id>.lambda-url.<region>.on.aws/`, as AWS and the emulator write it, where the emulator serves it."""
    match = re.fullmatch(r"https://([a-z0-9]+)\.lambda-url\.[a-z0-9-]+\.on\.aws/", function_url)
    if match is None:
        message = f"The emulator gave a function URL of an unknown form: {function_url}"
        raise DeployError(message)
    return f"{endpoint}/_aws/lambda-url/{match.group(1)}/"


def _finish(emulator: Emulator, deployment: Deployment, model_key: str | None) -> None:
    session = emulator.session()
    dynamodb = session.client("dynamodb", endpoint_url=emulator.endpoint)
    # Of CloudFormation's TimeToLiveSpecification, ministack 1.5.33 makes nothing.
    for table, attribute in ((deployment.app_table, "expires_at"), (deployment.gateway_table, "expiresAt")):
        status: Literal["ENABLING", "ENABLED", "DISABLING", "DISABLED"] | None
        status = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"].get("TimeToLiveStatus")
        if status != "ENABLED":
            dynamodb.update_time_to_live(
                TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
            )
    if model_key is not None:
        session.client("secretsmanager", endpoint_url=emulator.endpoint).put_secret_value(
            SecretId=deployment.model_secret_arn, SecretString=json.dumps({"apiKey": model_key})
        )
