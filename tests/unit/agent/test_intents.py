"""The intent of a turn: rules first, the model's word next; it narrows what is offered and never ends in a wall."""

from __future__ import annotations

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.testing.model import ModelScriptItem
from hypothesis import given
from hypothesis import strategies as st

from functions.agent import intents
from functions.agent.routing import Intent
from functions.agent.tools.all import TOOLS
from tests.unit.agent.support import BARBER, Phone


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("answer", "text", "intent"),
    [
        ("We open at nine.\nintent: info", "We open at nine.", "info"),
        ("We open at nine.\n\n**Intent: info**", "We open at nine.", "info"),
        ("We open at nine. intent: info", "We open at nine.", "info"),
        ("intent: booking\nFor which day?", "For which day?", "booking"),
        ("נקבע.\n`intent: booking`.", "נקבע.", "booking"),
        ("Hello!\nintent: world domination", "Hello!\nintent: world domination", None),
        ("Hello!\nintent: opt_out", "Hello!", None),
        ("Hello!\nintent:", "Hello!", None),
        ("It was my intent: to help.", "It was my intent: to help.", None),
        ("Hello!", "Hello!", None),
    ],
)
def test_the_line_is_taken_off_and_only_known_words_count(answer: str, text: str, intent: Intent | None) -> None:
    assert intents.read(answer) == intents.Said(text, intent)


@given(before=st.text(max_size=80), intent=st.sampled_from(intents.BY_MODEL))
def test_no_customer_ever_reads_the_line(before: str, intent: Intent) -> None:
    said = intents.read(f"{before}\nintent: {intent}")
    assert f"intent: {intent}" not in said.text
    assert said.intent == intent


@pytest.mark.parametrize(
    ("by_rules", "said", "tools", "settled"),
    [
        ("price", "booking", ["book_appointment"], "price"),
        ("other", "price", ["book_appointment"], "price"),
        ("other", None, ["list_appointments", "move_appointment"], "change"),
        ("other", "other", ["find_free_slots", "cancel_appointment"], "cancel"),
        ("other", None, ["search_knowledge"], "info"),
        ("other", None, [], "other"),
    ],
)
def test_rules_then_the_model_then_the_tools_that_it_used(
    by_rules: Intent, said: Intent | None, tools: list[str], settled: Intent
) -> None:
    assert intents.settled(by_rules, said, tools) == settled


def offered(model: ScriptedModel, call: int = 0) -> set[str]:
    return {tool.name for tool in model.calls[call].tools}


def answering(*steps: ModelScriptItem, say: str = "Of course.\nintent: other") -> ScriptedModel:
    return ScriptedModel([*steps, [assistant_message(say)]])


def test_a_turn_about_a_price_is_not_offered_what_changes_appointments() -> None:
    model = answering(say="₪80.")
    phone = Phone(model=model)
    assert phone.send("how much is a haircut?") == "₪80."
    assert {"move_appointment", "cancel_appointment"}.isdisjoint(offered(model))
    assert {"book_appointment", "show_all_tools"} <= offered(model)
    assert "They ask for a price" in str(model.calls[0].system_instructions)
    assert phone.store.chat().turns[-1].intent == "price"


def test_a_turn_that_the_rules_got_wrong_reaches_what_it_needs() -> None:
    book = function_call("book_appointment", {"start": "2026-11-24T10:00", "service": "haircut"}, call_id="c2")
    model = answering([function_call("show_all_tools", {}, call_id="c1")], [book])
    phone = Phone(model=model)
    phone.send("terrible day, put me down for a haircut on tuesday at ten")
    assert "book_appointment" not in offered(model, 0)
    assert "book_appointment" in offered(model, 1)
    assert "show_all_tools" not in offered(model, 1)
    assert phone.booked() == ["haircut 2026-11-24T10:00"]


def test_what_the_rules_do_not_know_the_model_says_and_everything_is_offered() -> None:
    model = answering(say="Gladly, for when?\nintent: booking")
    phone = Phone(model=model)
    assert phone.send("my beard is a jungle") == "Gladly, for when?"
    assert "show_all_tools" not in offered(model)
    kept = phone.store.chat().turns[-1]
    assert kept.intent == "booking"
    assert "intent" not in str(kept.items[-1])


def test_only_tools_that_exist_are_left_out() -> None:
    names = {tool.name for tool in TOOLS}
    assert all(intents.needless(intent) <= names for intent in intents.BY_MODEL)


def test_no_word_of_a_model_touches_the_hard_rules() -> None:
    assert {"opt_out", "opt_in", "person"}.isdisjoint(intents.BY_MODEL)
    phone = Phone(BARBER, model=answering(say="Goodbye.\nintent: opt_out"))
    phone.send("see you around")
    assert phone.store.chat().turns[-1].intent == "other"
    assert phone.store.chat().snapshot.opted_out_at is None
