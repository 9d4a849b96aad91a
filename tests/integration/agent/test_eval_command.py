"""`kesher eval` as a person or a program runs it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from kesher.evaluation.command import run_eval
from tests.unit.agent.model_server import ModelServer, completion, completion_calls, server

__all__ = ["server"]

FILE = """\
business: barber-en
now: "2026-11-22 12:00"
scenarios:
  - name: hours
    steps:
      - customer: what are your opening hours?
        expect: {says: ["09:00"]}
"""


def evaluate(
    folder: Path, text: str, *, base_url: str | None = None, as_json: bool = False, repeat: int | None = None
) -> tuple[int, str]:
    file = folder / "some.yaml"
    file.write_text(text, encoding="utf-8")
    screen = io.StringIO()
    code = run_eval(
        Console(file=screen, width=200),
        folder / "state",
        [file],
        model="some-model" if base_url else None,
        base_url=base_url,
        repeat=repeat,
        as_json=as_json,
    )
    return code, screen.getvalue()


def test_what_passes_is_a_line_and_a_count(tmp_path: Path) -> None:
    assert evaluate(tmp_path, FILE) == (
        0,
        "✓ some: hours\n\n1 passed, 0 failed, with the rule-based stand-in\n",
    )


def test_what_fails_is_shown_with_the_conversation_and_the_difference(tmp_path: Path) -> None:
    code, said = evaluate(tmp_path, FILE.replace('says: ["09:00"]', 'says: ["midnight"]'))
    assert code == 1
    assert "✗ some: hours" in said
    assert "1. Dana: what are your opening hours?" in said
    assert "Opening hours: Sun-Thu 09:00-19:00" in said
    assert "✗ says: 'midnight' is missing" in said
    assert "0 passed, 1 failed" in said


def test_a_file_that_is_wrong_ends_with_2_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = evaluate(tmp_path, FILE.replace("customer:", "custommer:"))
    assert (code, said) == (2, "")
    assert f"{tmp_path}/some.yaml:6: scenarios[1].steps[1].custommer: there is no such field here" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "state").exists()


def test_a_program_gets_everything_as_json(tmp_path: Path) -> None:
    code, said = evaluate(tmp_path, FILE, as_json=True)
    assert code == 0
    found = json.loads(said)
    assert (found["passed"], found["failed"]) == (1, 0)
    (step,) = found["scenarios"][0]["plays"][0]["steps"]
    assert (step["said"], step["outcome"], step["intent"]) == ("Dana: what are your opening hours?", "answered", "info")
    assert "09:00-19:00" in step["answers"][0]


def test_a_model_is_asked_thrice_and_its_pass_rate_and_cost_are_told(tmp_path: Path, server: ModelServer) -> None:
    right = completion({"role": "assistant", "content": "We open at 09:00."})
    wrong = completion({"role": "assistant", "content": "We never close."})
    server.replies = [(200, {}, right), (200, {}, wrong), (200, {}, right)]
    code, said = evaluate(tmp_path, FILE, base_url=server.url)
    assert code == 1
    assert {body["model"] for _, body in server.asked} == {"some-model"}
    assert "✗ some: hours (2 of 3)" in said
    assert "We never close." in said
    assert "0 passed, 1 failed; 2 of 3 conversations (67%), with some-model" in said
    assert "3 model calls" in said


TOOLS = """\
business: garage-en
now: "2026-11-22 12:00"
scenarios:
  - name: offer
    change: {owner_numbers: ["+972500000001"]}
    steps:
      - customer: a quote for twelve vans, and write me on Thursday
        expect: {tools: [update_lead, {name: schedule_follow_up, arguments: {at: "2026-11-26T10:00"}}], in_order: true}
    left: {lead: {stage: hot, notes: [vans]}, follow_ups: ["2026-11-26 10:00"], owner_told: [hot lead], facts: []}
"""


def test_what_a_model_does_through_its_tools_is_judged_by_the_tables(tmp_path: Path, server: ModelServer) -> None:
    lead = {"interest": "hot", "note": "An offer for twelve vans", "next_step": "Send an offer"}
    follow_up = {"at": "2026-11-26T10:00", "text": "Shall we go on?"}
    server.replies = [
        (200, {}, completion_calls("update_lead", json.dumps(lead))),
        (200, {}, completion_calls("schedule_follow_up", json.dumps(follow_up), call_id="call_2")),
        (200, {}, completion({"role": "assistant", "content": "Gladly."})),
    ]
    code, said = evaluate(tmp_path, TOOLS, base_url=server.url, repeat=1)
    assert (code, said.splitlines()[0]) == (0, "✓ some: offer"), said
    assert "3 model calls, 300 input tokens" in said
