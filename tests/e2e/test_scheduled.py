"""What goes out later or to the owner, from the turn that wanted it to the phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from functions.shared.contracts import ConversationId
from functions.shared.keys import parse_conversation_pk
from functions.shared.profile import load_profile, save_profile
from functions.shared.profile_parts import Location
from functions.shared.scheduled import FollowUp, Scheduled, scheduled_in, to_item
from functions.shared.tables import ConversationItem, find
from tests.e2e.conftest import TENANT, Customer
from tests.waiting import eventually


@pytest.fixture
def owner(new_customer: Callable[[], Customer]) -> Iterator[Customer]:
    """The owner's own phone, and a profile that names it."""
    person = new_customer()
    before = load_profile(TENANT)
    assert before is not None
    place = Location(address="1 Herzl Street", latitude=32.0631, longitude=34.7713)
    changes = {"owner_numbers": (f"+{person.phone}",), "location": place, "appointment_files": True}
    save_profile(before.model_copy(update=changes))
    yield person
    after = load_profile(TENANT)
    assert after is not None
    save_profile(before.model_copy(update={"config_version": after.config_version}))


def chat_of(customer: Customer) -> ConversationId:
    return parse_conversation_pk(customer.pk)[1]


def test_who_asks_for_a_person_has_the_owner_told_on_whatsapp_once_and_the_owner_is_not_answered(
    customer: Customer, owner: Customer, sweep: Callable[[], None]
) -> None:
    customer.say("I want to talk to a human")
    customer.answers(1)
    sweep()
    sweep()
    [told] = owner.answers(1)
    assert "נדרש מענה אנושי" in told
    assert customer.phone in told

    owner.say("thanks, I am on it")
    sweep()
    customer.say("ok")
    sweep()
    assert owner.answers(1) == [told]


def test_a_follow_up_reaches_the_phone_once(customer: Customer, sweep: Callable[[], None]) -> None:
    customer.say("hi")
    customer.answers(1)
    chat = chat_of(customer)
    conversation = find(ConversationItem, (customer.pk, "CONVERSATION"))
    assert conversation is not None
    waiting = Scheduled(
        tenant_id=TENANT,
        conversation_id=chat,
        name="follow-up",
        due_at=1,
        useful_until=2**42,
        text="Still interested?",
        about="a follow-up",
        what=FollowUp(conversation.last_seq),
    )
    to_item(waiting).save()
    sweep()
    sweep()
    assert customer.answers(2)[1:] == ["Still interested?"]
    [row] = scheduled_in(TENANT, chat)
    assert row.state == "queued"


def test_a_booking_comes_with_a_file_for_the_calendar(customer: Customer, owner: Customer) -> None:
    profile = load_profile(TENANT)
    assert profile is not None
    days = (datetime.now(profile.zone).date() + timedelta(days=ahead) for ahead in range(3, 30))
    # A Monday, on which the shop is open.
    day = next(day for day in days if day.weekday() == 0)
    customer.say(f"book me a haircut on {day.day}.{day.month}.{day.year} at 10:00")
    customer.answers(2)
    sent = [row for row in customer.outbox() if '"kind":"document"' in row.content]
    assert len(sent) == 1
    eventually(
        lambda: [row.state for row in customer.outbox()] == ["DELIVERED", "DELIVERED"],
        f"both on the phone: {[(row.state, row.error) for row in customer.outbox()]}",
    )
