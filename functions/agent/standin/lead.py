"""What the stand-in notes for the business about a customer as a lead, in the business's first language."""

from __future__ import annotations

from collections.abc import Iterator

from functions.agent.standin.phrases import Phrase, say
from functions.agent.standin.situation import Call, Situation
from functions.agent.tools.results import NotPossible
from functions.shared.leads import Interest

_NO_ROOM = frozenset({"closed", "taken", "full", "too_soon", "limit"})


def calls(situation: Situation) -> Iterator[Call]:
    """Each thing that was learnt is one call."""
    wants = situation.wants
    if "offer" in wants:
        yield _noted(situation, "lead_offer", interest="hot", next_step="lead_send_offer")
        yield Call("pass_on_question", {"question": situation.said})
    elif "lost" in wants:
        yield _noted(situation, "lead_lost", interest="lost")
    elif "expensive" in wants:
        yield _noted(situation, "lead_expensive")
    elif "price" in wants and situation.profile.services:
        yield _noted(situation, "lead_price")
    if situation.told.email:
        yield _noted(situation, "lead_email")
    if found_nothing(situation):
        yield _noted(situation, "lead_no_room", interest="hot", next_step="lead_find_time")


def found_nothing(situation: Situation) -> bool:
    """Whether the customer wanted to book, and there was nothing to offer."""
    asked = (situation.results.get(tool) for tool in ("book_appointment", "find_free_slots"))
    return any(isinstance(one, NotPossible) and one.reason in _NO_ROOM and not one.nearest for one in asked)


def said(situation: Situation) -> Iterator[str]:
    """What the customer hears of it."""
    language, wants = situation.language, situation.wants
    if "offer" in wants:
        yield say("offer_passed_on", language)
    elif "lost" in wants:
        yield say("lost", language)
    elif "expensive" in wants:
        yield say("expensive", language)
    if situation.told.email:
        yield say("email_noted", language)


def _noted(
    situation: Situation, note: Phrase, *, interest: Interest | None = None, next_step: Phrase | None = None
) -> Call:
    language = situation.profile.languages[0]
    about = situation.named or ((situation.service,) if situation.service else ())
    services = ", ".join(service.name(language) for service in about)
    words = say(note, language, words=situation.said, services=services or "?", email=situation.told.email)
    return Call(
        "update_lead",
        {
            "interest": interest,
            "note": words,
            "tags": [service.name(language) for service in about],
            "next_step": say(next_step, language) if next_step else None,
        },
    )
