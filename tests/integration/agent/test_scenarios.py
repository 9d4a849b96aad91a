"""All scenarios of `evals/` and the demo's conversation, played with the stand-in on real tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from kesher.demo.check import differences
from kesher.demo.script import STEPS, business
from kesher.demo.script import Step as DemoStep
from kesher.evaluation.files import Case, find_files, read_cases
from kesher.evaluation.run import play
from kesher.evaluation.scenario import Said, Step
from kesher.evaluation.stage import Stage, stage

CASES = read_cases(find_files([Path(__file__).parents[3] / "evals"]))


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("stage"), {}) as opened:
        yield opened


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_scenario_passes(case: Case, on: Stage) -> None:
    played = play(case, on, stand_in=True)
    assert [(one.answered.texts, one.wrong) for one in played.steps if one.wrong] == []
    assert played.wrong == []


@pytest.mark.parametrize(
    "now",
    [
        "2026-11-25 12:00",  # a Wednesday
        "2026-11-24 10:00",  # a Tuesday: "on Tuesday" is in a week
        "2026-11-27 17:30",  # Friday evening
        "2026-11-28 23:30",  # Saturday night
        "2026-09-11 14:00",  # the eve of Rosh Hashana
        "2027-03-25 12:00",  # the clocks go forward in the night
        "2026-10-24 22:00",  # the clocks go back in the night
        "2026-12-31 23:20",  # the year ends in between
    ],
)
def test_the_demo_is_the_same_on_every_day_and_at_every_hour(now: str, on: Stage) -> None:
    shop = business()
    moment = datetime.strptime(now, "%Y-%m-%d %H:%M").replace(tzinfo=shop.zone)
    opened = on.open(shop, moment)
    answers: dict[str, int] = {}
    for step in STEPS:
        answered = opened.step(_as_scenario(step))
        name = step.customer.name
        answers[name] = answers.get(name, 0) + step.answered
        state = opened.state(name)
        assert state is not None
        sent = replace(state, outbox=[replace(row, state="SENT") for row in state.outbox])
        assert differences(step, sent, answers[name], moment.date()) == [], step.shows
        for part in step.says if step.answered else ():
            assert part in "\n".join(answered.texts), step.shows


def _as_scenario(step: DemoStep) -> Step:
    if step.who == "owner":
        return Step(owner=step.texts[0], by=step.customer.name)
    if step.who == "resume":
        return Step(does="resume", by=step.customer.name)
    return Step(customer=tuple(Said(text=text) for text in step.texts), by=step.customer.name)
