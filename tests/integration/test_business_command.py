"""`kesher business`: a file in, a file out; the table is a stack's, the environment's or that of `kesher up`."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner, Result

from functions.shared.contracts import ContactsUpdated, TenantId
from functions.shared.profile import BusinessProfile, load_profile, save_profile
from functions.webhook.accept import accept
from kesher import target
from kesher.cli import app
from tests.integration.conftest import Stack
from tests.integration.support import Store, message


def kesher(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["business", *map(str, arguments)])


def stored(tenant: str) -> BusinessProfile:
    profile = load_profile(TenantId(tenant))
    assert profile is not None
    return profile


@pytest.fixture
def tenant(store: Store) -> TenantId:
    return TenantId(f"business_{secrets.token_hex(4)}")


@pytest.fixture
def file(tmp_path: Path, tenant: TenantId) -> Path:
    """A new business's file, as `init` writes it."""
    path = tmp_path / "shop.yaml"
    done = kesher("init", path, "--example", "clinic", "--language", "en", "--tenant", tenant)
    assert done.exit_code == 0, done.output
    return path


def test_the_owner_reads_what_unsaved_contacts_means_at_this_moment(file: Path, tenant: TenantId) -> None:
    file.write_text(file.read_text().replace("audience: new_chats", "audience: unsaved_contacts"))
    applied = kesher("apply", file)
    assert applied.exit_code == 0, applied.output
    assert "address book is not known yet" in applied.output
    assert "# The phone's address book is not known yet" in kesher("show", "--tenant", tenant).output
    accept(ContactsUpdated(tenant_id=tenant, correlation_id="c", book_at=1, revision=1, contacts=(), complete=True))
    shown = kesher("show", "--tenant", tenant).output
    assert "# The assistant answers whom the phone's address book does not have (known since " in shown
    file.write_text(shown)
    assert "Nothing to change" in kesher("apply", file).output, "what is shown can be applied"


def test_init_apply_show_and_apply_again(file: Path, tenant: TenantId, tmp_path: Path) -> None:
    first = kesher("apply", file)
    assert first.exit_code == 0, first.output
    assert f"Stored {tenant} as version 1" in first.output
    assert stored(tenant).name == "Smile Dental Clinic"
    assert "config_version: 1\n" in file.read_text()

    shown = kesher("show", "--tenant", tenant)
    assert shown.exit_code == 0
    copy = tmp_path / "copy.yaml"
    copy.write_text(shown.output)
    for path in (copy, file):
        again = kesher("apply", path)
        assert again.exit_code == 0, again.output
        assert "Nothing to change" in again.output
    assert stored(tenant).config_version == 1


def test_apply_shows_what_changes_and_keeps_the_comments(file: Path, tenant: TenantId) -> None:
    kesher("apply", file)
    file.write_text(file.read_text().replace("price: 25000", "price: 27000"))

    tried = kesher("apply", file, "--dry-run")
    assert "-    price: 25000" in tried.output
    assert "+    price: 27000" in tried.output
    assert stored(tenant).config_version == 1
    assert kesher("apply", file).exit_code == 0

    assert stored(tenant).services[0].price == 27_000
    assert "config_version: 2\n" in file.read_text()
    assert "# Whom the assistant answers" in file.read_text()


def test_a_file_made_from_an_older_version_is_refused(file: Path, tenant: TenantId) -> None:
    kesher("apply", file)
    save_profile(stored(tenant).model_copy(update={"tone": "formal"}))

    refused = kesher("apply", file)

    assert refused.exit_code == 1
    assert "config_version is 1, but version 2 is stored" in refused.output
    assert "-tone: formal" in refused.output
    assert stored(tenant).tone == "formal"


def test_a_version_of_another_table_is_refused(file: Path) -> None:
    file.write_text(file.read_text().replace("config_version: 0", "config_version: 4"))
    refused = kesher("apply", file)
    assert refused.exit_code == 1
    assert "Write `config_version: 0`" in refused.output


def test_every_mistake_is_named_with_file_and_line_and_nothing_is_stored(file: Path, tenant: TenantId) -> None:
    file.write_text(
        file.read_text().replace("time_zone: Asia/Jerusalem", "time_zone: Israel Time").replace("en: Filling", "fr: x")
    )
    refused = kesher("apply", file)
    assert refused.exit_code == 1
    lines = file.read_text().splitlines()
    zone = next(i for i, line in enumerate(lines, start=1) if "Israel Time" in line)
    assert f"{file}:{zone}: time_zone:" in refused.output
    assert "services[3].names.fr" in refused.output
    assert load_profile(tenant) is None


def test_init_overwrites_nothing(file: Path) -> None:
    before = file.read_text()
    refused = kesher("init", file)
    assert refused.exit_code == 1
    assert "exists already" in refused.output
    assert file.read_text() == before


def test_an_unknown_business_is_not_shown(store: Store) -> None:
    refused = kesher("show", "--tenant", "nobody")
    assert refused.exit_code == 1
    assert "has no business nobody" in refused.output


def test_without_any_table_it_says_how_to_name_one(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_TABLE")
    refused = kesher("apply", file, "--state", tmp_path)
    assert refused.exit_code == 1
    for way in ("kesher up", "--stack", "APP_TABLE"):
        assert way in refused.output


def test_the_running_up_is_found_by_its_state_folder(
    file: Path, tenant: TenantId, stack: Stack, tmp_path: Path
) -> None:
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    (tmp_path / "up").mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "APP_TABLE"
    }
    command = [sys.executable, "-m", "kesher", "business", "apply", str(file), "--state", str(tmp_path)]

    with target.announced(tmp_path / "up", {**aws, **stack.environment}):
        assert (tmp_path / "up" / target.RUNNING).stat().st_mode & 0o077 == 0
        # A profile of the developer's own that does not exist: it must not matter here.
        done = subprocess.run(
            command, env={**environment, "AWS_PROFILE": "mine"}, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "version 1 in the running `kesher up`" in done.stdout
    assert stored(tenant).config_version == 1

    over = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert over.returncode == 1
    assert "Neither `kesher up` nor `kesher demo` runs" in over.stderr


def test_a_running_demo_is_found_too_and_its_chats_are_listed(
    business: BusinessProfile, stack: Stack, tmp_path: Path
) -> None:
    accept(message(business.tenant_id, "hi"))
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "APP_TABLE"
    }
    (tmp_path / "demo" / "17").mkdir(parents=True)
    command = [sys.executable, "-m", "kesher", "chat", "list", "--tenant", business.tenant_id, "--state", str(tmp_path)]
    with target.announced(tmp_path / "demo" / "17", {**aws, **stack.environment}):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Dana" in done.stdout


def test_what_a_crashed_up_left_behind_is_not_believed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / target.RUNNING).write_text(json.dumps({"pid": gone.pid, "environment": {}}))
    assert target.find_running(tmp_path) is None
    (tmp_path / target.RUNNING).write_text("{")
    with pytest.raises(target.TargetError, match="damaged"):
        target.find_running(tmp_path)


def test_a_stack_is_found_by_its_outputs(
    file: Path, tenant: TenantId, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"Shop-{secrets.token_hex(4)}"
    topic = {"Type": "AWS::SNS::Topic"}
    values = {"AppTableName": "APP_TABLE", "GatewayTableName": "GATEWAY_TABLE"}
    urls = {"TurnsQueueUrl": "TURNS_QUEUE_URL", "OutgoingQueueUrl": "OUTGOING_QUEUE_URL", "FeedUrl": "FEED_URL"}
    stacks: dict[str, dict[str, str]] = {f"{name}-State": values, f"{name}-Pipeline": urls, f"{name}-other-State": {}}
    known = {"FEED_URL": "https://feed.example/", **stack.environment}
    for stack_name, names in stacks.items():
        given = {key: {"Value": known[variable]} for key, variable in names.items()}
        template = json.dumps({"Resources": {"Topic": topic}, "Outputs": given})
        boto3.client("cloudformation").create_stack(StackName=stack_name, TemplateBody=template)
        boto3.client("cloudformation").get_waiter("stack_create_complete").wait(StackName=stack_name)
    monkeypatch.delenv("APP_TABLE")

    done = kesher("apply", file, "--stack", name)
    assert done.exit_code == 0, done.output
    assert f"of the stack {name}-State" in done.output

    for wrong, said in ((f"{name}-other", "no output AppTableName"), ("Missing", "cannot be read")):
        refused = kesher("apply", file, "--stack", wrong)
        assert refused.exit_code == 1
        assert said in refused.output
