"""Synth: anywhere, by anyone, the same for AWS and for the emulator, and checked each time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from infra import bundles
from infra.bundles import ROOT
from infra.cdk.constructs.emulator import CONDITION, ONLY_ON_AWS, PARAMETER
from infra.cdk.constructs.nag import check
from infra.cdk.settings import Settings, SettingsError
from tests.infrastructure.templates import Templates, assembly, synthesise

NOWHERE = "http://127.0.0.1:9"


def test_synth_needs_no_network_no_account_and_no_docker(tmp_path: Path) -> None:
    bundles.build(bundles.local_target(), report=print)
    node = Path(shutil.which("node") or "").parent
    environment = {
        "PATH": f"{node}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "HTTP_PROXY": NOWHERE,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # Under the new home, jsii would unpack the CDK once more, which takes it a quarter of a minute.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache" / "aws" / "jsii" / "package-cache"),
    }
    command = ["node_modules/.bin/cdk", "synth", "--quiet", "--output", str(tmp_path / "out"), "--no-notices"]
    done = subprocess.run(
        [*command, "-c", "bundles=local", "-c", "gatewayImage=kesher/gateway:test"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in (tmp_path / "out").glob("*.template.json")} == {
        "Kesher-State.template.json", "Kesher-Pipeline.template.json", "Kesher-Gateway.template.json",
    }  # fmt: skip
    assert not (ROOT / "cdk.context.json").exists(), "something was looked up in an account"


def test_the_rules_of_cdk_nag_hold(tmp_path: Path) -> None:
    app = assembly(Settings(), tmp_path)
    check(app)
    app.synth()

    report = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text())
    assert "AwsSolutions" in {plugin["pluginName"] for plugin in report["pluginReports"]}


def test_the_rules_of_cdk_nag_are_looked_at(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    s3.Bucket(cdk.Stack(app, "Careless"), "Bucket")
    check(app)

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-S10" in (tmp_path / "validation-report.json").read_text()


def test_locally_only_code_and_image_are_others(templates: Templates, tmp_path: Path) -> None:
    on_aws = synthesise(Settings(), tmp_path, key="a" * 64)
    local = synthesise(Settings(bundles="local", gateway_image="kesher/gateway:local"), tmp_path, key="b" * 64)

    assert local.state.to_json() == on_aws.state.to_json()
    assert _without_code(local.pipeline.to_json()) == _without_code(on_aws.pipeline.to_json())
    assert _without_image(local.gateway.to_json()) == _without_image(on_aws.gateway.to_json())


def _without_code(template: Mapping[str, Any]) -> Mapping[str, Any]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            del resource["Properties"]["Code"]
    return template


def _without_image(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the image, and without what pulling it from the account's own registry needs."""
    for name, resource in list(template["Resources"].items()):
        if resource["Type"] == "AWS::ECS::TaskDefinition":
            del resource["Properties"]["ContainerDefinitions"][0]["Image"]
        if name.startswith("TaskExecutionRoleDefaultPolicy"):
            document = resource["Properties"]["PolicyDocument"]
            document["Statement"] = [part for part in document["Statement"] if "ecr:" not in json.dumps(part["Action"])]
    return template


def test_what_the_emulator_does_not_know_is_left_out_there_and_nothing_else(templates: Templates) -> None:
    for template in (templates.state, templates.pipeline, templates.gateway):
        content = template.to_json()
        conditional = {kind["Type"] for kind in content["Resources"].values() if kind.get("Condition") == CONDITION}
        unknown = {kind["Type"] for kind in content["Resources"].values()} & ONLY_ON_AWS
        assert conditional == unknown
        assert (PARAMETER in content.get("Parameters", {})) is bool(unknown)
    assert templates.state.to_json()["Parameters"][PARAMETER]["Default"] == "aws"


def test_the_image_is_made_of_the_gateway_and_nothing_else(tmp_path: Path) -> None:
    assembly(Settings(), tmp_path).synth()

    [context] = [path for path in (tmp_path / "cdk.out").glob("asset.*") if path.is_dir()]
    top = {path.name for path in context.iterdir()}
    assert {"package.json", "package-lock.json", "contracts", "baileys-ecs"} <= top
    assert not top & {"functions", "kesher", "tests", ".venv", "node_modules", ".git", ".kesher"}
    assert (context / "baileys-ecs" / "Dockerfile").is_file()
    assert {path.name for path in (context / "simulator").iterdir()} == {"package.json"}
    assert not [path for path in context.rglob("*") if path.name in {"node_modules", "dist"}]


def test_two_environments_fit_into_one_account(tmp_path: Path) -> None:
    second = synthesise(Settings(prefix="Staging", gateway_image="kesher/gateway:test"), tmp_path)

    for template in (second.state, second.pipeline, second.gateway):
        for resource in template.to_json()["Resources"].values():
            properties = resource.get("Properties", {})
            names = [value for key, value in properties.items() if key.endswith("Name") and isinstance(value, str)]
            assert not [name for name in names if name.startswith(("Kesher", "/aws/lambda/Kesher", "/Kesher"))]


def nothing(_name: str) -> None:
    return None


def test_a_setting_comes_from_the_context_before_the_environment() -> None:
    environment = {"KESHER_DEBOUNCE_SECONDS": "3", "KESHER_ALARM_EMAIL": "ops@example.com"}
    context = {"debounceSeconds": "5"}
    found = Settings.load(context.get, environment)

    assert found.debounce_seconds == 5
    assert found.alarm_email == "ops@example.com"
    assert Settings.load(nothing, {}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("gatewayCpu", "300"), ("prefix", "two words"), ("alarmEmail", "nobody"), ("turnsConcurrency", "1")],
)
def test_a_setting_without_meaning_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.load({name: value}.get, os.environ)
