"""What a customer is told, in their own language, when the assistant cannot go on: by whoever notices it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from functions.shared.profile_parts import Language

A_PERSON_WILL_ANSWER: dict[Language, str] = {
    "en": "I am the automatic assistant and I'm sorry, I can't answer this properly right now. A person from our "
    "team will get back to you here.",
    "he": "כאן העוזר האוטומטי. מצטערים, אין באפשרותי לענות על זה כמו שצריך כרגע. אדם מהצוות שלנו יחזור אליכם כאן.",
}

_HEBREW_LETTER = re.compile(r"[א-ת]")
_LATIN_LETTER = re.compile(r"[A-Za-z]")


def language_of(texts: Iterable[str], default: Language) -> Language:
    """The language of the last text that shows one by its script."""
    language = default
    for text in texts:
        hebrew, latin = len(_HEBREW_LETTER.findall(text)), len(_LATIN_LETTER.findall(text))
        if hebrew or latin:
            language = "he" if hebrew * 2 >= latin else "en"
    return language
