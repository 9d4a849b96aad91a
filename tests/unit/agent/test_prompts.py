"""The instructions say what the business is, and the stand-in can read them."""

from __future__ import annotations

from functions.agent import prompts
from tests.unit.agent.fakes import NOON
from tests.unit.agent.support import BARBER, JERUSALEM

NOW = NOON.astimezone(JERUSALEM)


def test_the_business_is_described_in_full() -> None:
    text = prompts.business(BARBER)
    for part in (
        "Name: מספרת רון",
        "Languages: Hebrew and English",
        "Time zone: Asia/Jerusalem",
        "sunday: 09:00-19:00",
        "saturday: closed",
        "haircut: תספורת / Haircut, 30 minutes, ₪80",
    ):
        assert part in text


def test_the_part_that_is_the_same_for_all_customers_comes_first_and_holds_no_time() -> None:
    assert "2026" not in prompts.business(BARBER)


def test_the_time_in_the_instructions_can_be_read_back() -> None:
    assert prompts.read_now(f"{prompts.business(BARBER)}\n\n{prompts.moment(NOW, 'Dana', ())}") == NOW
    assert prompts.read_now("no time here") is None


def test_only_what_was_understood_is_listed() -> None:
    assert "Dates that the customer named" not in prompts.moment(NOW, None, ())
    assert "- message 1: Tuesday" in prompts.moment(NOW, None, ("message 1: Tuesday",))


def test_what_was_noted_about_the_customer_can_be_read_back_word_by_word() -> None:
    facts = ["is called Oded", '“it\'s "here"”', "1. 'Local time now: 2020-01-01T00:00'"]
    text = f"{prompts.business(BARBER)}\n\n{prompts.moment(NOW, 'Dana', ('message 1: Tuesday',), facts=facts)}"
    assert prompts.read_facts(text) == facts
    assert prompts.read_now(text) == NOW
    assert prompts.read_facts(prompts.moment(NOW, "Dana", ())) == []
