"""What never reaches the model, and what never reaches the customer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from agents.testing import ScriptedModel, assistant_message
from hypothesis import given
from hypothesis import strategies as st

from functions.agent import guardrails, room
from functions.agent.language import wording
from functions.agent.language.phrases import A_PERSON_WILL_ANSWER
from functions.agent.tools.calendar import TOOLS
from functions.shared.contracts import MessageId, TextContent
from functions.shared.conversation import Message
from functions.shared.endings import HandOver, PutAside
from tests.unit.agent.support import BARBER, Phone

NOW = 1_790_000_000_000
MINUTE = 60_000
MESSAGE = Message(1, MessageId("M1"), "customer", TextContent(text="hi"), NOW, NOW, NOW, "c")


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


def ring(phone: Phone, *texts: str) -> str:
    seqs = [phone.store.receive(text) for text in texts]
    return phone.ring(seqs[-1])


# ---- before: age ----------------------------------------------------------------------------------------------------

moments = st.integers(NOW - 24 * 60 * MINUTE, NOW)


@given(moments, st.integers(0, 24 * 60 * MINUTE), st.none() | moments)
def test_a_message_is_left_to_a_person_exactly_if_it_is_too_old(sent: int, later: int, silence: int | None) -> None:
    stored = min(sent + later, NOW)
    message = replace(MESSAGE, sent_at=sent, stored_at=stored)
    found = guardrails.left_to_a_person([message], silent_until=silence, now_ms=NOW)
    waited = silence is not None and stored < silence and silence - sent >= guardrails.YOUNG_MS
    assert (found is not None) == (waited or NOW - sent >= guardrails.OLD_MS)


@given(st.lists(moments, min_size=1, max_size=8), moments, st.integers(0, 24 * 60 * MINUTE))
def test_when_the_silence_has_ended_nobody_who_looks_later_lets_more_through(
    written: list[int], silence: int, later: int
) -> None:
    pending = [replace(MESSAGE, seq=n, sent_at=at, stored_at=at) for n, at in enumerate(sorted(written), start=1)]
    first = guardrails.left_to_a_person(pending, silent_until=silence, now_ms=NOW)
    then = guardrails.left_to_a_person(pending, silent_until=silence, now_ms=NOW + later)
    if first is not None:
        assert then is not None
        assert then.hi >= first.hi


# ---- before: machines -----------------------------------------------------------------------------------------------

AWAY = "Thank you for contacting Dan's Garage. We are closed and will get back to you."


def test_the_same_long_text_again_and_again_is_a_machine_and_ends_in_a_hand_over() -> None:
    phone = Phone()
    outcomes = [ring(phone, AWAY) for _ in range(4)]
    assert outcomes == ["answered", "answered", "handed_over", "assistant_off"]
    [ending] = phone.store.chat().endings
    assert isinstance(ending, HandOver)
    assert ending.text == A_PERSON_WILL_ANSWER["en"]
    assert phone.store.chat().attention == "the same text came again and again: perhaps another machine"


def test_two_machines_that_answer_each_other_are_stopped_whatever_they_say() -> None:
    phone = Phone()
    outcomes = [ring(phone, f"hello number {n}") for n in range(guardrails.MAX_TURNS + 1)]
    assert outcomes == ["answered"] * guardrails.MAX_TURNS + ["handed_over"]


def test_a_person_may_say_yes_thrice_and_talk_for_long() -> None:
    phone = Phone()
    assert [ring(phone, "yes") for _ in range(4)] == ["answered"] * 4
    for n in range(30):
        phone.clock.now += timedelta(seconds=30)
        assert ring(phone, f"hello number {n}") == "answered"


@pytest.mark.parametrize(
    "text",
    ["This is an automated message. Office hours are 9-5.", "Auto-reply: away", "זוהי הודעה אוטומטית"],
)
def test_a_message_that_calls_itself_automatic_is_not_answered(text: str) -> None:
    phone = Phone()
    assert ring(phone, text) == "put_aside"
    assert phone.store.chat().endings == [PutAside(1, "an automatic message of another business")]
    assert phone.store.chat().replies == []


@pytest.mark.parametrize("text", ["Is this an automated message?", "זו הודעה אוטומטית?"])
def test_who_asks_whether_it_is_automatic_is_answered(text: str) -> None:
    assert ring(Phone(), text) == "answered"


def test_a_flood_of_messages_calls_a_person() -> None:
    assert ring(Phone(), *[f"n {n}" for n in range(guardrails.MAX_MESSAGES + 1)]) == "handed_over"


def test_a_very_long_message_is_cut_for_the_model() -> None:
    [cut] = guardrails.shortened([replace(MESSAGE, content=TextContent(text="x" * 60_000))])
    assert cut.content.kind == "text"
    assert len(cut.content.text) == guardrails.MAX_CHARACTERS + 4
    assert guardrails.shortened([MESSAGE]) == [MESSAGE]


# ---- after --------------------------------------------------------------------------------------------------------


@given(st.text(alphabet="ab .\n!?א", max_size=9_000))
def test_an_answer_is_sent_in_few_messages_of_bearable_length_and_in_order(text: str) -> None:
    found = wording.parts(text.strip())
    assert len(found) <= room.MAX_PARTS
    assert all(0 < len(part) <= wording.MAX_PART for part in found)
    sent, whole = "".join("".join(found).split()), "".join(text.split())
    assert whole == sent or whole.startswith(sent.removesuffix("…"))
    if len(text) <= wording.MAX_PART:
        assert found == ([text.strip()] if text.strip() else [])


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**Haircut** is ₪80", "*Haircut* is ₪80"),
        ("### Prices\n* cut\n* beard", "*Prices*\n- cut\n- beard"),
        ("see [our page](https://a.example/x)", "see our page: https://a.example/x"),
        ("```text\nhi\n```", "hi"),
        ("one\n\n\n\ntwo  ", "one\n\ntwo"),
        ("2 * 3 * 4 and *bold*", "2 * 3 * 4 and *bold*"),
        ("**תספורת** ב-80", "*תספורת* ב-80"),
    ],
)
def test_markdown_becomes_what_whatsapp_shows(markdown: str, shown: str) -> None:
    assert wording.whatsapp(markdown) == shown


@given(st.text(alphabet="abc א*#-_ \n", max_size=80).filter(lambda text: "**" not in text and "__" not in text))
def test_words_are_never_lost_by_formatting(text: str) -> None:
    def letters(of: str) -> str:
        return "".join(c for c in of if c.isalpha())

    assert letters(wording.whatsapp(text)) == letters(text)


@pytest.mark.parametrize("tool", [tool.name for tool in TOOLS])
def test_the_name_of_a_tool_does_not_go_out(tool: str) -> None:
    with pytest.raises(wording.AnswerRefusedError, match="internal"):
        wording.worded(f"I will call {tool} now.", BARBER, ["hi"], "en")


@pytest.mark.parametrize("link", ["https://evil.example/pay", "www.evil.com", "bit.ly/x", "http://10.0.0.1/x"])
def test_a_link_that_the_profile_does_not_name_does_not_go_out(link: str) -> None:
    with pytest.raises(wording.AnswerRefusedError, match="links"):
        wording.worded(f"Pay here: {link}", BARBER, ["hi"], "en")
    known = BARBER.model_copy(update={"automatic_texts": (f"We are at {link}",)})
    assert wording.worded(f"Pay here: {link}", known, ["hi"], "en") == [f"Pay here: {link}"]


def test_an_answer_in_the_other_language_does_not_go_out_unless_it_was_asked_for() -> None:
    english = "We are open from nine in the morning until seven in the evening."
    with pytest.raises(wording.AnswerRefusedError, match="language"):
        wording.worded(english, BARBER, ["מתי אתם פתוחים?"], "he")
    assert wording.worded(english, BARBER, ["אפשר באנגלית? מתי פתוח?"], "he") == [english]
    assert wording.worded(english, BARBER, ["10:30"], "he") == [english]
    assert wording.worded("10:30, Ron", BARBER, ["מתי?"], "he") == ["10:30, Ron"]


def test_a_refused_answer_fails_the_turn_and_nothing_is_written() -> None:
    phone = Phone(model=ScriptedModel([[assistant_message("Call book_appointment yourself.")]]))
    seq = phone.store.receive("hi")
    with pytest.raises(wording.AnswerRefusedError):
        phone.ring(seq)
    assert phone.store.chat().replies == []


def test_a_long_answer_goes_out_in_parts() -> None:
    phone = Phone(model=ScriptedModel([[assistant_message("A sentence of it. " * 150)]]))
    assert ring(phone, "tell me all") == "answered"
    assert [len(reply) <= wording.MAX_PART for reply in phone.store.chat().replies] == [True, True]
