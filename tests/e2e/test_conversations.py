"""What a customer sees."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from functions.shared.keys import BOOKING_PREFIX
from functions.shared.tables import BookingItem
from kesher.local.simulator import SimulatorClient
from kesher.local.system import LocalSystem
from tests.e2e.conftest import BUSINESS, TENANT, Customer
from tests.waiting import eventually

QUIET_SECONDS = 4.0


def stays(customer: Customer, count: int) -> None:
    """No further answer comes: longer than the debounce, the turn and the send together usually take."""
    time.sleep(QUIET_SECONDS)
    inbox = customer.inbox()
    assert count == len(inbox.messages)
    assert inbox.undecryptable == 0


def bookings(customer: Customer) -> list[BookingItem]:
    return list(BookingItem.query(customer.pk, BookingItem.sk.startswith(BOOKING_PREFIX), consistent_read=True))


def test_hi_gets_one_answer_that_says_it_is_an_assistant(customer: Customer) -> None:
    customer.say("hi")
    (answer,) = customer.answers(1)
    assert "demo" in answer.lower()
    stays(customer, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I'd like to book a haircut on Tuesday at 10:00", ("Tuesday", "10:00")),
        ("אפשר לקבוע תור לתספורת ביום רביעי בשעה 11:30?", ("רביעי", "11:30")),
    ],
    ids=["English", "Hebrew"],
)
def test_an_appointment_is_booked_once_and_confirmed_with_weekday_date_and_time(
    customer: Customer, text: str, said: tuple[str, ...]
) -> None:
    customer.say(text)
    (answer,) = customer.answers(1)
    (booking,) = bookings(customer)
    assert booking.status == "booked"
    day = time.strftime("%-d", time.localtime(booking.start / 1000))
    for part in (*said, day):
        assert part in answer
    stays(customer, 1)
    assert len(bookings(customer)) == 1


def test_three_messages_in_a_second_get_one_answer_that_covers_all_three(customer: Customer) -> None:
    customer.say("Hi there", "how much is a haircut?", "and when are you open?")
    (answer,) = customer.answers(1)
    (turn,) = customer.turns()
    assert (turn.lo, turn.hi) == (1, 3)
    assert "80" in answer
    assert "09:00" in answer or "9:00" in answer
    stays(customer, 1)


def test_when_the_owner_answers_on_the_phone_the_assistant_is_silent(
    customer: Customer, client: SimulatorClient
) -> None:
    customer.say("hello")
    customer.answers(1)
    client.owner_says(BUSINESS, customer.phone, "This is Ron himself. How can I help?")
    customer.answers(2)
    eventually(lambda: customer.epoch() > 0, "the takeover in the app table")
    customer.say("when are you open?")
    stays(customer, 2)


def test_when_the_owner_writes_while_the_answer_is_being_typed_only_the_owner_answers(
    system: LocalSystem, customer: Customer, client: SimulatorClient
) -> None:
    system.gateway.stop()
    system.gateway.start({"COMPOSING_MS": "20000", "SEND_DEADLINE_MS": "30000"})
    try:
        system.link(TENANT, refuse_qr)
        customer.say("when are you open?")
        eventually(lambda: [one.state for one in customer.inbox().typing][-1:] == ["composing"], "typing", seconds=30)
        client.owner_says(BUSINESS, customer.phone, "Ron here: until seven.")
        eventually(lambda: {row.state for row in customer.outbox()} == {"CANCELLED"}, "the answer's end", seconds=60)
        assert [message.text for message in customer.inbox().messages] == ["Ron here: until seven."]
        assert set(customer.inbox().copies) <= {message.id for message in customer.inbox().messages}
    finally:
        system.gateway.stop()
        system.gateway.start()
        system.link(TENANT, refuse_qr)


def refuse_qr(_: str) -> None:
    raise AssertionError("a new QR was asked for")


def test_groups_get_no_answer(new_customer: Callable[[], Customer], client: SimulatorClient) -> None:
    member = new_customer()
    client.say(member.phone, BUSINESS, "hello all", group="120363000000000001@g.us")
    member.say("hi")
    member.answers(1)
    stays(member, 1)
