"""Telling the owner, handing over, following up and leads: staged, bounded, and only to whom they belong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call

from functions.agent import consequences
from functions.agent.calendar import booking
from functions.agent.context import ToolContext
from functions.agent.language.links import without_links
from functions.agent.language.wording import AnswerRefusedError
from functions.agent.tools import leads as lead_tools
from functions.agent.tools import whatsapp
from functions.agent.tools.results import Booked, NotPossible
from functions.shared.contracts import ConversationId, LocationContent
from functions.shared.leads import Lead, LeadChange
from functions.shared.profile_parts import Location
from functions.shared.scheduled import FollowUp, Notice, Schedule, Scheduled
from tests.unit.agent.fakes import NOON
from tests.unit.agent.support import BARBER, Phone, context_of

OWNED = BARBER.model_copy(update={"owner_numbers": ("+972501111111", "+972502222222")})


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


def scheduled(context: ToolContext) -> list[Scheduled]:
    staged = [effect for effect in consequences.effects(context) if isinstance(effect, Schedule)]
    return [message for effect in staged for message in effect.messages]


def lead_of(context: ToolContext) -> Lead | None:
    return next((e.after for e in consequences.effects(context) if isinstance(e, LeadChange)), None)


# ---- the owner ----------------------------------------------------------------------------------------------------


def test_the_owner_is_told_on_every_number_of_their_own() -> None:
    context = context_of(OWNED)
    whatsapp.tell(context, "Dana wants 20 haircuts; see https://evil.example/x", urgent=False)
    messages = scheduled(context)
    assert [message.what for message in messages] == [Notice(number, urgent=False) for number in OWNED.owner_numbers]
    assert messages[0].text == "על Dana +972501234567, מהעוזר שלך:\nDana wants 20 haircuts; see [link]"


def test_a_chat_cannot_be_talked_into_flooding_the_owner_or_waking_them_twice() -> None:
    lead, urgent = Lead(), []
    for turn in range(5):
        context = context_of(OWNED, lead=lead, turn_id=f"t{turn}", now=NOON + timedelta(minutes=turn))
        whatsapp.tell(context, "again", urgent=True)
        whatsapp.tell(context, "and again in the same turn", urgent=True)
        urgent += [message.what.urgent for message in scheduled(context)[:1] if isinstance(message.what, Notice)]
        lead = lead_of(context) or lead
    assert urgent == [True, False, False]
    assert isinstance(whatsapp.tell(context_of(OWNED, lead=lead), "x", urgent=True), NotPossible)
    next_day = context_of(OWNED, lead=lead, now=NOON + timedelta(days=2))
    assert not isinstance(whatsapp.tell(next_day, "x", urgent=True), NotPossible)


def test_a_hot_lead_is_told_once() -> None:
    context = context_of(OWNED)
    lead_tools.update(context, "hot", "wants a wedding package", [], "send an offer")
    [first, _] = scheduled(context)
    assert first.text == "ליד חם: Dana +972501234567.\nwants a wedding package send an offer"
    again = context_of(OWNED, lead=lead_of(context) or Lead())
    lead_tools.update(again, "hot", "asks again", [], None)
    assert scheduled(again) == []


def test_without_a_number_nobody_is_told() -> None:
    context = context_of(BARBER)
    lead_tools.update(context, "hot", "wants a lot", [], None)
    context.staging.handed_over = "angry"
    assert scheduled(context) == []


# ---- the place ----------------------------------------------------------------------------------------------------

PLACE = Location(address="הרצל 1, תל אביב", latitude=32.0631, longitude=34.7713)


def test_the_place_goes_out_once_behind_the_answer() -> None:
    calls = [function_call("send_location", {}, call_id=f"c{n}") for n in range(2)]
    model = ScriptedModel([calls, [assistant_message("We are at 1 Herzl Street.")]])
    phone = Phone(BARBER.model_copy(update={"location": PLACE}), model=model)
    assert phone.send("where are you?") == "We are at 1 Herzl Street."
    assert phone.store.chat().attachments == [
        LocationContent(latitude=32.0631, longitude=34.7713, name="מספרת רון", address="הרצל 1, תל אביב")
    ]


def test_a_business_without_a_place_sends_none() -> None:
    context = context_of(BARBER)
    assert isinstance(whatsapp.attach_location(context), NotPossible)
    assert context.staging.attachments == {}


def test_a_run_that_failed_leaves_nothing_behind_for_the_next_one() -> None:
    context = context_of(BARBER.model_copy(update={"location": PLACE}))
    whatsapp.attach_location(context)
    whatsapp.hand_over_to_person(context, "angry")
    context.staging.clear()
    assert (context.staging.attachments, context.staging.handed_over) == ({}, None)


# ---- a person -----------------------------------------------------------------------------------------------------


def test_a_handed_over_chat_gets_the_last_answer_a_person_and_silence() -> None:
    model = ScriptedModel(
        [[function_call("hand_over", {"reason": "כועסת"}, call_id="c1")], [assistant_message("A person will answer.")]]
    )
    phone = Phone(OWNED, model=model)
    assert phone.ring(phone.store.receive("this is a scandal")) == "person_called"
    chat = phone.store.chat()
    assert chat.replies == ["A person will answer."]
    assert chat.attention == "כועסת"
    assert (chat.snapshot.paused_until or 0) > phone.clock.ms()
    told = list(phone.store.rows.scheduled[ConversationId("c1")].values())
    assert [message.text for message in told] == ["Dana: נדרש מענה אנושי. העוזר לא כותב עכשיו בשיחה הזאת.\nכועסת"] * 2


@pytest.mark.parametrize(("text", "occasion"), [("I want to talk to a human", "נדרש מענה אנושי")])
def test_who_asks_for_a_person_has_the_owner_told(text: str, occasion: str) -> None:
    phone = Phone(OWNED, model=ScriptedModel([]))
    assert phone.ring(phone.store.receive(text)) == "person_called"
    told = list(phone.store.rows.scheduled[ConversationId("c1")].values())
    assert len(told) == 2
    assert occasion in told[0].text


# ---- a follow-up --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2026-11-22T12:30", "soon"),
        ("2026-12-30T12:00", "late"),
        ("2026-11-21T12:00", "past"),
        ("tomorrow", "unclear"),
        ("2026-11-24T12:00", " "),
        ("2026-11-24T12:00", "x" * 501),
    ],
)
def test_a_follow_up_has_bounds(at: str, text: str) -> None:
    context = context_of()
    assert isinstance(whatsapp.follow_up(context, at, text), NotPossible)
    assert scheduled(context) == []


def test_there_is_one_follow_up_at_a_time_and_it_can_be_called_off() -> None:
    context = context_of()
    whatsapp.follow_up(context, "2026-11-24T12:00", "first")
    whatsapp.no_follow_up(context)
    whatsapp.follow_up(context, "2026-11-25T12:00", "second")
    [message] = scheduled(context)
    assert (message.text, message.name, message.what) == ("second", "follow-up", FollowUp(1))
    assert message.useful_until - message.due_at == 86_400_000
    whatsapp.no_follow_up(context)
    assert scheduled(context) == []
    assert len(consequences.effects(context)) == 2, "the old one goes, and the lead is engaged"


@pytest.mark.parametrize("text", ["see https://evil.example", "call book_appointment"])
def test_a_follow_up_says_no_more_than_an_answer_may(text: str) -> None:
    context = context_of()
    whatsapp.follow_up(context, "2026-11-24T12:00", text)
    with pytest.raises(AnswerRefusedError):
        consequences.effects(context)


# ---- leads --------------------------------------------------------------------------------------------------------


def booked(context: ToolContext) -> str:
    made = booking.book(context, "2026-11-24T10:00", "haircut")
    assert isinstance(made, Booked)
    return made.booking_id


def test_an_answer_engages_a_lead_and_an_appointment_books_it_whatever_the_model_says() -> None:
    context = context_of()
    assert (lead_of(context) or Lead()).stage == "engaged"
    booking_id = booked(context)
    lead_tools.update(context, "lost", None, ["vip"], None)
    lead = lead_of(context)
    assert lead is not None
    assert (lead.stage, lead.tags) == ("booked", ("vip",))
    booking.cancel(context, booking_id)
    assert (lead_of(context) or Lead()).stage == "lost", "nothing was booked after all"


def test_an_unchanged_lead_is_not_written() -> None:
    assert lead_of(context_of(lead=Lead(stage="engaged", revision=3))) is None


def test_the_model_reads_what_it_noted() -> None:
    context = context_of(lead=Lead(stage="engaged"))
    lead_tools.update(context, None, "wants https://x.com a fade", ["fade"] * 9, "call")
    seen: dict[str, Any] = lead_tools.seen(lead_tools.current(context)).model_dump()
    assert seen == {
        "outcome": "lead", "stage": "engaged", "notes": ["wants [link] a fade"], "tags": ["fade"], "next_step": "call",
    }  # fmt: skip


def test_whoever_writes_from_the_owners_number_is_answered_by_nobody() -> None:
    phone = Phone(OWNED, model=ScriptedModel([]))
    chat = phone.store.chat()
    chat.snapshot = replace(chat.snapshot, is_owner=True)
    assert phone.ring(phone.store.receive("thanks, stop")) == "from_the_owner"
    assert chat.replies == []
    assert chat.attention is None
    assert chat.snapshot.opted_out_at is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("write to oded@mail.example.co.il.", "write to oded@mail.example.co.il."),
        ("x@evil.com/pay", "x@[link]"),
        ("https://evil.com/a@b.co and www.evil.com", "[link] and [link]"),
    ],
)
def test_an_email_address_reaches_the_owner_and_a_link_does_not(written: str, told: str) -> None:
    assert without_links(written) == told


def test_whoever_the_owner_saved_is_answered_by_nobody_and_nobody_is_called() -> None:
    phone = Phone(OWNED, model=ScriptedModel([]))
    chat = phone.store.chat()
    chat.snapshot = replace(chat.snapshot, left_to_owner=True)
    assert phone.ring(phone.store.receive("see you at mum's? a person, please. STOP")) == "left_to_owner"
    assert chat.replies == []
    assert chat.attention is None
    assert chat.snapshot.opted_out_at is None
    assert chat.snapshot.handled_seq == chat.snapshot.last_seq, "the owner reads it on the phone"
