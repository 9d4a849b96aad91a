"""The business's file: what is wrong is named with its line, and what is written reads back the same."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.examples import barber_shop, dental_clinic
from functions.shared.profile import BusinessProfile, Language
from kesher.business_file import BusinessFileError, Example, changes, example, parse, render, with_version
from tests.profiles import FULL


def problems(text: str) -> list[str]:
    with pytest.raises(BusinessFileError) as refused:
        parse(text)
    return [f"{problem.line}: {problem.text}" for problem in refused.value.problems]


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("kind", get_args(Example))
def test_every_example_is_ready_to_apply_and_reads_back(kind: Example, language: Language) -> None:
    profile = parse(example(kind, language, "shop_7"))

    assert profile.tenant_id == "shop_7"
    assert profile.languages[0] == language
    assert {language} <= set(profile.services[0].names)
    assert profile.policies
    assert profile.knowledge
    assert parse(render(profile)) == profile


@pytest.mark.parametrize("kind", get_args(Example))
def test_an_example_is_the_same_business_in_both_languages(kind: Example) -> None:
    he, en = parse(example(kind, "he")), parse(example(kind, "en"))

    assert [(s.id, s.minutes, s.price, s.buffer_after) for s in he.services] == [
        (s.id, s.minutes, s.price, s.buffer_after) for s in en.services
    ]
    assert (he.hours, he.limits, he.holidays) == (en.hours, en.limits, en.holidays)


@pytest.mark.parametrize(
    "profile",
    [barber_shop(), dental_clinic(), BusinessProfile.model_validate({**barber_shop().model_dump(), **FULL})],
    ids=["barber", "clinic", "full"],
)
def test_a_stored_profile_reads_back_from_what_is_shown(profile: BusinessProfile) -> None:
    assert parse(render(profile)) == profile
    assert render(parse(render(profile))) == render(profile)


@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=60))
def test_any_text_survives_the_file(text: str) -> None:
    if not text.isprintable():
        return
    profile = barber_shop().model_copy(update={"name": text, "tone": text, "automatic_texts": (text,)})
    assert parse(render(profile)) == profile


BAD = """\
tenant_id: business_1
name: Ron's
time_zone: Jerusalem
langages: [he]
hours:
  sunday: [09:00-19:00]
  funday: [09:00-19:00]
  monday:
    - 09:00-13:00
    - 12:00-11:00
services:
  - id: haircut
    names: {en: Haircut}
    minutes: half an hour
    price: 80.5
    currency: ILS
  - id: beard
    names: {en: Beard}
    price: 5000
    currency: ILS
"""


def test_everything_that_is_wrong_is_named_at_once_with_its_line() -> None:
    found = problems(BAD)

    assert [problem.partition(":")[0] for problem in found] == ["3", "4", "7", "10", "14", "15", "17"]
    assert "Asia/Jerusalem" in found[0]
    assert "did you mean languages?" in found[1]
    assert "hours.funday" in found[2]
    assert "closes must be after opens" in found[3]
    assert "services[1].minutes" in found[4]
    assert "'half an hour'" in found[4]
    assert found[6] == "17: services[2].minutes: is missing; add it"


def test_values_that_do_not_go_together_are_named_where_they_stand() -> None:
    text = render(barber_shop()).replace("currency: ILS\n    resources: []", "currency: ILS\n    resources: [Ron]")

    found = problems(text)

    lines = text.splitlines()
    assert len(found) == 3
    for problem in found:
        line, _, said = problem.partition(": ")
        assert lines[int(line) - 1].strip() == "resources: [Ron]"
        assert "Ron is none of the resources: main" in said


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name: [", 1, "not YAML"),
        ("name: a\nname: b\n", 2, "duplicate key"),
        ("- a\n- b\n", 1, "must consist of fields"),
        ("", 1, "must consist of fields"),
        ("a: \x07", 1, "not YAML"),
    ],
)
def test_a_file_that_is_no_yaml_mapping_says_so(text: str, line: int, said: str) -> None:
    [problem] = problems(text)
    assert problem.startswith(f"{line}: ")
    assert said in problem


def test_the_saved_version_changes_one_line_of_the_file() -> None:
    text = example("barber", "en")

    after = with_version(text, 7)

    assert parse(after).config_version == 7
    changed = [pair for pair in zip(text.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
    assert changed == [("config_version: 0", "config_version: 7")]
    assert parse(with_version(text.replace("config_version: 0\n", ""), 3)).config_version == 3


def test_changes_are_shown_as_lines_and_a_version_is_none() -> None:
    before = barber_shop()
    assert changes(before, before.model_copy(update={"config_version": 9})) == []
    shown = changes(before, before.model_copy(update={"name": "Ron"}))
    assert "-name: מספרת רון" in shown
    assert "+name: Ron" in shown
    assert "+name: מספרת רון" in changes(None, before)
