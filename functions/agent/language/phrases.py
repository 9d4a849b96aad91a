"""What the assistant says when no model can say it. Each of these may be the first that a customer reads, so each says
who speaks: an assistant."""

from __future__ import annotations

from functions.shared import apology
from functions.shared.profile import Language

A_PERSON_WILL_ANSWER = apology.A_PERSON_WILL_ANSWER

JUST_TAKEN: dict[Language, str] = {
    "en": "I'm sorry, that time was taken just now, so nothing was booked or changed. Which other time would suit you?",
    "he": "מצטערים, השעה הזאת נתפסה ממש עכשיו, ולכן שום דבר לא נקבע ולא השתנה. איזו שעה אחרת מתאימה לכם?",
}

APPOINTMENT_CHANGED: dict[Language, str] = {
    "en": "I'm sorry, that appointment was changed just now, so I cancelled nothing. Shall I list what you have?",
    "he": "מצטערים, התור הזה השתנה ממש עכשיו, ולכן לא ביטלתי דבר. לבדוק אילו תורים רשומים לכם?",
}

CHANGED_MEANWHILE: dict[Language, str] = {
    "en": "I'm sorry, something changed while I was answering, so nothing of it was done. Please write it again.",
    "he": "מצטערים, משהו השתנה ממש עכשיו בזמן שעניתי, ולכן שום דבר לא נעשה. אפשר לכתוב את זה שוב?",
}

YOU_ASKED_FOR_A_PERSON: dict[Language, str] = {
    "en": "Of course. I am the automatic assistant; a person from our team, whom I have called, will answer you here.",
    "he": "בוודאי. כאן העוזר האוטומטי; קראתי לאדם מהצוות שלנו, והתשובה תגיע כאן.",
}

OPTED_OUT: dict[Language, str] = {
    "en": "Understood: this assistant will not write to you any more. Write START if you change your mind.",
    "he": "קיבלנו: העוזר הזה לא יכתוב לך יותר. אם תרצו לחזור, כתבו הצטרף.",
}

OPTED_IN: dict[Language, str] = {
    "en": "Welcome back! The assistant answers here again. What can I do for you?",
    "he": "ברוכים השבים! העוזר עונה כאן שוב. במה אפשר לעזור?",
}

INTRODUCTION: dict[Language, str] = {
    "en": "Hello! You are writing with the automatic assistant of {name}.",
    "he": "שלום! כאן העוזר האוטומטי של {name}.",
}

STAND_IN: dict[Language, str] = {
    "en": "Hello! I am the demo assistant of {name}: plain rules that stand in until an AI model is connected.",
    "he": "שלום! אני עוזר ההדגמה של {name}: כללים פשוטים שממלאים מקום עד שיחובר מודל בינה מלאכותית.",
}
"""Whatever the profile says: who tries it must not take rules for a model."""
