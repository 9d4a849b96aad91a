"""The hard rules in both languages, and the intents that are for the record."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.agent.routing import Consent, Hard, Intent, consent, hard_rule, intent_of, plain
from tests.unit.agent.routing_phrases import HARD, INTENTS

CASES = [(text, rule) for rule, texts in HARD.items() for text in texts]
HEBREW = re.compile("[א-ת]")


@pytest.mark.parametrize(("text", "rule"), CASES, ids=[text for text, _ in CASES])
def test_a_phrase_is_under_its_hard_rule_and_no_other(text: str, rule: Hard | None) -> None:
    assert hard_rule(text) == rule


@pytest.mark.parametrize(("text", "intent"), [(text, name) for name, texts in INTENTS.items() for text in texts])
def test_an_intent_is_recorded_where_the_rules_are_sure(text: str, intent: Intent) -> None:
    assert intent_of([text]) == intent


def test_each_language_has_at_least_forty_phrases_with_negatives() -> None:
    hebrew = [text for text, _ in CASES if HEBREW.search(text)]
    assert len(hebrew) >= 40
    assert len(CASES) - len(hebrew) >= 40
    assert sum(1 for text, rule in CASES if rule is None and HEBREW.search(text)) >= 20


@given(
    st.sampled_from([text for text, rule in CASES if rule == "opt_out"]), st.sampled_from(["!", ".", " 🙏", "\n", "…"])
)
def test_an_opt_out_is_one_however_it_is_written(text: str, mark: str) -> None:
    assert hard_rule(f" {text.upper()}{mark}{mark}") == "opt_out"


@given(st.sampled_from([text for text, _ in CASES]))
def test_an_opt_out_is_all_that_the_message_says(text: str) -> None:
    assert hard_rule(f"{text} at five tomorrow for a haircut") != "opt_out"
    assert hard_rule(f"{text} מחר בחמש לתספורת") != "opt_out"


@given(st.text())
def test_any_text_is_read_and_reading_it_twice_changes_nothing(text: str) -> None:
    hard_rule(text)
    intent_of([text])
    assert plain(plain(text)) == plain(text)


def test_the_last_word_counts() -> None:
    assert consent(["hi", "stop"], opted_out=False) == Consent("opted_out", 1)
    assert consent(["stop", "start"], opted_out=False) == Consent("opted_in", 1)
    assert consent(["stop", "when are you open?"], opted_out=False) == Consent("opted_out", 0)
    assert consent(["start"], opted_out=True) == Consent("opted_in", 0)
    assert consent(["start"], opted_out=False) is None
    assert consent(["when are you open?"], opted_out=True) is None


def test_two_different_wishes_are_no_sure_intent_but_a_person_wins() -> None:
    assert intent_of(["how much is it?", "when are you open?"]) == "other"
    assert intent_of(["how much is it?", "I want to talk to a human"]) == "person"
