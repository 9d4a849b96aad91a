"""Conversations with the stand-in, through the real Runner and the real tools, in both languages."""

from __future__ import annotations

import pytest

from tests.unit.agent.support import Phone


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


def test_it_introduces_itself_as_a_demo_once_in_the_customers_language() -> None:
    english, hebrew = Phone(), Phone()
    assert "demo assistant of מספרת רון" in english.send("hi")
    assert "demo" not in english.send("hello again")
    assert "עוזר ההדגמה של מספרת רון" in hebrew.send("שלום")


def test_an_appointment_is_booked_over_several_turns_in_english() -> None:
    phone = Phone()
    asked, booked = phone.talk("I'd like a haircut", "tomorrow at 10")
    assert asked.endswith("For which day and time?")
    assert booked == "Booked: Haircut, Monday, 23 November 2026 at 10:00, ₪80. See you then!"
    assert phone.booked() == ["haircut 2026-11-23T10:00"]


def test_an_appointment_is_booked_over_several_turns_in_hebrew() -> None:
    phone = Phone()
    asked, booked = phone.talk("אני רוצה לקבוע תור לתספורת", "מחר ב-10")
    assert asked.endswith("לאיזה יום ושעה?")
    assert booked == "נקבע: תספורת, יום שני, 23 בנובמבר 2026, בשעה 10:00, ₪80. נתראה!"
    assert phone.booked() == ["haircut 2026-11-23T10:00"]


def test_a_day_alone_brings_free_times_and_a_bare_hour_chooses_one() -> None:
    phone = Phone()
    offer, booked = phone.talk("תספורת וזקן ביום שלישי?", "16")
    assert "יום שלישי, 24 בנובמבר 2026: 09:00" in offer
    assert offer.endswith("איזו שעה מתאימה?")
    assert "בשעה 16:00" in booked
    assert phone.booked() == ["haircut_beard 2026-11-24T16:00"]


def test_service_day_and_time_may_come_in_three_messages_answered_as_one() -> None:
    phone = Phone()
    assert "Booked: Beard trim, Thursday, 26 November 2026 at 15:00" in phone.send(
        "I want a beard trim", "on Thursday", "at 3"
    )


def test_one_answer_covers_every_question_that_waits() -> None:
    said = Phone().send("hi", "how much is a haircut?", "are you open on Friday?", "can I come tomorrow at 10?")
    for part in (
        "demo assistant",
        "Haircut: ₪80",
        "Friday, 27 November 2026: 09:00-14:00",
        "Monday, 23 November 2026 at 10:00",
    ):
        assert part in said


def test_a_closed_day_brings_the_nearest_times_and_yes_takes_the_first() -> None:
    phone = Phone()
    closed, booked = phone.talk("book me a haircut on Saturday at 10", "yes please")
    assert "closed" in closed
    assert "Sunday, 29 November 2026 at 10:00" in closed
    assert "Booked: Haircut, Sunday, 29 November 2026 at 10:00" in booked


def test_a_taken_time_is_offered_to_nobody_else() -> None:
    phone = Phone()
    phone.send("book me a haircut tomorrow at 10", conversation_id="first")
    said = phone.send("book me a haircut tomorrow at 10", conversation_id="second")
    assert "already taken" in said
    assert "Monday, 23 November 2026 at 09:15, 09:30, 10:30." in said
    assert phone.booked("second") == []
    assert "Booked" in phone.send("10:30", conversation_id="second")


def test_the_only_appointment_is_cancelled_at_once() -> None:
    phone = Phone()
    said = phone.talk(
        "a haircut tomorrow at 10 please", "when is my appointment?", "cancel my appointment", "cancel it"
    )
    assert said[1] == "Your appointments: Haircut, Monday, 23 November 2026 at 10:00."
    assert said[2] == "Cancelled: Haircut, Monday, 23 November 2026 at 10:00."
    assert said[3] == "You have no coming appointments."
    assert phone.booked() == []


def test_of_several_appointments_the_named_one_is_cancelled() -> None:
    phone = Phone()
    said = phone.talk("תספורת מחר ב-10", "עוד תור ביום שלישי ב-11", "לבטל תור", "של יום שלישי")
    assert said[2].endswith("איזה מהם לבטל?")
    assert "בוטל" in said[3]
    assert phone.booked() == ["haircut 2026-11-23T10:00"]


def test_an_appointment_is_moved() -> None:
    phone = Phone()
    said = phone.talk("a haircut tomorrow at 10 please", "can I move my appointment?", "Tuesday at 4pm")
    assert said[1].endswith("To which day and time shall I move it?")
    assert said[2] == "Moved: Haircut is now on Tuesday, 24 November 2026 at 16:00."
    assert phone.booked() == ["haircut 2026-11-24T16:00"]


def test_an_agreed_day_is_remembered_as_a_date_and_not_as_tomorrow() -> None:
    phone = Phone()
    phone.send("a haircut tomorrow, please")
    phone.clock.now = phone.clock.now.replace(day=23, hour=6)  # the next morning
    assert "Monday, 23 November 2026 at 11:00" in phone.send("11")


def test_a_time_alone_is_in_the_language_of_the_conversation() -> None:
    phone = Phone()
    assert "Booked" in phone.talk("I'd like a haircut on Tuesday", "10:30")[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("what are your hours?", "Opening hours: Sun-Thu 09:00-19:00, Fri 09:00-14:00, Sat closed."),
        ("מתי אתם פתוחים?", "א'-ה' 09:00-19:00, ו' 09:00-14:00, שבת סגור"),
        ("what services do you offer?", "Beard trim: ₪50, 30 minutes; Haircut and beard: ₪120, 60 minutes."),
        ("כמה עולה עיצוב זקן?", "עיצוב זקן: ₪50, 30 דקות."),
        ("haircut tomorrow at 10:10", "Appointments begin on the quarter of an hour"),
        ("book me a haircut on 3/12/2027 at 10", "too far ahead"),
        ("what is the meaning of life?", "That I do not know; I have asked a person"),
        ("are you a bot?", "I am an automatic assistant"),
        ("האם זה בוט?", "כאן עוזר אוטומטי"),
        ("are you open on Saturday?", "Saturday, 28 November 2026: closed."),
        ("השירות היה גרוע, אני מאוכזב", "העברתי את זה לצוות"),
        ("I am here", "book, move or cancel an appointment"),
    ],
)
def test_it_answers_what_it_can_and_says_what_it_can_do(text: str, expected: str) -> None:
    assert expected in Phone().send(text)


def test_a_picture_is_admitted_to_be_unreadable() -> None:
    assert "cannot see pictures" in Phone().talk("hi")[0] + Phone().send(None, "hello")


def test_thanks_after_a_booking_starts_no_other_one() -> None:
    phone = Phone()
    assert phone.talk("a haircut tomorrow at 10", "thanks, see you tomorrow!")[1] == "You're welcome!"


def test_the_same_request_again_is_the_same_appointment() -> None:
    phone = Phone()
    phone.talk("a haircut tomorrow at 10 please", "book me a haircut tomorrow at 10")
    assert phone.booked() == ["haircut 2026-11-23T10:00"]


def test_a_move_to_a_day_brings_its_free_times_and_a_bare_hour_moves() -> None:
    phone = Phone()
    said = phone.talk("תספורת מחר ב-10", "אפשר להזיז את התור ליום חמישי?", "15")
    assert "ביום חמישי, 26 בנובמבר 2026: 09:00" in said[1]
    assert said[1].endswith("לאיזו שעה להזיז אותו?")
    assert said[2] == "התור הוזז: תספורת, יום חמישי, 26 בנובמבר 2026, בשעה 15:00."
    assert phone.booked() == ["haircut 2026-11-26T15:00"]


def test_a_thumb_up_after_an_answer_is_no_question() -> None:
    assert Phone().talk("a haircut tomorrow at 10 please", "👍")[1] == "You're welcome!"


def test_a_described_message_is_read_by_the_customers_words_alone() -> None:
    phone = Phone()
    phone.send("תספורת מחר ב-10")
    said = phone.send("[an earlier message was changed to: תספורת ביום חמישי ב-11]")
    assert "יום חמישי, 26 בנובמבר 2026, בשעה 11:00" in said
