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
from functions.agent.language.speech import spoken_day, spoken_time
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


@pytest.mark.parametrize("file", ["date-phrases-own.json", "date-phrases-held-out.json"])
@pytest.mark.parametrize("language", ["english", "hebrew"])
def test_each_language_has_at_least_sixty_phrases_of_our_own(file: str, language: str) -> None:
    content = json.loads((DATA / file).read_text(encoding="utf-8"))
    assert len({case["phrase"] for case in content[language]}) >= 60


HELD_OUT = {"english": 60, "hebrew": 67}
"""Of 68 and 70 phrases that were written before the grammar saw them; when it first did, it was right about 37 and 54,
asked about 30 and 15, and was wrong about 1 and 1."""


@pytest.mark.parametrize(("language", "at_least"), HELD_OUT.items())
def test_of_the_held_out_phrases_most_are_understood_and_none_wrongly(language: str, at_least: int) -> None:
    content = json.loads((DATA / "date-phrases-held-out.json").read_text(encoding="utf-8"))[language]
    understood = [(case["phrase"], case["expect"], shown(resolve(case["phrase"], SUNDAY_NOON))) for case in content]
    assert [one for one in understood if one[2] is not None and one[2] not in one[1]] == []
    assert sum(one[2] in one[1] if one[1] else one[2] is None for one in understood) >= at_least


@pytest.mark.parametrize(
    "phrase",
    [
        "on my birthday at 4", "Purim at 4", "Frida at 4", "the same day at 4", "then at 4", "payday at 4",
        "the following day at 4", "sundays at 4", "i have an appointment at 4",
        "בפורים ב4", "בערב החג ב-6", "ביום ההולדת שלי ב4", "באותו יום ב4", "אחר כך ב-4", "בימי שני ב4", "יש לי תור ב4",
        "ליל שישי ב8", "יום א' וב' ב-4",
    ],
)  # fmt: skip
def test_a_time_beside_a_word_that_may_name_a_day_is_not_todays(phrase: str) -> None:
    assert resolve(phrase, SUNDAY_NOON) is None


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


YEAR = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(JERUSALEM))  # noqa: DTZ001
FUTURE = (
    "tomorrow at 10", "in two weeks on tuesday at 10", "the 30th at 5", "friday 12:30", "24 december at 9am",
    "at 16:30", "on the 5th of next month at 10",
    "מחר ב-2:30", "עוד שבועיים ביום שלישי ב-10", "מחרתיים ב-1:30", "ב-15 לחודש ב-11",
    "ביום ב' ב-9", "היום ב-20:00", "next monday at 9", "tomorrow at 02:30", "במוצאי שבת ב-8",
)  # fmt: skip


@given(now=YEAR, phrase=st.sampled_from(FUTURE))
def test_no_request_is_understood_as_a_past_or_a_skipped_time_on_any_day_of_three_years(
    now: datetime, phrase: str
) -> None:
    understood = resolve(phrase, now)
    if understood is not None and understood.has_time:
        assert understood.start >= now
        assert understood.start.astimezone(UTC).astimezone(JERUSALEM).replace(fold=0) == understood.start


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
