"""The business's own words are found in both languages, and what is not there is asked of a person, never invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.testing.model import ModelScriptItem

from functions.agent.knowledge import search, terms
from functions.agent.knowledge.search import Index
from functions.agent.tools.knowledge import look_up
from functions.agent.tools.results import Sources
from functions.shared.contracts import ConversationId
from functions.shared.profile_parts import Entry
from functions.shared.scheduled import Scheduled
from tests.unit.agent.doubles import Watched
from tests.unit.agent.support import BARBER, Phone, context_of

DATA = json.loads((Path(__file__).parents[2] / "data" / "knowledge-questions.json").read_text())
IDS = [entry["id"] for entry in DATA["entries"]]
ENTRIES = tuple(Entry(title=entry["title"], text=entry["text"]) for entry in DATA["entries"])
SALON = BARBER.model_copy(update={"knowledge": ENTRIES, "owner_numbers": ("+972501112222",), "languages": ("en", "he")})


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


def best(question: str) -> str | None:
    found = Index(ENTRIES).search(question)
    return IDS[ENTRIES.index(found[0].entry)] if found else None


def test_nine_of_ten_questions_find_their_entry_and_the_others_none_rather_than_a_wrong_one() -> None:
    wanted = [(question["wanted"], best(question["text"])) for question in DATA["questions"]]
    answerable = [pair for pair in wanted if pair[0] is not None]
    right = sum(expected == found for expected, found in answerable)
    assert right >= 0.9 * len(answerable), f"{right} of {len(answerable)}"
    assert [pair for pair in wanted if pair[1] not in (pair[0], None)] == []


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("לחניה", "חניה"), ("בחנייה", "חניה"), ("שהילדים", "ילדים"), ("ולילד", "ילדים"), ("כשהתספורת", "תספורות"),
        ("מהרכבת", "רכבת"), ("vouchers", "voucher"), ("parking", "park"), ("allergies", "allergy"), ("stopped", "stop"),
    ],
)  # fmt: skip
def test_hebrew_prefixes_and_endings_of_both_languages_are_no_obstacle(asked: str, written: str) -> None:
    [one], [other] = terms.words(asked), terms.words(written)
    assert terms.forms(one).keys() & terms.forms(other).keys()


def test_words_that_only_ask_find_nothing() -> None:
    assert Index(ENTRIES).search("אפשר לדעת איפה יש לכם?") == []
    assert Index(ENTRIES).search("do you have any of these?") == []
    assert Index(()).search("parking") == []


def test_the_text_comes_in_the_customers_language_with_its_title() -> None:
    found = look_up(context_of(SALON, language="he"), "parking")
    assert isinstance(found, Sources)
    assert found.entries[0].title == "חניה"
    assert "חניון" in found.entries[0].text


def test_a_changed_profile_is_searched_at_once() -> None:
    less = SALON.model_copy(update={"knowledge": ENTRIES[1:]})
    assert search.search(SALON, "where can I park?")
    assert search.search(less, "where can I park?") == []
    assert search.search(SALON, "where can I park?")


def notices(phone: Phone) -> list[Scheduled]:
    waiting = phone.store.rows.scheduled.get(ConversationId("c1"), {})
    return [message for name, message in waiting.items() if name.startswith("question")]


def searching(*queries: str, say: str = "I don't know, I have asked.") -> ScriptedModel:
    steps: list[ModelScriptItem] = [
        [function_call("search_knowledge", {"query": query}, call_id=f"c{number}")]
        for number, query in enumerate(queries)
    ]
    return ScriptedModel([*steps, [assistant_message(say)]])


def test_what_is_looked_for_in_vain_is_shown_to_a_person_and_told_to_the_owner() -> None:
    phone = Phone(SALON, model=searching("tattoos"))
    phone.send("do you do tattoos?")
    chat = phone.store.chat()
    assert chat.attention == 'Dana asks what I do not know: "tattoos"'
    assert chat.snapshot.paused_until is None, "the assistant goes on"
    [notice] = notices(phone)
    assert notice.text == chat.attention


def test_another_search_that_finds_it_asks_nobody() -> None:
    phone = Phone(SALON, model=searching("where to leave the vehicle", "parking", say="Behind the building."))
    phone.send("where can I leave the vehicle?")
    assert phone.store.chat().attention is None
    assert notices(phone) == []


def test_the_model_may_pass_a_question_on_in_its_own_words() -> None:
    call = function_call("pass_on_question", {"question": "Is Ron   there on Friday?"}, call_id="c1")
    phone = Phone(BARBER, model=ScriptedModel([[call], [assistant_message("I have asked.")]]))
    phone.send("is Ron there on friday")
    assert 'Is Ron there on Friday?"' in str(phone.store.chat().attention)


def test_without_anything_written_there_is_nothing_to_search() -> None:
    spy = Watched(BARBER)
    Phone(model=spy).send("hi")
    assert "Topics of search_knowledge" not in spy.seen[0][0]
    spy = Watched(SALON)
    Phone(SALON, model=spy).send("hi")
    assert "חניה / Parking; " in spy.seen[0][0]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("where can I park my car?", "Parking: There is a paid car park"),
        ("יש לכם חניון?", "חניה: יש חניון"),
        ("do you do tattoos?", "That I do not know; I have asked a person"),
        ("אתם עושים פדיקור?", "על זה אין לי תשובה; שאלתי אדם מהצוות"),
    ],
)
def test_the_stand_in_answers_with_the_source_or_asks(asked: str, said: str) -> None:
    assert said in Phone(SALON).send(asked)
