"""The stand-in's two languages: what it recognises, and what it says."""

from __future__ import annotations

import re
from typing import Literal

from functions.shared.profile import Language, Weekday

Intent = Literal[
    "greeting",
    "thanks",
    "hours",
    "price",
    "services",
    "cancel",
    "move",
    "mine",
    "free",
    "book",
    "yes",
    "complaint",
    "bot",
    "where",
]

_PATTERNS: dict[Intent, str] = {
    "greeting": r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|shalom)\b"
    r"|^\W*(?:שלום|היי|הי|אהלן|בוקר טוב|ערב טוב|צהריים טובים|שבוע טוב)(?!\w)",
    "thanks": r"\bthank|\bthx\b|תודה",
    "hours": r"\bhours\b|\bopen(?:ing)?\b|\bclos(?:e|ed|ing)\b|שעות|פתוח|סגור|פותחים|סוגרים",
    "price": r"\bprices?\b|\bcosts?\b|how much|\bcharge\b|מחיר|עולה|עולים|עלות|כמה זה",
    "services": r"\bservices\b|what do you (?:do|offer)|שירותים|מה אתם (?:עושים|מציעים)|איזה טיפולים",
    "cancel": r"\bcancel|לבטל|ביטול|\bתבטל|\bבטל|מבטל",
    "move": r"\bmove\b|\breschedule|\bpostpone|\bchange (?:my|the) (?:appointment|time|booking)"
    r"|להזיז|תזיז|לדחות|להקדים|להעביר את|לשנות את (?:התור|השעה|המועד)",
    "mine": r"\bwhen(?:'s| is) my\b|\bdo i have\b|\bmy (?:appointments|bookings)\b"
    r"|מתי התור שלי|מתי יש לי|יש לי תור|התורים שלי|אילו תורים",
    "free": r"\bfree\b|\bavailab|\bslots?\b|\bopenings?\b(?! (?:hours|times?))"
    r"|פנוי|יש מקום|מתי אפשר|יש לכם (?:תור|משהו)",
    "book": r"\bappointment|\bbook|\bschedule\b|\breserv|\bcome (?:in|by|over)\b|\b(?:can|could|may) i come\b"
    r"|\bתור\b|לתור|לקבוע|תקבע|\bקבע|להזמין|פגישה|אפשר לבוא|לבוא",
    "complaint": r"\bcomplain|\bdisappointed\b|\bterrible\b|\bawful\b|\brefund\b"
    r"|להתלונן|תלונה|שירות גרוע|מאוכזב|החזר כספי",
    "where": r"\bwhere are you\b|\baddress\b|\bdirections\b|\blocation\b"
    r"|\bhow (?:do|can) (?:i|we) (?:get|come) (?:to you|there)\b"
    r"|איפה אתם|היכן אתם|כתובת|איך מגיעים|איפה זה|מיקום",
    "bot": r"\b(?:are you|is this) (?:an? )?(?:bot|robot|machine|human|real)\b|\btalking to an? (?:bot|robot|human)\b"
    r"|(?:את|אתה|אתם|זה|זו) (?:בוט|רובוט|מכונה|בן אדם|אמיתי)(?!\w)",
    "yes": r"^\W*(?:yes|yep|yeah|sure|ok|okay|great|perfect|fine|the first)\b"
    r"|^\W*(?:כן|בסדר|אוקיי|אוקי|מעולה|סבבה|יופי|מתאים|הראשון)(?!\w)",
}
INTENTS = {intent: re.compile(pattern, re.IGNORECASE) for intent, pattern in _PATTERNS.items()}

Phrase = Literal[
    "hello", "help", "welcome", "unseen", "hours", "closed", "price", "for_when", "also", "offer",
    "what_time", "booked", "cancelled", "moved", "closed_then", "taken", "past", "too_far", "quarter", "have_then",
    "too_soon", "limit", "too_long", "nearest", "which_of_these", "no_room", "mine", "none", "which_cancel",
    "which_move", "sorry", "known", "asked", "complaint", "bot", "where", "hours_on", "which_move_time",
]  # fmt: skip

SAY: dict[Phrase, dict[Language, str]] = {
    "hello": {"en": "Hello!", "he": "שלום!"},
    "help": {
        "en": "I can tell you our hours, services and prices, and book, move or cancel an appointment. What can I do?",
        "he": "אפשר לשאול אותי על שעות, שירותים ומחירים, ולקבוע, להזיז או לבטל תור. במה אפשר לעזור?",
    },
    "welcome": {"en": "You're welcome!", "he": "בשמחה!"},
    "unseen": {
        "en": "I cannot see pictures, files or voice messages; please write it in words.",
        "he": "אין באפשרותי לראות תמונות, קבצים או הודעות קוליות; אפשר לכתוב לי במילים.",
    },
    "hours": {"en": "Opening hours: {hours}.", "he": "שעות הפתיחה: {hours}."},
    "hours_on": {"en": "{day}: {hours}.", "he": "{day}: {hours}."},
    "closed": {"en": "closed", "he": "סגור"},
    "price": {"en": "{service}: {price}, {minutes} minutes", "he": "{service}: {price}, {minutes} דקות"},
    "for_when": {
        "en": "{service}, gladly{also}. For which day and time?",
        "he": "{service}, בשמחה{also}. לאיזה יום ושעה?",
    },
    "also": {"en": " (there is also: {services})", "he": " (יש גם: {services})"},
    "offer": {"en": "Free for {service} on {day}: {times}.", "he": "פנוי ל{service} ב{day}: {times}."},
    "what_time": {"en": "Which time suits you?", "he": "איזו שעה מתאימה?"},
    "booked": {
        "en": "Booked: {service}, {spoken}, {price}. See you then!",
        "he": "נקבע: {service}, {spoken}, {price}. נתראה!",
    },
    "cancelled": {"en": "Cancelled: {service}, {spoken}.", "he": "התור בוטל: {service}, {spoken}."},
    "moved": {"en": "Moved: {service} is now on {spoken}.", "he": "התור הוזז: {service}, {spoken}."},
    "closed_then": {"en": "We are closed at that time.", "he": "בשעה הזאת אנחנו סגורים."},
    "taken": {"en": "That time is already taken.", "he": "השעה הזאת כבר תפוסה."},
    "past": {"en": "That time has already passed.", "he": "המועד הזה כבר עבר."},
    "too_far": {"en": "That is too far ahead to book.", "he": "אי אפשר לקבוע כל כך רחוק מראש."},
    "quarter": {
        "en": "Appointments begin on the quarter of an hour: 10:00, 10:15, 10:30, 10:45.",
        "he": "תורים מתחילים ברבעי שעה: 10:00, 10:15, 10:30, 10:45.",
    },
    "have_then": {"en": "You already have an appointment at that time.", "he": "כבר יש לך תור בשעה הזאת."},
    "too_soon": {
        "en": "That is too soon; appointments must be booked further ahead.",
        "he": "זה קרוב מדי, צריך לקבוע זמן רב יותר מראש.",
    },
    "limit": {
        "en": "You have as many coming appointments as can be booked here. For one more, write \"a person\".",
        "he": "כבר קבעת כאן את כל התורים שאפשר לקבוע מראש. לתור נוסף אפשר לכתוב \"נציג\".",
    },
    "too_long": {
        "en": "Only a person can arrange that one; I have asked one, who will answer you here.",
        "he": "את זה רק אדם מהצוות יכול לסדר; העברתי את הבקשה, והתשובה תגיע כאן.",
    },
    "nearest": {"en": "The nearest free times: {times}.", "he": "השעות הפנויות הקרובות: {times}."},
    "which_of_these": {"en": "Which of these suits you?", "he": "איזו מהן מתאימה?"},
    "no_room": {
        "en": "I found nothing free then. Which other day would suit you?",
        "he": "לא נמצא מועד פנוי. איזה יום אחר מתאים?",
    },
    "mine": {"en": "Your appointments: {appointments}.", "he": "התורים שלך: {appointments}."},
    "none": {"en": "You have no coming appointments.", "he": "אין לך תורים קרובים."},
    "which_cancel": {"en": "Which one shall I cancel?", "he": "איזה מהם לבטל?"},
    "which_move_time": {"en": "To which time shall I move it?", "he": "לאיזו שעה להזיז אותו?"},
    "which_move": {"en": "To which day and time shall I move it?", "he": "לאיזה יום ושעה להזיז אותו?"},
    "known": {"en": "{title}: {text}", "he": "{title}: {text}"},
    "asked": {
        "en": "That I do not know; I have asked a person of our team, who will answer it here.",
        "he": "על זה אין לי תשובה; שאלתי אדם מהצוות, והתשובה תגיע כאן.",
    },
    "complaint": {
        "en": "I'm sorry to hear that. I have passed it on to our team, and a person will answer you here.",
        "he": "צר לי לשמוע. העברתי את זה לצוות, והתשובה תגיע כאן.",
    },
    "bot": {
        "en": 'I am an automatic assistant: plain rules, no AI model. Write "a person" and our team answers here.',
        "he": 'כאן עוזר אוטומטי: כללים פשוטים, בלי מודל בינה מלאכותית. אפשר לכתוב "נציג", ואדם מהצוות יענה כאן.',
    },
    "where": {
        "en": "We are at {address}. The map follows.",
        "he": "אנחנו נמצאים כאן: {address}. המפה בהודעה הבאה.",
    },
    "sorry": {
        "en": "I'm sorry, that did not work. Please try again, or wait for a person of our team.",
        "he": "מצטערים, זה לא הצליח. אפשר לנסות שוב, או לחכות לאדם מהצוות.",
    },
}  # fmt: skip

WEEKDAYS: dict[Language, dict[Weekday, str]] = {
    "en": {
        "sunday": "Sun", "monday": "Mon", "tuesday": "Tue", "wednesday": "Wed", "thursday": "Thu", "friday": "Fri",
        "saturday": "Sat",
    },
    "he": {
        "sunday": "א'", "monday": "ב'", "tuesday": "ג'", "wednesday": "ד'", "thursday": "ה'", "friday": "ו'",
        "saturday": "שבת",
    },
}  # fmt: skip


def intents(text: str) -> set[Intent]:
    """Everything that `text` may want."""
    return {intent for intent, pattern in INTENTS.items() if pattern.search(text)}


def say(phrase: Phrase, language: Language, **values: object) -> str:
    return SAY[phrase][language].format(**values)


def asked(phrase: Phrase, text: str) -> bool:
    """Whether `text`, which the assistant said last, ends with the question `phrase`."""
    return any(text.endswith(question.rpartition("}")[2].lstrip(",").strip()) for question in SAY[phrase].values())
