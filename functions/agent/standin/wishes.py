"""What the stand-in recognises in a customer's words: what they want, and what they send the assistant to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

Intent = Literal[
    "greeting",
    "thanks",
    "hours",
    "price",
    "services",
    "cancel",
    "move",
    "keep",
    "mine",
    "others",
    "free",
    "book",
    "yes",
    "complaint",
    "bot",
    "where",
    "offer",
    "lost",
    "expensive",
    "forget",
    "recall",
    "how_are_you",
    "languages",
    "insult",
    "never_mind",
]

_PATTERNS: dict[Intent, str] = {
    "greeting": r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|shalom)\b"
    r"|^\W*(?:שלום|היי|הי|אהלן|בוקר טוב|ערב טוב|צהריים טובים|שבוע טוב)(?!\w)",
    "thanks": r"\bthank|\bthx\b|תודה",
    "hours": r"\bhours\b|\bopen(?:ing)?\b|\bclos(?:e|ed|ing)\b|שעות|פתוח|סגור|פותחים|סוגרים",
    "price": r"\bprices?\b|\bcosts?\b|how much|\bcharge\b|\bcheap"
    r"|מחיר|(?<!\w)[שה]?עול(?:ה|ים|ות)(?!\w)|(?<!\w)ה?עלות|כמה זה|(?<!\w)זול",
    "services": r"\bservices\b|what do you (?:do|offer)|שירותים|מה אתם (?:עושים|מציעים)|איזה טיפולים",
    "cancel": r"\bcancel|לבטל|ביטול|\bתבטל|\bבטל|מבטל",
    "move": r"\bmove\b|\breschedule|\bpostpone|\bchange (?:my|the) (?:appointment|time|booking)"
    r"|להזיז|תזיז|לדחות|להקדים|להעביר את|לשנות את (?:התור|השעה|המועד)",
    "keep": r"\b(?:don'?t|do not|didn'?t|did not) (?:want to |wanna )?(?:cancel|move|book|change|reschedule|postpone)"
    r"|(?<!\w)(?:אל|לא)(?: רוצה| רציתי)? [תל]ה?(?:בטל|זיז|קבע|קבוע|דחה|דחות)",
    "mine": r"\bwhen(?:'s| is) my\b|\bwhen my (?:appointment|booking) is\b|\bdo i have\b"
    r"|\bmy (?:appointments|bookings)\b|\b(?:never|didn'?t|did not) (?:book|make|schedule)"
    r"|מתי התור שלי|מתי יש לי|יש לי תור|התורים שלי|אילו תורים|לא (?:קבעתי|הזמנתי)",
    "others": r"\bother (?:customers?|clients?|people)\b|\b(?:someone|somebody) else'?s\b"
    r"|לקוחות אחרים|לקוח אחר|לקוחה אחרת|של מישהו אחר",
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
    r"|\bwho are you\b|\bwhat(?:'s| is) (?:your name|yours)\b"
    r"|(?:את|אתה|אתם|זה|זו) (?:בוט|רובוט|מכונה|בן אדם|אמיתי)(?!\w)"
    r"|איך קוראים ל(?:ך|כם)|מי (?:אתה|את|אתם)(?!\w)|מה (?:השם שלך|שמך)",
    "yes": r"^\W*(?:yes|yep|yeah|sure|ok|okay|great|perfect|fine|the first)\b"
    r"|^\W*(?:כן|בסדר|אוקיי|אוקי|מעולה|סבבה|יופי|מתאים|הראשון)(?!\w)",
    "offer": r"\bquot(?:e|ation)\b|\bestimate\b|\b(?:an|price|special) offer\b|הצעת מחיר|הערכת מחיר",
    "lost": r"\b(?:not|no longer) interested\b|\bfound (?:another|a different|someone|somebody|something) \w+"
    r"|לא מעוני|לא רלוונטי|מצאתי (?:מקום|מישהו|מישהי|משהו) אחר",
    "expensive": r"\b(?:too|so|very) expensive\b|\boverpriced\b|יקר מדי|(?<!\w)יקר לי|יקרים",
    "forget": r"\b(?:forget|delete|erase|remove) (?:what|everything|all|that i|that my"
    r"|my (?:name|preferences?|allerg\w+|details|data|info\w*))\b"
    r"|(?<!\w)(?:תשכח|תמחק|מחק)[וי]? (?:את (?:כל |השם|הפרטים|מה ש|ה?אלרגי|ההעדפ)|כל |מה ש|ש)",
    "recall": r"\bwhat do you (?:know|remember) about me\b|\bdo you (?:know|remember) (?:me|my name|who i am)\b"
    r"|\bwho am i\b|\bwhat(?:'s| is) my name\b"
    r"|מה (?:אתה|את|אתם) (?:יודע|זוכר)(?:ת|ים)? עלי|(?:יודע|זוכר)(?:ת|ים)? (?:אותי|מי אני)"
    r"|איך קוראים לי(?!\w)|מה (?:השם שלי|שמי)|^\W*מי אני",
    "how_are_you": r"\bhow are you\b|\bhow'?s it going\b|\bwhat'?s up\b|מה שלומ|מה נשמע|מה המצב|מה קורה(?! אם)",
    "languages": r"\b(?:do|can) you (?:speak|talk)\b|(?:אתה|את|אתם) (?:מדבר|דובר)",
    "insult": r"\b(?:useless|stupid|idiots?|dumb|worthless|moron)\b|מטומטמ|מטומטם|טיפש|אידיוט|לא שווה כלום|דביל",
    "never_mind": r"^\W*(?:forget (?:about )?it|never ?mind|leave it)\W*$"
    r"|^\W*(?:עזוב|עזבי|עזבו|לא משנה|לא חשוב)(?:\W+(?:לא משנה|לא חשוב|עזוב|תודה))*\W*$",
}
_COMPILED = {intent: re.compile(pattern, re.IGNORECASE) for intent, pattern in _PATTERNS.items()}
_HYPOTHETICAL = re.compile(
    r"\bpolicy\b|\bfees?\b|\bpenalty\b|\bif (?:i|we)\b|\bdid you\b|\bwhy\b|\b(?:until|till) when\b|\bcancell?ations?\b"
    r"|מדיניות|דמי ביטול|קנס|(?<!\w)אם (?:אני|אבטל|אזיז|מבטלים)|(?<!\w)למה|עד מתי|(?:ביטלת|הזזת)",
    re.IGNORECASE,
)
""""What if I cancel?" asks about cancelling, and cancels nothing."""

Kind = Literal["tell", "late", "follow_up", "no_follow_up"]


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that the assistant is sent to do."""

    kind: Kind
    words: str
    """All of the customer's message."""
    begins: int = 0
    """Where in it."""


_TELL = re.compile(
    r"\b(?:tell|inform|notify|update|ask|let) (?:the |your |my )?(?P<who>\w+)"
    r"|(?<!\w)(?:ת(?:גיד|מסור|מסר|עדכנ|עדכן|ודיע|שאל)[וי]?|להגיד|למסור|לעדכן|להודיע) (?:את )?[לה]?(?P<whom>\w+)",
    re.IGNORECASE,
)
_OWNERS = {
    "owner", "boss", "manager", "team", "staff", "barber", "doctor", "dentist", "hygienist", "mechanic",
    "בעלים", "בעל", "בעלת", "בוס", "מנהל", "מנהלת", "צוות", "ספר", "רופא", "רופאה", "שיננית", "מכונאי",
}  # fmt: skip
_CALL = re.compile(
    r"(?<!n't )(?<!nt )(?<!not )\b(?:call|phone|ring) me\b(?-i:(?! [A-Z]))"
    r"|(?<!אל )(?:תתקשר[וי]?|להתקשר|התקשרו|תצלצלו?) אלי",
    re.IGNORECASE,
)
_LATE = re.compile(
    r"\b(?:i'?m|i am|we'?re|we are|(?:i|we)(?:'?ll| will| might|'?m gonna|'?m going to|'?re going to) be|running)"
    r" (?:\w+ ){0,4}late\b(?! (?:to|for) (?:answer|reply))|\bstuck in traffic\b"
    r"|(?<!\w)(?<!אתם )(?:מאחר|מאחרת|אאחר|נאחר|מתעכבת?|אתעכב|נתעכב|באיחור|(?:תקוע|תקועה|תקועים) בפקק)(?!\w)",
    re.IGNORECASE,
)
_FOLLOW_UP = re.compile(
    r"\b(?:write|text|message|ping|contact)(?: to)? me\b|\bsend me a (?:message|reminder)\b"
    r"|\b(?:ask|check (?:in )?with|follow up with) me\b|(?P<remind>\bremind me\b(?! (?:what|when|where|how|who|if)\b))"
    r"|(?<!\w)(?:תכת[בו]\w*|תסמס\w*|לכתוב|תשאל\w*) (?:לי|אותי)|(?:תשלח\w?|לשלוח) לי (?:הודעה|תזכורת)"
    r"|(?P<remind_he>(?<!\w)(?:תזכיר\w?|להזכיר) לי(?! (?:מה|מתי|איפה|איך|מי)(?!\w)))",
    re.IGNORECASE,
)
_AGAIN_LATER = re.compile(
    r"\bagain\b|\blater\b|\bonce more\b|\bin 20\d\d\b"
    r"|שוב|אחר כך|אחרי זה|מאוחר יותר|בהמשך|ב-?20\d\d",
    re.IGNORECASE,
)
_NO_FOLLOW_UP = re.compile(
    r"\b(?:don'?t|do not|no need to) (?:ever )?(?:(?:write|text|message|ping|contact)(?: to)?|remind) me\b"
    r"|(?<!\w)(?:אל|לא צריך|אין צורך)(?: ש)? ?(?:תכת[בו]\w*|תזכיר\w?|תסמס\w*|לכתוב|להזכיר) (?:לי|אותי)",
    re.IGNORECASE,
)


def intents(text: str) -> set[Intent]:
    """Everything that `text` may want."""
    found = {intent for intent, pattern in _COMPILED.items() if pattern.search(text)}
    if found & {"cancel", "move"} and _HYPOTHETICAL.search(text):
        found -= {"cancel", "move", "price", "book", "free"}
    if "offer" in found:
        found.discard("price")  # "הצעת מחיר"
    for narrower, wider in _NARROWER:
        if narrower in found:
            found -= wider
    return found


_APPOINTMENT: frozenset[Intent] = frozenset({"cancel", "move", "mine", "free", "book"})
_NARROWER: tuple[tuple[Intent, frozenset[Intent]], ...] = (
    ("keep", _APPOINTMENT),
    ("others", _APPOINTMENT),
    ("mine", frozenset({"book", "free"})),
    ("cancel", frozenset({"book", "free"})),
    ("move", frozenset({"book", "free"})),
    ("lost", frozenset({"thanks"})),
    ("recall", frozenset({"bot"})),
)


def errand(text: str, *, owners: Collection[str], names_a_time: Callable[[str], bool]) -> tuple[str, Errand | None]:
    """What `text` sends the assistant to do, and what it says before that; all of it if it holds no errand.

    `owners` are words, in small letters, that stand for the owner too; "write me" alone asks for nothing later.
    """
    if found := _NO_FOLLOW_UP.search(text):
        return text[: found.start()], Errand("no_follow_up", text, found.start())
    for match in _TELL.finditer(text):
        if (match["who"] or match["whom"]).casefold() in {*_OWNERS, *owners}:
            return text[: match.start()], Errand("tell", text, match.start())
    found = _FOLLOW_UP.search(text)
    if found and (
        found["remind"] or found["remind_he"] or _AGAIN_LATER.search(text) or names_a_time(text[found.start() :])
    ):
        return text[: found.start()], Errand("follow_up", text, found.start())
    if found := _CALL.search(text):
        return text[: found.start()], Errand("tell", text, found.start())
    found = _LATE.search(text)
    if found and not intents(text) & {"cancel", "move"}:
        return text[: found.start()], Errand("late", text, found.start())
    return text, None
