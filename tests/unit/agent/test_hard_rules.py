"""Opting out and asking for a person: no model is asked, and none can overrule it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.agent.language import phrases
from functions.shared.endings import ConsentChange, HandOver, PutAside, Silence
from functions.shared.profile import Language
from tests.unit.agent.doubles import Watched
from tests.unit.agent.support import BARBER, Phone


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


def ring(phone: Phone, *texts: str) -> str:
    seqs = [phone.store.receive(text) for text in texts]
    return phone.ring(seqs[-1])


@pytest.mark.parametrize(("text", "language"), [("stop", "en"), ("הסירו אותי מהרשימה", "he")])
def test_an_opt_out_is_confirmed_once_and_then_there_is_silence(text: str, language: Language) -> None:
    spy = Watched(BARBER)
    phone = Phone(model=spy)
    assert ring(phone, text) == "opted_out"
    assert ring(phone, "when are you open?") == "silent"
    assert ring(phone, text) == "opted_out", "said again, it is confirmed again"
    chat = phone.store.chat()
    assert chat.replies == [phrases.OPTED_OUT[language]] * 2
    assert [type(ending) for ending in chat.endings] == [ConsentChange, Silence, ConsentChange]
    assert spy.seen == []


@pytest.mark.parametrize(("text", "language"), [("start", "en"), ("הצטרף", "he")])
def test_an_opt_in_brings_one_back(text: str, language: Language) -> None:
    phone = Phone()
    ring(phone, "stop")
    assert ring(phone, text) == "opted_in"
    assert phone.store.chat().replies[-1] == phrases.OPTED_IN[language]
    assert ring(phone, "when are you open?") == "answered"


def test_start_is_an_ordinary_word_for_who_never_opted_out() -> None:
    assert ring(Phone(), "start") == "answered"


def test_an_opt_out_among_questions_and_in_an_old_message_is_heard() -> None:
    phone = Phone()
    phone.store.receive("stop")
    phone.clock.now += timedelta(hours=13)
    assert ring(phone, "how much is a haircut?") == "opted_out"
    [ending] = phone.store.chat().endings
    assert isinstance(ending, ConsentChange)
    assert ending.seq == 1


def test_whoever_the_owner_saved_opts_out_without_a_word_and_is_not_written_to_when_they_are_removed() -> None:
    phone = Phone()
    chat = phone.store.chat()
    chat.snapshot = replace(chat.snapshot, left_to_owner=True)
    assert ring(phone, "see you at mum's?", "stop") == "opted_out"
    [ending] = chat.endings
    assert isinstance(ending, ConsentChange)
    assert (ending.change, ending.seq, chat.replies) == ("opted_out", 2, [])
    chat.snapshot = replace(chat.snapshot, left_to_owner=False)
    assert ring(phone, "when are you open?") == "silent"


def test_the_owner_opts_out_of_nothing() -> None:
    phone = Phone()
    chat = phone.store.chat()
    chat.snapshot = replace(chat.snapshot, is_owner=True)
    assert ring(phone, "stop") == "from_the_owner"
    assert chat.snapshot.opted_out_at is None


@pytest.mark.parametrize(("text", "language"), [("can I speak to a person?", "en"), ("אפשר לדבר עם נציג?", "he")])
def test_a_person_is_called_in_the_customers_language_and_the_assistant_pauses(text: str, language: Language) -> None:
    spy = Watched(BARBER)
    phone = Phone(model=spy)
    assert ring(phone, "hi", text) == "person_called"
    chat = phone.store.chat()
    assert chat.replies == [phrases.YOU_ASKED_FOR_A_PERSON[language]]
    [ending] = chat.endings
    assert isinstance(ending, HandOver)
    assert (ending.outcome, ending.intent, chat.attention) == ("person", "person", "the customer asked for a person")
    assert [item["role"] for item in ending.items if isinstance(item, dict)] == ["user", "user", "assistant"]
    assert spy.seen == []
    assert ring(phone, "hello?") == "assistant_off"


def test_a_message_of_more_than_twelve_hours_goes_to_a_person_and_the_young_one_behind_it_is_answered() -> None:
    phone = Phone()
    phone.store.receive("can I come today?")
    phone.clock.now += timedelta(hours=12)
    assert ring(phone, "when are you open?") == "answered"
    chat = phone.store.chat()
    assert chat.endings == [PutAside(1, "it is more than 12 hours old")]
    assert [(turn.lo, turn.hi) for turn in chat.turns] == [(1, 1), (2, 2)]
    assert len(chat.replies) == 1


def test_a_person_who_comes_in_that_moment_wins_over_an_opt_out_too() -> None:
    phone = Phone()
    seq = phone.store.receive("stop")
    before = phone.store.messages

    def meanwhile(*arguments: object) -> object:
        phone.store.messages = before  # type: ignore[method-assign]
        found = before(*arguments)  # type: ignore[arg-type]
        phone.store.take_over("Ron here")
        return found

    phone.store.messages = meanwhile  # type: ignore[method-assign, assignment]
    assert phone.ring(seq) == "overtaken"
    assert phone.store.chat().replies == []
