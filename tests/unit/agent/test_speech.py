"""Days, times and prices in two languages."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from functions.agent.language import speech

TEN = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Jerusalem"))


def test_a_time_is_said_with_weekday_date_and_hour() -> None:
    assert speech.spoken_time(TEN, "en") == "Tuesday, 24 November 2026 at 10:00"
    assert speech.spoken_time(TEN, "he") == "יום שלישי, 24 בנובמבר 2026, בשעה 10:00"


def test_what_was_said_can_be_read_again() -> None:
    text = f"{speech.spoken_time(TEN, 'he')}; {speech.spoken_time(TEN, 'en')}"
    assert speech.said_days(text) == [date(2026, 11, 24)] * 2
    assert speech.said_times(text) == [datetime(2026, 11, 24, 10, 0)] * 2  # noqa: DTZ001 - local by contract


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (8_000, "ILS", "₪80"),
        (1_250, "USD", "$12.50"),
        (1_205, "EUR", "€12.05"),
        (123_456_700, "ILS", "₪1,234,567"),
        (500, "JPY", "500 JPY"),
        (1_500, "JOD", "1.500 JOD"),
        (0, "ILS", "₪0"),
    ],
)
def test_prices_come_from_whole_minor_units(minor: int, currency: str, said: str) -> None:
    assert speech.price(minor, currency) == said


def test_the_language_is_that_of_the_last_text_that_shows_one() -> None:
    assert speech.language_of(["hello", "שלום", "10:30"], "en") == "he"
    assert speech.language_of(["שלום", "hi"], "he") == "en"
    assert speech.language_of(["10:30", "👍"], "he") == "he"
    assert speech.language_of(["אפשר WhatsApp?"], "en") == "he"
