"""Each customer is told once that an assistant writes, whatever the model says."""

from __future__ import annotations

import pytest
from agents.testing import ScriptedModel, assistant_message

from functions.agent.language import phrases
from functions.shared.profile import Language
from tests.unit.agent.support import BARBER, Phone


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


def phone_of_a_new_customer(*answers: str, **fields: object) -> Phone:
    model = ScriptedModel([[assistant_message(text)] for text in answers])
    phone = Phone(BARBER.model_copy(update=fields), model=model)
    phone.store.introduced = False
    return phone


@pytest.mark.parametrize(("text", "language"), [("are you open?", "en"), ("אתם פתוחים היום?", "he")])
def test_the_first_answer_says_it_and_the_second_does_not(text: str, language: Language) -> None:
    answer = {"en": "Yes, until seven.", "he": "כן, עד שבע."}[language]
    said = phone_of_a_new_customer(answer, answer).talk(text, text)
    assert said == [f"{phrases.INTRODUCTION[language].format(name=BARBER.name)}\n\n{answer}", answer]


def test_the_business_may_say_it_in_its_own_words() -> None:
    phone = phone_of_a_new_customer("Yes.", introduction={"en": "Ron's robot here!"})
    assert phone.send("are you open?") == "Ron's robot here!\n\nYes."


def test_the_stand_in_says_what_it_is_whatever_the_profile_says() -> None:
    phone = Phone(BARBER.model_copy(update={"introduction": {"en": "Ron's robot here!"}}))
    first, second = phone.talk("hi", "are you open on friday?")
    assert first.startswith(phrases.STAND_IN["en"].format(name=BARBER.name))
    assert "demo assistant" not in second


@pytest.mark.parametrize(
    "texts",
    [
        phrases.A_PERSON_WILL_ANSWER, phrases.YOU_ASKED_FOR_A_PERSON, phrases.OPTED_OUT, phrases.OPTED_IN,
        phrases.INTRODUCTION, phrases.STAND_IN,
    ],
)  # fmt: skip
def test_every_text_that_may_be_the_first_says_it(texts: dict[Language, str]) -> None:
    assert "assistant" in texts["en"]
    assert "עוזר" in texts["he"]


def test_who_was_handed_over_first_is_not_introduced_again() -> None:
    phone = Phone()
    phone.ring(phone.store.receive("let me talk to a person"))
    chat = phone.store.chat()
    assert chat.snapshot.introduced_at is not None
