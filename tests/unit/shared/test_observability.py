"""What the functions tell CloudWatch, and what they must not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions.shared.observability import masked

ROOT = Path(__file__).resolve().parents[3]


def in_a_fresh_process(code: str, **variables: str) -> str:
    """Output of `code` in an interpreter that has imported nothing yet."""
    environment = {"PATH": os.environ["PATH"], "POWERTOOLS_SERVICE_NAME": "send", **variables}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_failed_send_is_one_metric_with_the_service_as_its_only_dimension() -> None:
    line = json.loads(
        in_a_fresh_process(
            "from functions.shared.observability import count, metrics\n"
            "count('SendFailed', tenant_id='business_1')\n"
            "metrics.flush_metrics()"
        )
    )

    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Kesher",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "SendFailed", "Unit": "Count"}],
        }
    ]
    assert (line["service"], line["SendFailed"], line["tenant_id"]) == ("send", [1.0], "business_1")


@pytest.mark.parametrize(
    ("jid", "shown"),
    [
        ("972501234567@s.whatsapp.net", "***67@s.whatsapp.net"),
        ("987654321@lid", "***21@lid"),
        ("123@lid", "***@lid"),
        ("not an address", "***ss"),
    ],
)
def test_an_address_is_masked(jid: str, shown: str) -> None:
    assert masked(jid) == shown


@pytest.mark.parametrize(
    ("handler", "heavy"),
    [
        (
            "functions.webhook.handler",
            ["requests", "openai", "agents", "boto3", "functions.shared.profile"],
        ),
        ("functions.send.handler", ["openai", "agents", "boto3", "functions.shared.profile"]),
        ("functions.sweeper.handler", ["requests", "openai", "agents", "boto3", "functions.shared.profile"]),
        ("functions.feed.handler", ["requests", "openai", "agents", "boto3", "holidays"]),
    ],
)
def test_a_handler_imports_nothing_that_it_does_not_need(handler: str, heavy: list[str]) -> None:
    found = in_a_fresh_process(f"import sys, {handler}\nprint([name for name in {heavy} if name in sys.modules])")

    assert found.strip() == "[]"


HANDLERS = ["functions.webhook.handler", "functions.send.handler", "functions.sweeper.handler"]


@pytest.mark.parametrize("handler", HANDLERS)
def test_importing_a_handler_anywhere_but_in_lambda_needs_no_environment(handler: str) -> None:
    code = f"import {handler}\nfrom functions.shared.tables import AppItem\nprint(AppItem._connection)"

    assert in_a_fresh_process(code).strip() == "None"


@pytest.mark.parametrize("handler", HANDLERS)
def test_in_lambda_the_clients_are_ready_before_the_first_request(handler: str) -> None:
    code = f"import {handler}\nfrom functions.shared.tables import AppItem\nprint(AppItem.connection()._client)"
    lambda_sets = {
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "APP_TABLE": "app",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }

    assert "DynamoDB" in in_a_fresh_process(code, **lambda_sets)
