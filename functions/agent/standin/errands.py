"""What customers send the assistant to do besides appointments: tell the owner, write again later, note and forget."""

from __future__ import annotations

from collections.abc import Iterator

from functions.agent.dates import Resolved
from functions.agent.standin import personal
from functions.agent.standin.outcomes import Other
from functions.agent.standin.phrases import say
from functions.agent.standin.situation import Call, Situation
from functions.agent.tools.results import NotPossible
from functions.shared.owners import told

_USUAL_HOUR = 10
"""Of whoever names a day to be written to, and no time."""


def calls(situation: Situation) -> list[Call]:
    """The tools that the errands of this situation need."""
    return [*_errand(situation), *_facts(situation)]


def said(situation: Situation) -> Iterator[str]:
    """What there is to say about them."""
    yield from _of_errand(situation)
    yield from _of_facts(situation)


def _errand(situation: Situation) -> list[Call]:
    errand = situation.errand
    if errand is None:
        return []
    if errand.kind == "no_follow_up":
        return [Call("cancel_follow_up", {})]
    if errand.kind == "follow_up":
        if situation.errand_at is None:
            return []
        return [Call("schedule_follow_up", {"at": _at(situation.errand_at), "text": _reminder(situation)})]
    if not told(situation.profile):
        return [Call("pass_on_question", {"question": errand.words})]
    words = say("they_write", situation.profile.languages[0], words=errand.words)
    return [Call("tell_owner", {"text": words})]


def _at(moment: Resolved) -> str:
    due = moment.start if moment.has_time or moment.start.hour else moment.start.replace(hour=_USUAL_HOUR)
    return due.strftime("%Y-%m-%dT%H:%M")


def _reminder(situation: Situation) -> str:
    """Their own words tell best what it was about."""
    words = " ".join(situation.errand.words.split()) if situation.errand else ""
    if personal.repeatable(words, situation.profile):
        return say("follow_up_about", situation.language, words=words[:200])
    return say("follow_up", situation.language)


def _of_errand(situation: Situation) -> Iterator[str]:
    errand, language = situation.errand, situation.language
    if errand is None:
        return
    if errand.kind == "no_follow_up":
        yield say("no_follow_up", language)
    elif errand.kind == "follow_up":
        scheduled = situation.results.get("schedule_follow_up")
        if isinstance(scheduled, Other):
            yield say("follow_up_at", language, spoken=scheduled.spoken)
            return
        if scheduled:
            yield say("follow_up_range", language)
        yield say("follow_up_when", language)
    elif isinstance(situation.results.get("tell_owner"), NotPossible):
        yield say("told_enough", language)
    else:
        yield say("told", language)


def _facts(situation: Situation) -> list[Call]:
    if "forget" in situation.wants:
        # From the last to the first: each one that goes renumbers those behind it.
        numbers = personal.to_forget(situation.said, situation.facts)
        return [Call("remember_about_customer", {"fact": "", "replaces": n}) for n in sorted(numbers, reverse=True)]
    name = personal.number_of_name(situation.facts)
    return [
        Call("remember_about_customer", {"fact": fact, "replaces": name if personal.name_in([fact]) else None})
        for fact in situation.told.facts
    ]


def _of_facts(situation: Situation) -> Iterator[str]:
    language, told_now = situation.language, situation.told
    noted = situation.results.get("remember_about_customer")
    if "forget" in situation.wants:
        yield say("forgotten" if noted else "nothing_noted", language)
    elif isinstance(noted, NotPossible) or told_now.secret:
        yield say("not_noted", language)
    elif told_now.facts:
        if told_now.name:
            yield say("nice_to_meet", language, name=told_now.name)
        if not told_now.name or len(told_now.facts) > 1:
            yield say("noted", language)
    if "recall" in situation.wants:
        known = [fact for fact in situation.facts if personal.repeatable(fact, situation.profile)]
        yield say("recalled" if known else "nothing_noted", language, facts="; ".join(known))
