"""What the stand-in says, in its two languages."""

from __future__ import annotations

from typing import Literal

from functions.shared.profile import Language, Weekday

Phrase = Literal[
    "hello", "help", "welcome", "unseen", "hours", "closed", "price", "for_when", "which_service",
    "for_then", "offer",
    "what_time", "booked", "cancelled", "moved", "closed_then", "taken", "past", "too_far", "quarter", "have_then",
    "too_soon", "limit", "too_long", "nearest", "which_of_these", "no_room", "mine", "none", "which_cancel",
    "which_move", "sorry", "known", "asked", "complaint", "bot", "where", "hours_on", "which_move_time",
    "nothing_changed", "only_yours", "how_are_you", "languages", "insult", "never_mind",
    "told", "told_enough", "they_write", "follow_up", "follow_up_about", "follow_up_at", "follow_up_when",
    "follow_up_range", "no_follow_up", "nice_to_meet", "noted", "not_noted", "forgotten", "nothing_noted", "recalled",
    "hello_name", "offer_passed_on", "your_name", "lost", "expensive", "email_noted",
    "lead_price", "lead_offer", "lead_send_offer", "lead_lost", "lead_expensive", "lead_email", "lead_no_room",
    "lead_find_time",
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
        "en": "{service}, gladly. For which day and time?",
        "he": "{service}, בשמחה. לאיזה יום ושעה?",
    },
    "which_service": {
        "en": "{then}{services}. Which service would you like?",
        "he": "{then}{services}. איזה שירות מתאים לך?",
    },
    "for_then": {"en": "For {spoken}: ", "he": "ל{spoken}: "},
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
    "nothing_changed": {
        "en": "All right, nothing is changed.",
        "he": "בסדר, שום דבר לא משתנה.",
    },
    "only_yours": {
        "en": "I can only speak about your own appointments.",
        "he": "אפשר לדבר איתי רק על התורים שלך.",
    },
    "how_are_you": {
        "en": "I'm well, thank you! What can I do for you?",
        "he": "מצוין, תודה! במה אפשר לעזור?",
    },
    "languages": {"en": "I speak {languages}.", "he": "אני מדבר {languages}."},
    "insult": {
        "en": 'I\'m sorry that I am no better help. Write "a person" and our team answers here.',
        "he": 'צר לי שלא הצלחתי לעזור. אפשר לכתוב "נציג", ואדם מהצוות יענה כאן.',
    },
    "never_mind": {
        "en": "All right. Write whenever you need something.",
        "he": "בסדר. אפשר לכתוב לי מתי שצריך.",
    },
    "told": {"en": "I have passed it on to the owner.", "he": "העברתי את זה לבעל העסק."},
    "told_enough": {
        "en": 'I have told the owner enough about this chat for today. Write "a person" and our team answers here.',
        "he": 'כבר העברתי היום כמה הודעות מהשיחה הזאת. אפשר לכתוב "נציג", ואדם מהצוות יענה כאן.',
    },
    "they_write": {"en": "They write: “{words}”", "he": "ההודעה: “{words}”"},
    "follow_up": {
        "en": "You asked me to write to you again: here I am. What can I do for you?",
        "he": "ביקשת שאכתוב לך שוב, אז הנה. במה אפשר לעזור?",
    },
    "follow_up_about": {
        "en": "You wrote to me: “{words}”. Here I am! What can I do for you?",
        "he": "כתבת לי: “{words}”. אז הנה! במה אפשר לעזור?",
    },
    "follow_up_at": {
        "en": "Gladly: I will write to you on {spoken}, unless you write before.",
        "he": "בשמחה: אכתוב לך ב{spoken}, אלא אם תהיה הודעה ממך קודם.",
    },
    "follow_up_when": {"en": "When shall I write to you again?", "he": "מתי לכתוב לך שוב?"},
    "follow_up_range": {
        "en": "I can write to you from one hour to 30 days from now.",
        "he": "אפשר משעה ועד 30 יום מעכשיו.",
    },
    "no_follow_up": {
        "en": "All right, I will not write to you by myself about that.",
        "he": "בסדר, לא אכתוב לך על זה ביוזמתי.",
    },
    "nice_to_meet": {"en": "Nice to meet you, {name}!", "he": "נעים להכיר, {name}!"},
    "noted": {"en": "I have noted that for next time.", "he": "רשמתי את זה לפעמים הבאות."},
    "not_noted": {"en": "That I cannot note here.", "he": "את זה אין באפשרותי לרשום."},
    "forgotten": {"en": "Done, that is forgotten.", "he": "מחקתי, זה כבר לא רשום אצלי."},
    "nothing_noted": {"en": "I have nothing like that noted about you.", "he": "לא רשום אצלי דבר כזה עליך."},
    "recalled": {"en": "I have noted about you: {facts}.", "he": "רשום אצלי עליך: {facts}."},
    "hello_name": {"en": "Hello, {name}!", "he": "שלום, {name}!"},
    "offer_passed_on": {
        "en": "I have passed your request for an offer on; a person of our team will answer you here.",
        "he": "העברתי את הבקשה להצעת מחיר, ואדם מהצוות יענה לך כאן.",
    },
    "your_name": {"en": "What is your name?", "he": "איך קוראים לך?"},
    "lost": {
        "en": "Understood, thank you for telling me. You are welcome here whenever you like.",
        "he": "הבנתי, תודה על העדכון. תמיד אפשר לכתוב לנו שוב.",
    },
    "expensive": {
        "en": "I understand. I have noted it for the owner; the prices are not mine to change.",
        "he": "הבנתי. רשמתי את זה לבעל העסק; לא אני קובע את המחירים.",
    },
    "email_noted": {
        "en": "Thank you, I have noted your e-mail address for our team.",
        "he": "תודה, רשמתי את כתובת המייל בשביל הצוות.",
    },
    "lead_price": {"en": "Asked for the price of: {services}", "he": "שאלו על המחיר של: {services}"},
    "lead_offer": {"en": "Asks for an offer: “{words}”", "he": "מבקשים הצעת מחיר: “{words}”"},
    "lead_send_offer": {"en": "Send an offer", "he": "לשלוח הצעת מחיר"},
    "lead_lost": {"en": "Does not want to: “{words}”", "he": "לא מעוניינים: “{words}”"},
    "lead_expensive": {"en": "Finds it expensive: “{words}”", "he": "יקר להם: “{words}”"},
    "lead_email": {"en": "E-mail: {email}", "he": "מייל: {email}"},
    "lead_no_room": {
        "en": "Wanted an appointment, and nothing was free: “{words}”",
        "he": "רצו תור ולא נמצא מקום: “{words}”",
    },
    "lead_find_time": {"en": "Offer a time", "he": "להציע מועד"},
    "sorry": {
        "en": "I'm sorry, that did not work. Please try again, or wait for a person of our team.",
        "he": "מצטערים, זה לא הצליח. אפשר לנסות שוב, או לחכות לאדם מהצוות.",
    },
}  # fmt: skip

LANGUAGES: dict[Language, dict[Language, str]] = {
    "en": {"en": "English", "he": "Hebrew"},
    "he": {"en": "אנגלית", "he": "עברית"},
}

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


def say(phrase: Phrase, language: Language, **values: object) -> str:
    return SAY[phrase][language].format(**values)


def asked(phrase: Phrase, text: str) -> bool:
    """Whether `text`, which the assistant said last, ends with the question `phrase`."""
    return any(text.endswith(question.rpartition("}")[2].lstrip(",").strip()) for question in SAY[phrase].values())
