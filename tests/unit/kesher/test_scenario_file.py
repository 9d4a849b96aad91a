"""Scenario files: what is wrong with one is told with its line, all at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kesher.evaluation.files import Case, ScenarioFileError, find_files, parse, read_cases
from kesher.yaml_file import YamlFileError

FILE = Path("some.yaml")
GOOD = """\
business: barber-en
now: "2026-11-22 12:00"
scenarios:
  - name: booked
    steps:
      - customer: a haircut tomorrow at 10
        expect: {says: ["10:00"], tools: [book_appointment]}
      - later: 2 h
    left: {bookings: [haircut 2026-11-23 10:00]}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(YamlFileError) as raised:
        parse(text, FILE)
    return [f"{problem.line}: {problem.text}" for problem in raised.value.problems]


def test_a_good_file_gives_its_cases_with_their_business_and_moment() -> None:
    (case,) = parse(GOOD, FILE)
    assert isinstance(case, Case)
    assert case.name == "some: booked"
    assert case.profile.name == "Ron's Barber Shop"
    assert case.now.isoformat() == "2026-11-22T12:00:00+02:00"
    assert case.scenario.steps[1].later == timedelta(hours=2)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("expect: {says", "expext: {says", "7: scenarios[1].steps[1].expext: there is no such field here (did"),
        ("tools: [book_appointment]", "tools: [book_it]", "7: scenarios[1].steps[1].expect.tools[1]: there is"),
        ("later: 2 h", "later: soon", "8: scenarios[1].steps[2].later: a time span is written as `40 min`"),
        ("      - later: 2 h", "      - {}", "8: scenarios[1].steps[2]: a step is one of `customer`"),
        ("later: 2 h", "later: 2 h\n        owner: hi", "8: scenarios[1].steps[2]: a step is one of `customer`"),
        ("haircut 2026-11-23 10:00", "tomorrow", "9: scenarios[1].left.bookings[1]: string should match"),
        ("left: {", "left: {folow_ups: [], ", "9: scenarios[1].left.folow_ups: there is no such field here"),
        ("left: {", "left: {lead: {nots: [x]}, ", "9: scenarios[1].left.lead.nots: there is no such field"),
        ("left: {", "left: {lead: warm, ", "9: scenarios[1].left.lead.stage: input should be 'new', 'engaged', 'hot'"),
        ("left: {", "left: {follow_ups: [sunday], ", "9: scenarios[1].left.follow_ups[1]: string should match"),
        ('now: "2026-11-22 12:00"', "now: noon", "2: now: a moment is written as '2026-11-22 12:00'"),
        ("business: barber-en", "business: bakery-en", "1: business: [Errno 2] No such file"),
        ("    left:", "    change: {time_zone: Mars}\n    left:", "9: scenarios[1].change.time_zone:"),
        ("scenarios:", "scenarios: [", "4: not YAML:"),
        ("customer: a haircut tomorrow at 10", "customer: [{media: image, text: hi}]", "6: scenarios[1].steps[1].cust"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(old: str, new: str, problem: str) -> None:
    assert old in GOOD
    (found,) = problems(GOOD.replace(old, new))
    assert found.startswith(problem)


def test_two_scenarios_of_one_name_are_told_apart() -> None:
    twice = GOOD + GOOD[GOOD.index("  - name") :]
    assert problems(twice) == ["10: scenarios[2].name: another scenario is called 'booked' too"]


def test_all_files_are_read_before_any_is_complained_about(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(GOOD.replace("later: 2 h", "later: soon"), encoding="utf-8")
    with pytest.raises(ScenarioFileError) as raised:
        read_cases(find_files([tmp_path]))
    assert [line.partition(": ")[0] for line in raised.value.lines] == [f"{tmp_path}/{n}.yaml:8" for n in "ab"]


def test_a_folder_without_scenarios_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFileError, match="no scenario file is there"):
        find_files([tmp_path])
