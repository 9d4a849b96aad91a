"""The date grammar: what customers write, understood or asked about, never silently wrong."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.agent.dates import Resolved, resolve
from functions.agent.speech import spoken_day, spoken_time
from functions.shared.profile import Language

JERUSALEM = ZoneInfo("Asia/Jerusalem")
SUNDAY_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=JERUSALEM)
DATA = Path(__file__).parents[2] / "data"


def cases(file: str, *keys: str) -> list[Any]:
    content = json.loads((DATA / file).read_text(encoding="utf-8"))
    return [pytest.param(c["phrase"], c["expect"], id=c["phrase"]) for key in keys for c in content[key]]


def shown(resolved: Resolved | None) -> str | None:
    if resolved is None:
        return None
    return resolved.start.strftime("%Y-%m-%dT%H:%M" if resolved.has_time else "%Y-%m-%d")


@pytest.mark.parametrize(
    ("phrase", "expect"),
    [
        *cases("date-phrases.json", "cases"),
        *cases("date-phrases-own.json", "english", "hebrew", "unsure", "second_set"),
    ],
)
def test_a_phrase_means_what_people_mean_or_is_asked_about(phrase: str, expect: list[str]) -> None:
    understood = shown(resolve(phrase, SUNDAY_NOON))
    assert understood in expect if expect else understood is None


@pytest.mark.parametrize("language", ["en", "he"])
@given(minutes=st.integers(min_value=1, max_value=300 * 24 * 4).map(lambda quarters: quarters * 15))
def test_what_we_say_back_is_understood_as_the_same_moment(language: Language, minutes: int) -> None:
    moment = (SUNDAY_NOON.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(JERUSALEM)
    understood = resolve(spoken_time(moment, language), SUNDAY_NOON)
    if moment.utcoffset() == moment.replace(fold=1).utcoffset() and moment.hour >= 8:
        assert understood == Resolved(moment, has_time=True)
    else:
        assert understood is None or understood.start in (moment, moment + timedelta(hours=12))
    assert shown(resolve(spoken_day(moment.date(), language), SUNDAY_NOON)) == moment.date().isoformat()


@given(text=st.text(max_size=60))
def test_any_text_gives_a_time_that_has_not_passed_or_none(text: str) -> None:
    resolved = resolve(text, SUNDAY_NOON)
    assert resolved is None or resolved.start.date() >= SUNDAY_NOON.date()


WORDS = (
    "tomorrow monday tuesday at 10 4pm 25/12 in two weeks next or not morning evening after before the 30th 80 ₪ "
    "054-1234567 מחר ביום שלישי ב-10 בארבע וחצי בערב שבוע הבא עוד 3 ימים לא או"
)


@given(words=st.lists(st.sampled_from(re.split(" ", WORDS)), min_size=1, max_size=6))
def test_words_in_any_order_are_deterministic_and_never_in_the_past(words: list[str]) -> None:
    text = " ".join(words)
    first = resolve(text, SUNDAY_NOON)
    assert first == resolve(text, SUNDAY_NOON)
    assert first is None or first.start.tzinfo is JERUSALEM
    assert first is None or not first.has_time or first.start >= SUNDAY_NOON


def test_a_weekday_is_never_today() -> None:
    for offset in range(7):
        now = SUNDAY_NOON + timedelta(days=offset)
        assert shown(resolve(f"{now:%A}", now)) == (now + timedelta(days=7)).date().isoformat()


def test_next_monday_is_in_the_next_week_and_weeks_begin_on_sunday() -> None:
    saturday = SUNDAY_NOON + timedelta(days=6)
    assert shown(resolve("next monday", SUNDAY_NOON)) == "2026-11-30"
    assert shown(resolve("next monday", saturday)) == "2026-11-30"


def test_a_day_that_has_passed_this_year_is_next_years() -> None:
    assert shown(resolve("3/2 at 10", SUNDAY_NOON)) == "2027-02-03T10:00"
    assert resolve("3/11 at 10", SUNDAY_NOON) is None, "nearly a year ahead: more likely a slip"


def test_a_local_time_that_the_clocks_skip_or_repeat_is_asked_about() -> None:
    before_spring = datetime(2027, 3, 25, 12, 0, tzinfo=JERUSALEM)  # Friday 26 March, 02:00 -> 03:00
    before_autumn = datetime(2026, 10, 24, 12, 0, tzinfo=JERUSALEM)  # Sunday 25 October, 02:00 -> 01:00
    assert resolve("tomorrow at 02:30", before_spring) is None
    assert resolve("tomorrow at 01:30", before_autumn) is None
    assert shown(resolve("tomorrow at 10", before_spring)) == "2027-03-26T10:00"


def test_hours_from_now_are_elapsed_hours_over_a_change_of_the_clocks() -> None:
    night = datetime(2027, 3, 26, 1, 30, tzinfo=JERUSALEM)
    assert shown(resolve("in two hours", night)) == "2027-03-26T04:30"


def test_a_part_of_the_day_gives_its_first_hour_and_no_time() -> None:
    evening = resolve("tomorrow evening", SUNDAY_NOON)
    assert evening == Resolved(datetime(2026, 11, 23, 16, 0, tzinfo=JERUSALEM), has_time=False)
    after = resolve("מחר אחרי 5", SUNDAY_NOON)
    assert after == Resolved(datetime(2026, 11, 23, 17, 0, tzinfo=JERUSALEM), has_time=False)


def test_vowel_points_and_direction_marks_change_nothing() -> None:
    assert shown(resolve("\u200fמָחָר בְּ-10\u200f", SUNDAY_NOON)) == "2026-11-23T10:00"


def test_now_must_be_aware() -> None:
    with pytest.raises(ValueError, match="aware"):
        resolve("tomorrow", datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001
