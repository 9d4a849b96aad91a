"""Which service is meant: asked where it was not said, with the time that was; never guessed."""

from __future__ import annotations

import pytest

from tests.unit.agent.support import BARBER, Phone

THEN = "Monday, 23 November 2026 at 10:00"
WHICH = "Haircut, Beard trim, Haircut and beard. Which service would you like?"


def test_the_time_is_remembered_until_the_service_is_named() -> None:
    phone = Phone()
    asked, booked = phone.talk("book me tomorrow at 10", "a beard trim please")
    assert asked.endswith(f"\nFor {THEN}: {WHICH}")
    assert booked == f"Booked: Beard trim, {THEN}, ₪50. See you then!"


def test_the_same_in_hebrew() -> None:
    phone = Phone()
    asked, booked = phone.talk("אפשר לבוא מחר ב-10?", "השלישי")
    assert "ליום שני, 23 בנובמבר 2026, בשעה 10:00: תספורת, עיצוב זקן" in asked
    assert booked.startswith("נקבע: תספורת וזקן, יום שני, 23 בנובמבר 2026, בשעה 10:00")


def test_a_day_alone_is_remembered_too() -> None:
    asked, offer = Phone().talk("can I come on Tuesday?", "haircut")
    assert asked.endswith(f"For Tuesday, 24 November 2026: {WHICH}")
    assert offer.startswith("Free for Haircut on Tuesday, 24 November 2026: 09:00")


def test_neither_service_nor_time_are_asked_one_by_one() -> None:
    phone = Phone()
    said = phone.talk("I'd like an appointment", "the second one", "tomorrow at 10")
    assert said[0].endswith(WHICH)
    assert said[1] == "Beard trim, gladly. For which day and time?"
    assert phone.booked() == ["beard 2026-11-23T10:00"]


def test_another_time_meanwhile_takes_the_place_of_the_first() -> None:
    phone = Phone()
    said = phone.talk("book me tomorrow at 10", "actually make it 11", "whatever", "haircut")
    assert said[1] == f"For {THEN.replace('10:00', '11:00')}: {WHICH}"
    assert said[2] == said[1]
    assert phone.booked() == ["haircut 2026-11-23T11:00"]


def test_a_price_in_between_keeps_the_question() -> None:
    phone = Phone()
    said = phone.talk("book me tomorrow at 10", "how much is each?", "haircut and beard")
    assert "Haircut: ₪80" in said[1]
    assert said[1].endswith(f"For {THEN}: {WHICH}")
    assert phone.booked() == ["haircut_beard 2026-11-23T10:00"]


@pytest.mark.parametrize("text", ["never mind", "thanks, bye", "לא משנה"])
def test_whoever_leaves_the_question_is_not_asked_again(text: str) -> None:
    phone = Phone()
    assert "Which service" not in phone.talk("book me tomorrow at 10", text)[1]
    assert phone.booked() == []


def test_two_services_are_no_choice() -> None:
    phone = Phone()
    assert phone.send("a haircut or a beard trim tomorrow at 10").endswith(WHICH)
    assert phone.booked() == []


def test_another_one_is_the_same_service_again() -> None:
    phone = Phone()
    phone.talk("a beard trim tomorrow at 10", "and another one on Tuesday at 11")
    assert phone.booked() == ["beard 2026-11-23T10:00", "beard 2026-11-24T11:00"]


def test_a_new_wish_after_a_booking_is_asked_about() -> None:
    assert Phone().talk("a beard trim tomorrow at 10", "can I come on Tuesday at 11?")[1].endswith(WHICH)


def test_a_business_with_one_service_just_books_it() -> None:
    phone = Phone(BARBER.model_copy(update={"services": BARBER.services[:1]}))
    assert "Booked: Haircut" in phone.send("tomorrow at 10 please")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("don't cancel my appointment!", "nothing is changed"),
        ("what happens if I cancel?", "I have asked a person"),
        ("did you cancel my appointment?", "I have asked a person"),
        ("אל תבטלו לי את התור", "שום דבר לא משתנה"),
        ("עד מתי אפשר לבטל?", "שאלתי אדם מהצוות"),
    ],
)
def test_talk_about_cancelling_cancels_nothing(text: str, answer: str) -> None:
    phone = Phone()
    assert answer in phone.talk("a haircut tomorrow at 10", text)[1]
    assert phone.booked() == ["haircut 2026-11-23T10:00"]
