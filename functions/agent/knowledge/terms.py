"""The words of a text as they are looked for: without the prefixes that Hebrew writes together, without endings. Pure.

Every word has a few forms, each with a weight: itself, without prefixes, without endings, its beginning. Two words meet
in the best form that they share, so nothing has to decide whether the ל of לחניה belongs to the word.
"""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[א-ת]+(?:[\"״'׳][א-ת]+)*|[^\W_א-ת]+(?:['’-][^\W_א-ת]+)*")
_HEBREW = re.compile(r"[א-ת]")
_FINALS = str.maketrans("ךםןףץ", "כמנפצ")
_PREFIXES = "הובלמשכ"
_ENDINGS_HE = ("יות", "ימ", "ות", "ית", "יי", "ת", "ה", "י")
_ENDINGS_EN = (
    "ations", "ation", "ability", "able", "ible", "ings", "ing", "ments", "ment", "ness", "ies", "ied", "ers", "er",
    "ed", "es", "ly", "s", "y", "e",
)  # fmt: skip
_BEGINNING = 4

_ENGLISH_STOPS = """
a an the and or of to in on at for from by with as is are was were be been am do does did done can could may
might will would shall should must have has had i you he she it we they me my your our their his her its us
them this that these those there here what which who whom whose when where why how any some if so not no yes
please hi hello hey thanks thank want need like know tell get got about much many long far also just only
there's what's i'm i'd it's don't ok okay good
"""
_HEBREW_STOPS = """
של את על עם אל אם או גם כי כן לא זה זו זאת הוא היא הם הן אני אתה אתם אתן אנחנו לי לך לו לה לנו לכם להם שלי שלך
שלו שלה שלנו שלכם שלהם יש אין מה מי מתי איפה איך כמה למה איזה איזו אילו האם אפשר אצלכם אליכם אצל בבקשה תודה
שלום היי רק כל עוד כבר היה הייתי להיות רוצה צריך צריכה יכול יכולה זמן בן בת טוב בסדר קצת לפני אחרי
"""
STOP_WORDS = frozenset(f"{_ENGLISH_STOPS} {_HEBREW_STOPS}".split())
"""Words that are in every question and tell nothing."""

Forms = dict[str, float]
"""Form of a word -> how much meeting in it is worth, up to 1."""


def words(text: str) -> list[str]:
    """The words that tell something, in small letters, without vowel points and final letters' shapes."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    found = (word.replace("’", "'") for word in _WORD.findall(plain))
    return [_normal(word) for word in found if word not in STOP_WORDS and len(word) > 1]


def forms(word: str) -> Forms:
    """All forms of one of `words`."""
    return _hebrew(word) if _HEBREW.search(word) else _english(word)


def _normal(word: str) -> str:
    bare = re.sub(r"[\"״'׳’-]", "", word.removesuffix("'s"))
    return bare.translate(_FINALS).replace("יי", "י").replace("וו", "ו") if _HEBREW.search(bare) else bare


def _hebrew(word: str) -> Forms:
    found: Forms = {word: 1.0}
    bases = [word]
    while len(bases[-1]) > 3 and bases[-1][0] in _PREFIXES and len(bases) <= 3:
        bases.append(bases[-1][1:])
    for base in bases:
        _add(found, base, 0.9)
        for ending in _ENDINGS_HE:
            if base.endswith(ending) and len(base) - len(ending) >= 3:
                _add(found, base.removesuffix(ending), 0.8)
                break
    if len(word) > _BEGINNING:
        _add(found, f"{bases[-1][:_BEGINNING]}…", 0.4)
    return found


def _english(word: str) -> Forms:
    found: Forms = {word: 1.0}
    for ending in _ENDINGS_EN:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word.removesuffix(ending)
            _add(found, stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem, 0.9)
            break
    if len(word) > _BEGINNING + 1:
        _add(found, f"{word[: _BEGINNING + 1]}…", 0.4)
    return found


def _add(found: Forms, form: str, weight: float) -> None:
    found[form] = max(weight, found.get(form, 0.0))
