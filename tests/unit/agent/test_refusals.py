"""What was refused twice is admitted in words about that; nothing of the run's belief stays, and a person is called all
the same."""

from __future__ import annotations

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.testing.model import ModelScriptItem

from functions.agent.calendar.store import Book, Cancel
from functions.agent.language import phrases
from functions.shared.facts import NoteFacts
from functions.shared.inbox import Effect
from functions.shared.leads import LeadChange
from functions.shared.profile import Language
from functions.shared.scheduled import Notice
from tests.unit.agent.support import BARBER, Phone

OWNED = BARBER.model_copy(update={"owner_numbers": ("+972501111111",)})
Call = tuple[str, dict[str, object]]
BOOK: Call = ("book_appointment", {"start": "2026-11-24T10:00", "service": "haircut"})
NOTE: Call = ("remember_about_customer", {"fact": "prefers mornings"})
LEAD: Call = ("update_lead", {"interest": "hot", "note": "wants a wedding cut"})
TELL_OWNER: Call = ("tell_owner", {"text": "Dana is allergic to ammonia"})
HAND_OVER: Call = ("hand_over", {"reason": "angry"})
SAYS: dict[Language, str] = {"en": "please do as we said", "he": "תעשו בבקשה כמו שאמרנו"}


def phone_of(*twice: Call) -> Phone:
    """A customer whose assistant makes these calls in each of two runs."""

    def calls(run: int) -> list[ModelScriptItem]:
        made = [[function_call(name, given, call_id=f"c{run}{i}")] for i, (name, given) in enumerate(twice)]
        return [*made, [assistant_message("בסדר, done.")]]

    return Phone(OWNED, model=ScriptedModel([*calls(1), *calls(2)]))


def refuse_twice(phone: Phone, kind: type[Effect], language: Language = "en") -> str:
    phone.store.refuse_effects, phone.store.refuse_kinds = 2, (kind,)
    seq = phone.store.receive(SAYS[language])
    assert phone.ring(seq) in ("answered", "person_called")
    assert phone.store.refuse_effects == 0
    return phone.store.chat().replies[-1]


@pytest.mark.parametrize("language", ["en", "he"])
@pytest.mark.parametrize(("kind", "call"), [(LeadChange, LEAD), (NoteFacts, NOTE)])
def test_a_note_that_was_refused_is_not_called_a_time_that_was_taken(
    kind: type[Effect], call: Call, language: Language
) -> None:
    phone = phone_of(call)
    assert refuse_twice(phone, kind, language) == phrases.CHANGED_MEANWHILE[language]
    assert phone.store.rows.scheduled == {}, "a hot lead that was not kept is told to nobody"


def test_a_cancellation_that_was_refused_says_that_nothing_was_cancelled() -> None:
    phone = Phone(OWNED)
    phone.send("book me a haircut tomorrow at 10")
    [booking_id] = phone.store.rows.appointments["c1"]  # type: ignore[index] # the phone's own conversation
    cancel: Call = ("cancel_appointment", {"booking_id": booking_id})
    other = phone_of(cancel)
    other.store.rows = phone.store.rows
    assert refuse_twice(other, Cancel) == phrases.APPOINTMENT_CHANGED["en"]
    assert other.booked() == phone.booked() != []


def test_who_was_handed_over_is_not_asked_for_another_time_and_the_owner_hears_of_it() -> None:
    phone = phone_of(LEAD, HAND_OVER)
    assert refuse_twice(phone, LeadChange) == phrases.A_PERSON_WILL_ANSWER["en"]
    chat = phone.store.chat()
    assert chat.attention == "angry"
    [told] = phone.store.rows.scheduled["c1"].values()  # type: ignore[index] # as above
    assert isinstance(told.what, Notice)
    assert "angry" in told.text


def test_what_the_owner_is_told_reaches_them_though_the_booking_beside_it_was_lost() -> None:
    phone = phone_of(TELL_OWNER, BOOK)
    assert refuse_twice(phone, Book) == phrases.JUST_TAKEN["en"]
    [told] = phone.store.rows.scheduled["c1"].values()  # type: ignore[index] # as above
    assert isinstance(told.what, Notice)
    assert "allergic to ammonia" in told.text


def test_a_booking_beside_a_refused_note_is_not_made() -> None:
    phone = phone_of(BOOK, LEAD)
    assert refuse_twice(phone, LeadChange) == phrases.CHANGED_MEANWHILE["en"]
    assert phone.booked() == []
