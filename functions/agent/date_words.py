"""The words of `dates.py`: how Hebrew and English customers spell days and times, as tables of regular expressions.

Everything here runs on text that `normalise` has made lower case, free of vowel points, with one kind of quote.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable

_VOWEL_POINTS_AND_MARKS = re.compile(r"[\u0591-\u05bd\u05bf-\u05c7\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_QUOTES = str.maketrans({"׳": "'", "’": "'", "`": "'", "״": '"', "”": '"', "“": '"', "־": "-", "–": "-", "—": "-"})

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan ינואר", "february feb פברואר", "march mar מרץ מרס", "april apr אפריל", "may מאי",
            "june jun יוני", "july jul יולי", "august aug אוגוסט", "september sept sep ספטמבר", "october oct אוקטובר",
            "november nov נובמבר", "december dec דצמבר",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip

WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon שני ב", "tuesday tues tue שלישי שלשי ג", "wednesday weds wed רביעי רבעי ד",
            "thursday thurs thur thu חמישי חמשי ה", "friday fri שישי ששי ו", "saturday shabbat shabat sat שבת ש",
            "sunday sun ראשון א",
        )
    )
    for name in names.split()
}  # fmt: skip
"""As `date.weekday()` counts: Monday is 0."""

PARTS = {
    name: hours
    for names, hours in (
        ("morning|בוקר|לפני הצהריים", (5, 12)),
        ("צהריים", (11, 17)),
        ("afternoon|אחר הצהריים", (12, 19)),
        ("evening|tonight|ערב", (16, 24)),
        ("night|לילה", (19, 24)),
    )
    for name in names.split("|")
}
"""Part of the day -> its first hour and the one where it ends. After midnight is no part: whose night is it?"""

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_NUMBERS = {
    **{word: number for number, word in enumerate(_ONES, start=1)},
    "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "אחת": 1, "אחד": 1, "שתיים": 2, "שתים": 2, "שניים": 2, "שלוש": 3, "שלושה": 3, "שלשה": 3, "ארבע": 4, "ארבעה": 4,
    "חמש": 5, "חמישה": 5, "חמשה": 5, "שש": 6, "שישה": 6, "ששה": 6, "שבע": 7, "שבעה": 7, "שמונה": 8, "תשע": 9, "תשעה": 9,
    "עשר": 10, "עשרה": 10, "אחת עשרה": 11, "אחד עשר": 11, "שתים עשרה": 12, "שתיים עשרה": 12, "שנים עשר": 12,
    "עשרים": 20, "שלושים": 30, "ארבעים": 40, "חמישים": 50,
    **{f"{tens} {ones}": n * 10 + m for n, tens in ((2, "twenty"), (3, "thirty"), (4, "forty"), (5, "fifty"))
       for m, ones in enumerate(_ONES, start=1)},
}  # fmt: skip


def alternatives(words: dict[str, int]) -> str:
    """The words as one regular expression, longest first so that none hides behind its own beginning."""
    return "|".join(sorted(words, key=len, reverse=True))


MONTH = rf"(?P<month>{alternatives(MONTHS)})\b\.?"
_MONTH_WORD = rf"(?:{alternatives(MONTHS)})"
PART = r"(?P<part>morning|afternoon|evening|tonight|night|(?<=\bב)(?:בוקר|צהריים|ערב|לילה)|(?:אחר|לפני) הצהריים)\b"
"""In Hebrew with its "ב": "ערב" alone is also the eve of something."""
_HEBREW_NUMBER = "|".join(re.escape(w) for w in sorted(_NUMBERS, key=len, reverse=True) if not w.isascii())
_ENGLISH_NUMBER = "|".join(w.replace(" ", "[ -]") for w in sorted(_NUMBERS, key=len, reverse=True) if w.isascii())
_PEOPLE = (
    "people|persons?|guests?|kids|children|child|boys|girls|men|women|adults|friends|haircuts?|cuts|times?|appointments?"
    "|אנשים|איש|ילדים|ילדות|ילד|בנים|בנות|גברים|נשים|מבוגרים|חברים|תספורות|פעמים|תורים|נפשות"
)
_MONEY = r"shekels?|nis|ils|dollars?|usd|euros?|eur|bucks|שקלים|שקל|ש\"ח|שח|דולר|יורו|אגורות"


def _to(match: re.Match[str]) -> str:
    minutes = 15 if match["minutes"] in ("quarter", "רבע") else int(match["minutes"])
    return f"at {(int(match['hour']) - 2) % 12 + 1}:{60 - minutes:02d}" if 0 < minutes < 60 else match[0]


def _past(match: re.Match[str]) -> str:
    words = {"half": 30, "quarter": 15, "חצי": 30, "רבע": 15}
    minutes = words.get(match["minutes"]) or int(match["minutes"])
    return f"at {match['hour']}:{minutes:02d}"


def _number(match: re.Match[str]) -> str:
    word = match["word"].replace("-", " ")
    prefix = match.groupdict().get("prefix")
    return f"{prefix}-{_NUMBERS[word]}" if prefix else str(_NUMBERS[word])


_TYPED = ("tomorrow", *(name for name in (*WEEKDAYS, *MONTHS) if name.isascii() and len(name) > 5 and name != "august"))
_MISSPELT = re.compile(r"\b[a-z]{6,}\b")


def _spelt(match: re.Match[str]) -> str:
    """ "wednsday" as it should be. A name such as Frida is too short to be taken for a slip, a plural is no slip."""
    word = match[0]
    if word.endswith("s") or word in _TYPED:
        return word
    close = difflib.get_close_matches(word, _TYPED, n=1, cutoff=0.86)
    return close[0] if close and close[0][0] == word[0] else word


_SPELLINGS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    # What only looks like a date or a time.
    (r"\bgood (morning|afternoon|evening|night)\b|\bhave a (nice|good|great|lovely) \w+", "|"),
    (r"(בוקר|ערב|יום|שבוע|סופ\"?ש) טוב\b|לילה טוב\b|צהריי?ם טובים|שבת שלום|יום (נעים|נהדר|מקסים)|\b24/7\b", "|"),
    (r"\+?\d{9,}|\b0\d{1,2}[- ]?\d{3}[- ]?\d{4}\b|\+\d[\d -]{7,}\d", "|"),
    (rf"[₪$€]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:[₪$€%]|(?:{_MONEY})\b)", "|"),
    (r"\b(?:price|costs?|מחיר|המחיר|עולה|עולים|עלה)\s+(?:is\s+|הוא\s+)?\d+(?:[.,]\d+)?\b", "|"),
    (r"(?:\bat )?\b\d{1,4} (?:\w+ ){1,3}(?:street|str?|road|rd|avenue|ave|floor)\b\.?", "|"),
    (r"\b(?:room|floor|apartment|flat) \d+", "|"),
    (r"(?:רחוב|רח'|שדרות|שד') (?:[א-ת\"'-]+ ){1,3}\d+|(?:קומה|דירה|חדר|כניסה) \d+", "|"),
    (r"\b(?:son|daughter|kid|child|boy|girl|he|she) is \d{1,2}\b|\b\d{1,2}[ -]?(?:years?[ -]old|yo)\b", "|"),
    (r"\b(?:ה?בן|ה?בת)(?: שלי)? (?:בן|בת) \d{1,2}\b|\b(?:בן|בת) \d{1,2}\b", "|"),
    (r"\bany ?(?:time|slots?|openings?|chance|appointments?)\b", "|"),
    # Slips and slang.
    (_MISSPELT.pattern, _spelt),
    (r"\b(?:tmrw?|tmw|2mor(?:r?ow)?|2moro|tomoro)\b", "tomorrow"),
    (r" ?@ ?", " at "),
    (r"\b(?:2nite|tonite)\b", "tonight"),
    (r"\b2day\b", "today"),
    (r"\bfortnight\b", "2 weeks"),
    (r"\b(?P<n>\d{1,2}(?::\d\d)?) tonight\b", r"tonight at \g<n>"),
    (r"\bby xmas\b", "before 25/12"),
    (r"\b(?:christmas|xmas)(?: day)?\b(?! eve)", "25 december"),
    (r"\b(?:christmas|xmas) eve\b", "24 december"),
    (r"\bnew year'?s eve\b|\bסילבסטר\b", "31 december"),
    (r"\bnew year'?s day\b", "1 january"),
    (r"\bיום אחרי מחר\b", "מחרתיים"),
    (r"\b(?:על הבוקר|בשעות הבוקר)\b", "בבוקר"),
    (r"\bבשעות (?:ה(?=ערב|צהרי)|(?=אחר))", "ב"),
    (r"\bב?(?:מוצאי שבת|מוצ\"?ש)\b", "בשבת בערב"),
    (r"\bbefore (?:noon|lunch|midday)\b", "in the morning"),
    (r"(?<=\d) בחודש\b", " לחודש"),
    (r"(?<=\d)(st|nd|rd|th) (?:of )?this month\b", r"\1"),
    (
        r"\b(?:on )?(?:the )?(\d{1,2})(?:st|nd|rd|th)? of next month\b|\b[בה]-?(\d{1,2}) (?:ל|ב)חודש הבא\b",
        r"next month \1\2",
    ),
    (r"(?<= לחודש) הזה\b", ""),
    (r"\b(\d{1,2} (?:hours?|days?|weeks?|minutes?|min)|an hour|a week) from (?:now|today)\b", r"in \1"),
    # Number words become digits; "one" and "אחת" only where a number is meant.
    (r"צהרים", "צהריים"),
    (r"אחה\"?צ|אחרי? ה?צהריים", "אחר הצהריים"),
    (rf"\bfirst(?= of (?:{_MONTH_WORD})\b)|ראשון(?= [בל]-?{_MONTH_WORD})", "1"),
    (r"\bone(?= (?:haircut|appointment|person|of)\b)", "|"),
    (
        r"(?<!\bat )(?<!\bto )(?<!\bin )(?<!past )(?<!after )(?<!until )(?<!before )\bone\b"
        r"(?! (?:pm|am|o'clock|in the|day|week|hour))",
        "",
    ),
    (rf"\b(?P<word>{_ENGLISH_NUMBER})\b", _number),
    (r"(?<!שעה )(?<![בלמו])\b(?:אחת|אחד)\b(?! עשר)", ""),
    (rf"\b(?P<prefix>[בלמוה])?-?(?P<word>{_HEBREW_NUMBER})\b", _number),
    (rf"\b[בל]?-?(?:\d{{1,3}}|שני|שתי|שלושת) (?:{_PEOPLE})\b", "|"),
    # Spelled times become clock times.
    (r"(?<=\d)\.(?=\d\d\s*[ap]\.?m\b)", ":"),
    (
        r"\b((?:at|around|about|after|before|until|till|בשעה|לשעה|אחרי|לפני|עד|בסביבות)\s(?:ה-?)?\d{1,2})"
        r"\.(?=\d\d\b(?!\.))",
        r"\1:",
    ),
    (r"(\bב-?\d{1,2})\.(?=(?:1[3-9]|[2-5]\d|00)\b)", r"\1:"),
    (
        r"(?:\bat )?(?:\ba )?\b(?P<minutes>half|quarter|\d{1,2})(?: minutes?)? (?:past|after) (?P<hour>\d{1,2})\b(?!:)",
        _past,
    ),
    (
        r"(?:\ba )?\b(?P<minutes>quarter|(?:(?<=\bat )\d{1,2}|\d{1,2}(?= minutes)))(?: minutes)? (?:to|before) "
        r"(?P<hour>\d{1,2})\b(?!:)",
        _to,
    ),
    (r"\bב?-?(?P<minutes>רבע|\d{1,2}(?= דקות))(?: דקות)? ל-?(?P<hour>\d{1,2})\b(?!:)", _to),
    (r"(?P<hour>(?<![\d:/.])\d{1,2}) ו-?(?P<minutes>חצי|רבע|\d{1,2})\b(?: דקות)?(?! ?(?:שע|ימים|שבוע))", _past),
)
_COMPILED = tuple((re.compile(pattern), replacement) for pattern, replacement in _SPELLINGS)

_TIME_WORDS = (
    r"or|not|except|but|any|every|each|last|ago|yesterday|before|until|till|since|starting|after|next|this|maybe|had|was"
    r"|were|midnight|noon|weekend|weeks?|months?|days|hours|minutes|either|earlier|later"
    r"|או|לא|ב?כל|חוץ|אתמול|שלשום|שעברה?|לפני|עד|אחרי|הבאה?|אולי|ב?חצות|ב?מוצאי|ב?מוצ\"?ש|היה|היתה|הייתה|החל|ערב|מיום"
    r"|same|following|mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays"
    r"|ב?ימי|ב?ליל|ב?אותו|ב?אותה"
    r"|[הב]?שבוע|שבועות|[בל]?חודש|ימים|שעות|דקות|שבועיים|יומיים|שעתיים|לפנות"
)
# "may", "march" and "sat" are also other words, and so is a single Hebrew letter.
_NAMES = [n for n in (*MONTHS, *WEEKDAYS) if len(n) > (3 if n.isascii() else 1) and n != "march"]

LEFTOVER = re.compile(rf"\d|n't\b|\bו[א-ו]'|\bו(?= ?\||(?: [א-ו])(?: |$))|\b(?:{'|'.join(_NAMES)}|{_TIME_WORDS})\b")
"""What must not be left when the rules have taken theirs: a word about time that none took changes the meaning."""


_HARMLESS = (
    r"a|about|an|and|any|anything|are|around|arrive|at|available|be|better|book|can|come|could|do|does|exactly"
    r"|fine|for|free|fit|get|good|got|great|have|hello|hey|hi|how|i|i'd|i'll|i'm|im|in|is|it|it's|just|let's|like"
    r"|make|may|me|my|need|o'clock|of|off|ok|okay|on|open|or|over|perfect|place|please|pls|possible|prefer|r|room"
    r"|say|see|sharp|sharpish|so|some|something|spot|still|suits|sure|thank|thanks|that|that's|the|there|thx|till"
    r"|time|to|u|us|want|we|what|what's|will|with|work|works|would|yep|yes|yo|you|your|אגיע|אוכל|אני|אנחנו|אפשר"
    r"|אפשרי|את|בבקשה|בסדר|גם|הייתי|היי|הלו|זה|טוב|יופי|יכול|יכולה|יכולים|יש|כן|לבוא|להגיע|להזמין|לי|לכם|לך|לנו"
    r"|לגבי|לקבוע|לקפוץ|לתור|מה|מעולה|מעוניין|מעוניינת|מקום|משהו|מתאים|מתאימה|נגיע|סבבה|עדיין|פנוי|פנויה|צריך"
    r"|צריכה|קבע|קבעו|קבעי|רוצה|רוצים|רק|שלום|של|תודה|תור|תקבע|תקבעו|תקבעי"
)
_STRANGE = re.compile(rf"\bi have\b|יש לי|(?<![\w'])(?!(?:{_HARMLESS})(?![\w']))[\w']*[^\W\d_][\w']*")


def is_strange(rest: str) -> bool:
    """Whether a word is left that may name a day: "at 4" is today, "on my birthday at 4" is not."""
    return _STRANGE.search(rest) is not None


def normalise(text: str) -> str:
    """`text` in lower case, in one spelling, with number words as digits and what only looks like a time taken out."""
    plain = _VOWEL_POINTS_AND_MARKS.sub("", unicodedata.normalize("NFKC", text)).translate(_QUOTES).lower()
    plain = re.sub(r"\s+", " ", plain).strip()
    for pattern, replacement in _COMPILED:
        plain = pattern.sub(replacement, plain)
    return plain
