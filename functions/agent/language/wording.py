"""From the model's answer to what the customer reads: refused where it must not go out, put into WhatsApp's form else.

Pure. A refused answer fails its turn: the turn is repeated, and at the last time a person is called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from functions.agent import prompts, room
from functions.agent.language.links import foreign_links
from functions.agent.tools.all import TOOLS
from functions.shared.profile import BusinessProfile, Language

MAX_PART = 1_500
"""Characters of one message. WhatsApp takes 65,536, but folds what is longer than a screen behind "read more"."""
ENOUGH_LETTERS = 20
"""A shorter answer may be a name or a thank you in any language."""

_SCRIPT: dict[Language, re.Pattern[str]] = {"he": re.compile("[א-ת]"), "en": re.compile("[A-Za-z]")}
_NAMES_A_LANGUAGE = re.compile(
    r"english|hebrew|arabic|russian|french|spanish|translate|אנגלית|עברית|ערבית|רוסית|צרפתית|ספרדית|תרגם|לתרגם",
    re.IGNORECASE,
)
_INTERNAL = tuple(
    text.casefold() for text in (*(tool.name for tool in TOOLS), "booking_id", "not_possible", *prompts.rule_lines())
)

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\r\n?"), "\n"),
    (re.compile(r"```[a-z]*\n?|```"), ""),
    (re.compile(r"!?\[([^\]\n]+)\]\(([^)\s]+)\)"), r"\1: \2"),
    (re.compile(r"^ {0,3}#{1,6} +(?:\*\*)?(.+?)(?:\*\*)?[ #]*$", re.MULTILINE), r"*\1*"),
    (re.compile(r"\*{2,}(?=\S)([^*\n]+?)(?<=\S)\*{2,}"), r"*\1*"),
    (re.compile(r"__(?=\S)([^_\n]+?)(?<=\S)__"), r"*\1*"),
    (re.compile(r"^( *)\* +", re.MULTILINE), r"\1- "),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
    (re.compile(r"\n{3,}"), "\n\n"),
)


class AnswerRefusedError(Exception):
    """The model's answer must not go out. The text says why, without quoting it."""


def worded(text: str, profile: BusinessProfile, asked: Sequence[str], language: Language) -> list[str]:
    """The messages to send, in order: one, or a few if the answer is long.

    `asked` are the customer's texts of this turn; `language` is what they are in. Raises AnswerRefusedError.
    """
    formed = whatsapp(text)
    if found := internal_text(formed):
        raise AnswerRefusedError(f"it names what is internal: {found!r}")
    if hosts := foreign_links(formed, profile):
        raise AnswerRefusedError(f"{len(hosts)} links in it are not the business's own")
    if in_another_language(formed, asked, language):
        raise AnswerRefusedError(f"it is not in the customer's language, {language}")
    return parts(formed)


def whatsapp(text: str) -> str:
    """Markdown as WhatsApp shows it: *bold* with single asterisks, no headings, links written out."""
    for pattern, form in _FORMS:
        text = pattern.sub(form, text)
    return text.strip()


def internal_text(text: str) -> str | None:
    """A tool's name or a rule of the instructions in `text`; None if there is none."""
    lowered = " ".join(text.casefold().split())
    return next((internal for internal in _INTERNAL if internal in lowered), None)


def in_another_language(text: str, asked: Sequence[str], language: Language) -> bool:
    """Whether nothing of `text` is in the customer's script, though they wrote in it and asked for no other."""
    wrote = any(_SCRIPT[language].search(one) for one in asked)
    if not wrote or any(_NAMES_A_LANGUAGE.search(one) for one in asked):
        return False
    other: Language = "en" if language == "he" else "he"
    return not _SCRIPT[language].search(text) and len(_SCRIPT[other].findall(text)) >= ENOUGH_LETTERS


def parts(text: str) -> list[str]:
    """`text` in a few messages, cut between paragraphs, lines, sentences or words; what is more is left out."""
    found: list[str] = []
    rest = text
    while len(rest) > MAX_PART and len(found) < room.MAX_PARTS - 1:
        at = _cut(rest, MAX_PART)
        found.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    if len(rest) > MAX_PART:
        rest = f"{rest[: _cut(rest, MAX_PART - 1)].rstrip()}…"
    return [part for part in (*found, rest) if part]


def _cut(text: str, limit: int) -> int:
    """Where to cut, 1 .. limit: behind the last good place in the second half."""
    for mark in ("\n\n", "\n", ". ", "! ", "? ", " "):
        at = text.rfind(mark, limit // 2, limit - len(mark) + 1)
        if at > 0:
            return at + len(mark)
    return limit
