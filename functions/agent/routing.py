"""What a customer wants, by rules that no model can overrule, and only where they are sure.

Opting out, opting in and asking for a person are hard rules. An opt-out must be all that a message says: "stop" is one,
"can I stop by at five" is a visit. The other intents are for the record and the metrics; unsure is `other`.
Regular expressions are precise and answer few unseen phrases, so the other intents only narrow: see intents.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Hard = Literal["opt_out", "opt_in", "person"]
Intent = Literal[
    "booking", "change", "cancel", "price", "info", "invoice", "complaint", "person", "opt_out", "opt_in", "other"
]

_POLITE = r"(?:please|pls|thanks?|thank you|now|ok|hi|hello|hey|בבקשה|נא|תודה|שלום|היי|עכשיו|כבר|אבקש|מבקש|מבקשת)"
_AGAIN = r"(?: (?:again|any ?more|ever|ever again|now|יותר|שוב|לעולם))*"
_LIST_HE = r"(?: (?:מה|מ)?(?:רשימה|רשימת (?:ה)?(?:תפוצה|דיוור)|רשימות)(?: שלכם)?)"

_OPT_OUT = (
    r"stop(?: it| all| this| the messages)?|stopall|unstop me|unsubscribe(?: me)?",
    r"(?:i (?:want|would like) to )?opt ?out",
    r"(?:remove|delete|take) me(?: off| from)?(?: (?:your|the|this|all))?(?: (?:mailing )?lists?)?",
    r"(?:i want you to )?stop (?:messaging|texting|contacting|writing to|spamming|writing) (?:me|us)",
    r"stop sending(?: me| us)?(?: (?:any|these|your))?(?: (?:messages|texts|ads|spam))?",
    r"(?:do not|dont|never) (?:message|text|contact|write to|write) (?:me|us)",
    r"no more (?:messages|texts|spam|ads)|leave me alone",
    r"(?:ל)?הסר(?:ה|ת)?(?: אותי)?|הסיר(?:ו|י)(?: אותי| אותנו)?|(?:ת|ל)הסיר(?:ו|י)?(?: אותי| אותנו)?"
    r"|תסיר(?:ו|י)?(?: אותי| אותנו)?|להסיר(?: אותי| אותנו)?",
    rf"(?:הסיר(?:ו|י)|הסר|תסיר(?:ו|י)?|להסיר|תוריד(?:ו|י)?|הוריד(?:ו|י)|תמחק(?:ו|י)?) אותי{_LIST_HE}",
    r"אל תשלח(?:ו|י)? (?:לי|לנו)(?: יותר)?(?: (?:הודעות|פרסומות|פרסום))?",
    r"(?:תפסיק(?:ו|י)?|להפסיק|הפסיק(?:ו|י)|הפסק) לשלוח(?: (?:לי|לנו))?(?: (?:הודעות|פרסומות))?",
    r"תפסיק(?:ו|י)?|הפסיקו|הפסק|עצור|עצרו",
    r"(?:אני |אנחנו )?לא (?:רוצה|רוצים|מעוניין|מעוניינת|מעוניינים) לקבל(?: מכם)?(?: יותר)?"
    r" (?:הודעות|פרסומות)(?: מכם)?",
    r"(?:ת)?עז(?:ו)?ב(?:ו|י)? אותי(?: בשקט| במנוחה)?",
)
_OPT_IN = (
    r"start|unstop|subscribe(?: me)?|(?:i want to )?opt ?in|sign me up(?: again)?|resubscribe",
    r"(?:אני )?(?:רוצה )?(?:ל)?הצטרף|הצטרפות|(?:אני )?(?:רוצה )?להצטרף|הצטרפתי|התחל|התחילו|תצרפו אותי",
    rf"תחזיר(?:ו|י)? אותי(?: ל(?:רשימה|רשימת התפוצה))?|תוסיפו אותי(?:{_LIST_HE}| לרשימה)?",
)

_HUMAN_EN = (
    r"(?:(?:an?|the|some|your|real|live|actual|human) )*"
    r"(?:human(?: being)?|person|someone|somebody|agent|rep|representative|operator|manager|owner|boss)"
)
_HUMAN_HE = (
    r"(?:ה)?(?:נציג|נציגה|בן אדם|בנאדם|אדם|מישהו|מישהי|מנהל|מנהלת|בעל העסק|בעלת העסק|בעל הבית|בעלים|אחראי|אחראית)"
    r"(?: (?:אנושי|אנושית|אמיתי|אמיתית|מהצוות|שירות|אחר))?"
)
_PERSON = (
    rf"\b(?:talk|speak|chat) (?:to|with) {_HUMAN_EN}\b",
    rf"\b(?:connect|transfer|put|pass|forward|get) me (?:through )?(?:to|with|over to)? ?{_HUMAN_EN}\b",
    rf"\b(?:want|need|give me|get|have) {_HUMAN_EN} (?:not|instead of|rather than) an? (?:bot|robot|machine)\b",
    rf"\b(?:can i (?:get|have)|give me|i (?:want|need)) {_HUMAN_EN}$",
    r"\b(?:human|person|someone|somebody) (?:that )?(?:i|we) can (?:talk|speak) (?:to|with)\b",
    r"\b(?:have|let|can|could|ask) (?:someone|somebody|a person|the owner|the manager) (?:to )?(?:please )?"
    r"(?:call|phone|ring|contact) me\b",
    rf"(?:לדבר|לשוחח|להתכתב|דיבור|שיחה) עם {_HUMAN_HE}(?!\w)",
    rf"(?:תעביר(?:ו|י)?|להעביר|העביר(?:ו|י)|תחבר(?:ו|י)?|לחבר) אותי (?:ל|אל ה?|עם ){_HUMAN_HE}(?!\w)",
    rf"(?:אפשר|תנו לי|תן לי|תני לי|רוצה|צריך|צריכה|מבקש|מבקשת) {_HUMAN_HE}$",
    r"(?:ש)?מישהו (?:מהצוות )?(?:ש)?(?:יחזור|יתקשר|ידבר|יצור קשר)(?: (?:אליי|אלי|אלינו|איתי))",
    r"(?:שיחזרו|שיתקשרו|תתקשר(?:ו|י)?|תחזר(?:ו|י)?|תחזור|התקשרו|חזרו) (?:אליי|אלי|אלינו)(?: טלפונית| בטלפון)?$",
    r"מישהו (?:אמיתי|אנושי)? ?שאפשר לדבר (?:איתו|אתו)",
    r"(?:רוצה|צריך|צריכה|אפשר|מבקש|מבקשת) מענה אנושי",
)
_PERSON_ALONE = (
    r"(?:a |an |real |live |actual )*(?:human|person|agent|representative|operator|human agent)",
    r"customer (?:service|support)|support agent",
    rf"{_HUMAN_HE}|שירות לקוחות|מענה אנושי",
)
_NOT_WANTED = (
    r"\b(?:do not|dont|no need to|not|without|never) (?:\w+ ){0,3}(?:talk|speak|chat|call|phone|connect|transfer)",
    r"(?:לא|אל|בלי|אין צורך) (?:\w+ ){0,2}(?:לדבר|לשוחח|תתקשר\w*|תחזר\w*|להעביר|תעביר\w*|נציג)",
)

_INTENTS: tuple[tuple[Intent, str], ...] = (
    ("complaint", r"\bcomplain(?:t|ing)?\b|\bterrible\b|\bawful\b|\brefund\b|\bdisappointed\b|להתלונן|תלונה|שירות גרוע"
                  r"|החזר כספי|מאוכזב|שערורי"),
    ("invoice", r"\binvoices?\b|\breceipts?\b|חשבונית|חשבוניות|(?<!\w)ה?קבלה(?!\w)"),
    ("change", r"\bmove (?:my|the|our)\b|\breschedul|\bpostpone|\bchange (?:my|the|our) (?:appointment|booking|time)"
               r"|להזיז|תזיז|לדחות|להקדים|לשנות את (?:התור|השעה|המועד)"),
    ("cancel", r"\bcancel|לבטל|ביטול|(?<!\w)תבטל"),
    ("booking", r"\bbook\b|\bmake an appointment\b|\bschedule an?\b|\banything (?:free|available)\b|\bopenings\b"
                r"|לקבוע (?:תור|פגישה)|(?:תור|מקום) פנוי|להזמין (?:תור|מקום)|תקבע(?:ו|י)? לי"),
    ("price", r"\bprices?\b|\bhow much\b|\bcosts?\b|כמה (?:זה )?(?:עולה|עולים)|מחיר"),
    ("info", r"\b(?:are|do) you open\b|\bopening hours\b|\bwhere are you\b|\baddress\b|\bparking\b|שעות (?:ה)?פתיחה"
             r"|פתוחים|איפה אתם|כתובת|חניה"),
)  # fmt: skip
_APPOINTMENTS = frozenset({"change", "cancel", "booking"})
_PATTERNS = tuple((intent, re.compile(pattern)) for intent, pattern in _INTENTS)


def _whole(patterns: Sequence[str], behind: str = "") -> re.Pattern[str]:
    return re.compile(rf"(?:{_POLITE} )*(?:{'|'.join(patterns)}){behind}(?: {_POLITE})*")


_OUT, _IN, _ALONE = _whole(_OPT_OUT, _AGAIN), _whole(_OPT_IN, _AGAIN), _whole(_PERSON_ALONE)
_ASKED = re.compile("|".join(_PERSON))
_REFUSED = re.compile("|".join(_NOT_WANTED))
_MARKS = re.compile(r"[^\w\s]|_")


def plain(text: str) -> str:
    """Small letters and single spaces: no punctuation, no vowel points, no emoji, and `don't` is `dont`."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    joined = re.sub(r"(?<=\w)['’`׳\"״](?=\w)", "", letters.casefold())
    return " ".join(_MARKS.sub(" ", joined).split())


def hard_rule(text: str) -> Hard | None:
    """The hard rule that one message of a customer is under, in Hebrew or English."""
    said = plain(text)
    if _OUT.fullmatch(said):
        return "opt_out"
    if _IN.fullmatch(said):
        return "opt_in"
    asks = _ALONE.fullmatch(said) or _ASKED.search(_without_politeness(said))
    return "person" if asks and not _REFUSED.search(said) else None


@dataclass(frozen=True, slots=True)
class Consent:
    """The customer's last word about the assistant: number `position`, from 0, of the texts."""

    change: Literal["opted_out", "opted_in"]
    position: int


def consent(texts: Sequence[str], *, opted_out: bool) -> Consent | None:
    """What the texts change, if anything: the last word counts. Who never opted out opts in to nothing by "start"."""
    found: Consent | None = None
    for position, text in enumerate(texts):
        rule = hard_rule(text)
        if rule == "opt_out":
            found = Consent("opted_out", position)
        elif rule == "opt_in" and (opted_out or found is not None):
            found = Consent("opted_in", position)
    return found


def intent_of(texts: Sequence[str]) -> Intent:
    """What the texts of one turn want, if they want one thing; `person` wins over everything."""
    if any(hard_rule(text) == "person" for text in texts):
        return "person"
    said = " ".join(plain(text) for text in texts)
    found = [intent for intent, pattern in _PATTERNS if pattern.search(said)]
    if found and _APPOINTMENTS.issuperset(found):
        return found[0]  # "cancel the one I booked": the table's order says which of them is meant
    return found[0] if len(found) == 1 else "other"


def _without_politeness(said: str) -> str:
    return re.sub(rf"(?: {_POLITE})+$", "", said)
