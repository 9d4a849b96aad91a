"""The business's own entry that answers a question, found by its words; crude on purpose: sure, or None."""

from __future__ import annotations

import re

from functions.shared.profile import BusinessProfile
from functions.shared.profile_parts import Entry

_WORD = re.compile(r"[^\W\d_]{3,}")
_PREFIXES = re.compile(r"^[והבכלמש]{1,2}(?=\w{3})")
_ENDINGS = re.compile(r"(?<=\w{4})(?:ies|es|s|ers?|ance|ing|y|ים|ות|ה|ת)$")
_COMMON = re.compile(
    r"and|are|can|could|did|does|for|from|have|how|much|one|our|that|the|them|there|they|this|was|what|when|where|which|who"
    r"|will|with|work|you|your|אבל|אחרי|אין|אני|אנחנו|אפשר|אתה|אתם|גם|הוא|היא|זה|יש|כל|כמה|כן|לכם|לפני|מה|עם|של|שלכם"
    r"|אצלכם|לעשות|צריך|רוצה"
)
_TITLE, _TEXT, _ENOUGH = 3, 1, 2


def find(text: str, profile: BusinessProfile) -> Entry | None:
    """The entry that shares a word of its title with `text`, or two of its text."""
    asked = _words(text)
    scored = [
        (_score(asked, entry), -number, entry) for number, entry in enumerate((*profile.knowledge, *profile.policies))
    ]
    best = max(scored, key=lambda one: one[:2], default=None)
    return best[2] if best and best[0] >= _ENOUGH else None


def _score(asked: set[str], entry: Entry) -> int:
    titles = {word for title in entry.title.values() for word in _words(title)}
    texts = {word for text in entry.text.values() for word in _words(text)}
    return _TITLE * len(asked & titles) + _TEXT * len(asked & (texts - titles))


def _words(text: str) -> set[str]:
    """The words that carry meaning, without their commonest prefixes and endings."""
    found = [word for word in _WORD.findall(text.casefold()) if not _COMMON.fullmatch(word)]
    return {_ENDINGS.sub("", _PREFIXES.sub("", word)) for word in found}
