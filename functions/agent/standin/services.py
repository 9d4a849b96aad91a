"""Which of the business's services a customer means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from functions.agent.standin import outcomes
from functions.agent.standin.phrases import asked
from functions.agent.tools.results import Booked
from functions.shared.profile import BusinessProfile, Service

LISTED = 8
"""How many are named when it is asked which one."""

_ORDINALS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(rf"\W*(?:the )?(?:{number}|{english})(?: one)?\W*|\W*ה?(?:{hebrew})\W*", re.IGNORECASE)
    for number, english, hebrew in (
        (1, "first|1st", "ראשונה?"),
        (2, "second|2nd", "שנייה|שניה|שני"),
        (3, "third|3rd", "שלישית?"),
        (4, "fourth|4th", "רביעית?"),
        (5, "fifth|5th", "חמישית?"),
    )
)
_SAME = re.compile(
    r"\banother\b|\bone more\b|\bagain\b|\bthe same\b|\busual\b|(?<!\w)(?:עוד (?:תור|אחד|אחת|פעם)|שוב|כרגיל|אותו דבר)",
    re.IGNORECASE,
)


def named(text: str, profile: BusinessProfile) -> tuple[Service, ...]:
    """The services that `text` names; "haircut and beard" is one of its own, and no haircut."""
    lowered = text.casefold()
    found = sorted(((n.casefold(), s) for s in profile.services for n in s.all_names), key=lambda p: -len(p[0]))
    services: dict[str, Service] = {}
    for name, service in found:
        if name in lowered:
            lowered = lowered.replace(name, "|")
            services[service.id] = service
    return tuple(service for service in profile.services if service.id in services)


def without(text: str, profile: BusinessProfile) -> str:
    """ "An oil change for 15000" holds no time."""
    names = sorted((n for s in profile.services for n in s.all_names), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, names)), "|", text, flags=re.IGNORECASE) if names else text


def chosen(text: str, said: str, profile: BusinessProfile) -> Service | None:
    """The one that "the second" means, if the assistant, which said `said`, asked which one."""
    if not asked("which_service", said):
        return None
    fitting = (
        service for service, ordinal in zip(profile.services, _ORDINALS, strict=False) if ordinal.fullmatch(text)
    )
    return next(fitting, None)


def before(
    items: Sequence[Mapping[str, object]], said: str, texts: Sequence[str], profile: BusinessProfile
) -> Service | None:
    """The service that was talked about since the last booking; that of the booking, if it is to be the same again.

    `items` end with what the assistant said last, `said`; `texts` are what the customer writes now.
    """
    if len(profile.services) == 1:
        return profile.services[0]
    if asked("for_when", said) and len(one := named(said, profile)) == 1:
        return one[0]
    for item in reversed(items):
        if item.get("type") == "function_call_output" and isinstance(booked := outcomes.of(item), Booked):
            again = any(_SAME.search(text) for text in texts)
            return next((s for s in profile.services if again and booked.service in s.all_names), None)
        if item.get("type") == "function_call" and (one := _asked_about(item, profile)):
            return one[0]
        if item.get("role") == "user" and len(one := named(str(item["content"]), profile)) == 1:
            return one[0]
    return None


def _asked_about(item: Mapping[str, object], profile: BusinessProfile) -> tuple[Service, ...]:
    """The service that a calendar tool was called with."""
    if item["name"] not in ("find_free_slots", "book_appointment"):
        return ()
    wanted = json.loads(str(item["arguments"])).get("service")
    return tuple(service for service in profile.services if service.id == wanted)
