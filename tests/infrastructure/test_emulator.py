"""The local AWS as a process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import boto3
import pytest

from kesher.local.emulator import ACCOUNT, REGION, Emulator
from kesher.local.processes import ProcessError


def test_two_emulators_know_nothing_of_each_other(emulator: Emulator, tmp_path: Path) -> None:
    with Emulator(tmp_path) as other:
        other.session().client("sqs", endpoint_url=other.endpoint).create_queue(QueueName="only-here")
        here = emulator.session().client("sqs", endpoint_url=emulator.endpoint).list_queues(QueueNamePrefix="only-here")

        assert other.endpoint != emulator.endpoint
        assert other.access_key != emulator.access_key
        assert here.get("QueueUrls", []) == []


def test_it_listens_on_this_machine_only_and_on_no_other_port(emulator: Emulator) -> None:
    assert emulator.endpoint.startswith("http://127.0.0.1:")
    assert "Running on http://127.0.0.1:" in emulator.tail(200)
    assert "listening" not in emulator.tail(200).lower(), "a second listener, beside the one of AWS"


def test_a_child_sees_the_emulator_and_nothing_of_a_real_account(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    environment = emulator.child_environment({"ONE": "more"})

    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert environment["AWS_ENDPOINT_URL"] == emulator.endpoint
    assert environment["ONE"] == "more"
    assert environment["PATH"] == os.environ["PATH"]


def test_this_process_is_pointed_at_it_by_the_fixture(aws: Emulator) -> None:
    assert boto3.client("sts").get_caller_identity()["Account"] == ACCOUNT
    assert boto3.Session().region_name == REGION


def test_functions_see_none_of_the_developers_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-developer")
    with Emulator(tmp_path) as emulator:
        assert emulator.pid is not None
        done = subprocess.run(["ps", "eww", "-p", str(emulator.pid)], capture_output=True, text=True, check=True)

    assert "GATEWAY_PORT" in done.stdout
    assert "sk-of-the-developer" not in done.stdout


def test_it_remembers_when_asked_to_at_the_same_address(tmp_path: Path) -> None:
    with Emulator(tmp_path, persist=True) as first:
        url = first.session().client("sqs", endpoint_url=first.endpoint).create_queue(QueueName="kept")["QueueUrl"]

    with Emulator(tmp_path, persist=True) as again:
        found = again.session().client("sqs", endpoint_url=again.endpoint).get_queue_url(QueueName="kept")["QueueUrl"]

    assert found == url


def test_a_failed_start_shows_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kesher.local.emulator.START_TIMEOUT_SECONDS", 0.0)

    with pytest.raises(ProcessError, match=r"(?s)was not ready after 0 s.*emulator\.log"):
        Emulator(tmp_path).start()
