"""The estimate of tokens, beside the numbers of o200k_base (npm gpt-tokenizer 3) for the same texts."""

from __future__ import annotations

import pytest

from functions.agent.memory.tokens import tokens


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        (
            "Hi, I would like to book a haircut for tomorrow at ten in the morning if that is possible. How much does "
            "it cost?",
            27,
        ),
        (
            "Could you please tell me whether the clinic accepts my insurance, and what documents I need to bring "
            "along to the first appointment?",
            25,
        ),
        ("שלום, אני רוצה לקבוע תור לתספורת למחר בעשר בבוקר אם אפשר. כמה זה עולה ואיפה אפשר לחנות?", 30),
        ("היי, אפשר להזיז את התור שלי מיום שלישי ליום חמישי אחרי ארבע? תודה רבה!", 24),
        ("הזמנתי אצלכם WhatsApp Business בשבוע שעבר ועדיין לא חזרו אליי", 21),
        (
            '{"outcome":"free","service":"haircut","minutes":30,"days":[{"day":"2026-11-24","spoken":"Tuesday, 24 '
            'November 2026","starts":[{"first":"09:00","last":"18:30"}]}]}',
            55,
        ),
        (
            '{"outcome":"booked","booking_id":"b12ab34cd56ef","service":"תספורת","price":"₪80","start":'
            '"2026-11-24T10:00","spoken":"יום שלישי, 24 בנובמבר 2026, בשעה 10:00"}',
            65,
        ),
        ("050-1234567, 10:30", 10),
    ],
)
def test_it_is_near_the_truth_in_both_languages_and_in_json(text: str, counted: int) -> None:
    assert 0.9 * counted <= tokens(text) <= 1.6 * counted


def test_nothing_is_nothing() -> None:
    assert tokens("") == 0
