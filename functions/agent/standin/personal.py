"""What customers tell about themselves, word by word where a rule is sure: a name, an allergy, a preference."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.agent.language.links import foreign_links
from functions.agent.standin.wishes import intents
from functions.shared.profile import BusinessProfile, Language

_END = r"(?=\s*(?:[.,;!?\n]|$|\b(?:and|but)\b|(?<!\w)(?:ואני|אבל|ואפשר|ו?איך)(?!\w)))"
_PART = rf"(?P<what>[^.,;!?\n]+?){_END}"
_NAME = r"(?P<name>[^\W\d_][\w'’׳-]*(?: [^\W\d_][\w'’׳-]*)?)(?=\W*(?:$|[.,;!?\n]|\band\b|(?<!\w)ו(?:אני|איך|אפשר)))"
_NAMED = re.compile(
    rf"\b(?:my name is|my name's|you can call me|i am called) {_NAME}"
    rf"|(?<!\w)(?<!איך )(?<!לא )ו?(?:קוראים לי|שמי|השם שלי(?: הוא)?) {_NAME.replace('name>', 'name_he>')}",
    re.IGNORECASE,
)
# "This is great", "call me tomorrow": only the capital tells a name.
_CAPITAL = re.compile(rf"\b(?:[Cc]all me|[Tt]his is) (?=[A-Z]){_NAME}")
_NO_NAME = {
    "not", "no", "none", "yes", "on", "a", "an", "the", "important", "private", "secret", "here", "there", "back",
    "later", "tomorrow", "today", "now", "maybe", "urgent", "what", "who", "why", "please", "whatever",
    "לא", "אין", "כן", "זה", "כאן", "חשוב", "סודי", "פרטי", "מה", "מי", "למה", "מחר", "היום", "עכשיו", "בבקשה",
}  # fmt: skip
_ALONE = re.compile(r"\W*(?P<name>[^\W\d_][\w'’׳-]*(?: [^\W\d_][\w'’׳-]*){0,2})\W*")
_ALLERGIC = re.compile(
    rf"\b(?:i'?m|i am) allergic to {_PART}|(?<!\w)ו?(?:אני אלרגית?|יש לי אלרגיה) {_PART.replace('what>', 'what_he>')}",
    re.IGNORECASE,
)
_PREFERS = re.compile(
    rf"\bi (?:always |usually )?prefer {_PART}"
    rf"|(?<!\w)ו?אני (?:תמיד )?מעדי(?:ף|פה) {_PART.replace('what>', 'what_he>')}",
    re.IGNORECASE,
)
_TO_REMEMBER = re.compile(
    r"\b(?:remember|(?:please )?note) that (?P<what>[^.!?\n]+)"
    r"|(?<!\w)(?:תזכר|תזכור|תזכר[וי]|תרשום|תרשמ[וי]|לזכור) ש(?P<what_he>[^.!?\n]+)",
    re.IGNORECASE,
)
_SECRET = re.compile(r"password|\bpin\b|\bcvv\b|card number|סיסמ|קוד סודי|כרטיס אשראי|\d[\d -]{6,}\d", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CALLED: dict[Language, str] = {"en": "is called {}", "he": "השם: {}"}
_ALLERGY: dict[Language, str] = {"en": "is allergic to {}", "he": "אלרגיה {}"}
_PREFERENCE: dict[Language, str] = {"en": "prefers {}", "he": "העדפה: {}"}
_IS_CALLED = re.compile(r"(?:is called|השם:) (.+)")
_ALL = re.compile(r"everything|\ball\b|\bwhat you|data|details|info|כל מה|הכו?ל|מה ש|פרטים", re.IGNORECASE)
_A_NAME = re.compile(r"\bname\b|השם|שמי", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """What the customer told about themselves."""

    name: str | None = None
    facts: tuple[str, ...] = ()
    """As they are noted, the name among them."""
    email: str | None = None
    secret: bool = False
    """Something that is not noted, though they asked for it."""


def told(
    texts: Sequence[str], language: Language, *, name_was_asked: bool, is_plan: Callable[[str], bool]
) -> tuple[Told, list[str]]:
    """What the texts tell, and what is left of them. `is_plan` is true of words about an appointment: "I prefer Tuesday
    at 10" is no habit."""
    found = Told()
    rest: list[str] = []
    for text in texts:
        if "forget" in intents(text):
            rest.append(text)
            continue
        one, left = _told(text, language, name_was_asked=name_was_asked, is_plan=is_plan)
        found = Told(
            one.name or found.name, (*found.facts, *one.facts), one.email or found.email, one.secret or found.secret
        )
        rest.append(left)
    return found, rest


def _told(text: str, language: Language, *, name_was_asked: bool, is_plan: Callable[[str], bool]) -> tuple[Told, str]:
    facts: list[str] = []
    name = email = None
    if match := _EMAIL.search(text):
        email, text = match[0], _without(text, match)
    if (match := _TO_REMEMBER.search(text)) and not is_plan(_group(match, "what")):
        if _SECRET.search(text):
            return Told(email=email, secret=True), _without(text, match)
        facts.append(f"“{_group(match, 'what')}”")
        text = _without(text, match)
    for pattern, said in ((_ALLERGIC, _ALLERGY), (_PREFERS, _PREFERENCE)):
        match = pattern.search(text)
        if match and not is_plan(_group(match, "what")):
            facts.append(said[language].format(_group(match, "what")))
            text = _without(text, match)
    match = _NAMED.search(text) or _CAPITAL.search(text)
    if match is None and name_was_asked and not intents(text) and "?" not in text and not is_plan(text):
        match = _ALONE.fullmatch(text)
    if match and not set(_group(match, "name").casefold().split()) & _NO_NAME:
        name, text = _group(match, "name"), _without(text, match)
        facts.insert(0, _CALLED[language].format(name))
    return Told(name, tuple(facts), email), text


def name_in(facts: Sequence[str]) -> str | None:
    """The customer's name, if it is among the facts."""
    return next((match[1] for fact in facts if (match := _IS_CALLED.fullmatch(fact))), None)


def number_of_name(facts: Sequence[str]) -> int | None:
    """The number of the fact that is their name, from 1."""
    return next((number for number, fact in enumerate(facts, start=1) if _IS_CALLED.fullmatch(fact)), None)


def to_forget(text: str, facts: Sequence[str]) -> list[int]:
    """The numbers, from 1, of the facts that `text` wants forgotten."""
    if _A_NAME.search(text):
        number = number_of_name(facts)
        return [number] if number else []
    if _ALL.search(text):
        return list(range(1, len(facts) + 1))
    words = set(re.findall(r"\w{4,}", text.casefold()))
    return [number for number, fact in enumerate(facts, start=1) if words & set(re.findall(r"\w{4,}", fact.casefold()))]


def repeatable(words: str, profile: BusinessProfile) -> bool:
    """Whether a message may quote `words`: what holds a foreign link, or looks like a tool's name, is refused there."""
    return not foreign_links(words, profile) and "_" not in words


def _group(match: re.Match[str], name: str) -> str:
    """What stands in the group of that name, in whichever language it matched."""
    groups = match.groupdict()
    return " ".join((groups[name] or groups[f"{name}_he"]).split())


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}".strip(" ,.;!")
