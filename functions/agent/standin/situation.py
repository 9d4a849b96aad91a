"""What the stand-in makes of its input: what the customer wants, which service, when, and what the tools answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from pydantic import JsonValue

from functions.agent.dates import Resolved, resolve
from functions.agent.language import speech
from functions.agent.memory import history
from functions.agent.standin import outcomes, personal, services, wishes
from functions.agent.standin.outcomes import Other
from functions.agent.standin.personal import Told
from functions.agent.standin.phrases import asked
from functions.agent.standin.wishes import Errand, Intent, intents
from functions.agent.tools.results import Appointments, Listed, Outcome
from functions.shared.profile import BusinessProfile, Language, Service

_DESCRIBED = re.compile(
    rf"(?:{re.escape(history.NOT_READABLE)})?"
    r"\[(?:an earlier message was changed to: (?P<changed>.*)|[^\]]*)\]\s*(?P<caption>.*)$",
    re.DOTALL,
)
"""What `functions/shared/words.py` makes of a message that is no text."""
_QUESTION = re.compile(
    r"\w.*\?|^\W*(?:do|does|is|are|can|could|what|where|when|who|why|how|which|have you|any)\b"
    r"|(?<!\w)(?:האם|מה|איפה|היכן|מתי|מי|למה|איך|כמה|יש לכם|יש אצלכם|אתם|ניתן)(?!\w)",
    re.IGNORECASE,
)
_BARE_TIME = re.compile(
    r"\W*(?:(?:actually|no|rather|better|make it|let'?s (?:say|do)|say|at|בעצם|עדיף|לא|אז|נגיד)\W+)*"
    r"(?P<time>\d{1,2}(?::\d\d)?)(?:\W+(?:please|instead|then|בבקשה))?\W*",
    re.IGNORECASE,
)
_NO_BOOKING: frozenset[Intent] = frozenset(
    {"hours", "price", "services", "cancel", "move", "keep", "mine", "others", "where", "offer", "lost", "forget"}
)
"""Whoever wants one of these and names a day or a service does not mean an appointment by it."""
_NO_ANSWER: frozenset[Intent] = frozenset(
    {"cancel", "move", "keep", "mine", "others", "offer", "lost", "forget", "never_mind", "thanks"}
)
"""Whoever wants one of these has left the question which service it shall be."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool."""

    tool: str
    arguments: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the stand-in makes of its input."""

    profile: BusinessProfile
    language: Language
    first_contact: bool
    unseen: bool
    wants: frozenset[Intent]
    other: tuple[str, ...]
    """Questions that want nothing of that, and name neither a service nor a time."""
    said: str
    """All that the customer wrote since the last answer."""
    hours_on: date | None
    """The day whose hours are asked for."""
    named: tuple[Service, ...]
    """The services that the customer names now."""
    service: Service | None
    """The one that is talked about."""
    when: Resolved | None
    errand: Errand | None
    errand_at: Resolved | None
    told: Told
    facts: tuple[str, ...]
    """What was noted about the customer before."""
    calls: tuple[Call, ...]
    """The tools that this run has called."""
    results: Mapping[str, Outcome | Other | None]
    """By tool, of this run; None: the tool answered something that is no outcome."""

    def result(self, tool: str, *kinds: type[Outcome]) -> Outcome | None:
        found = self.results.get(tool)
        return found if isinstance(found, kinds) else None


def read(
    items: Sequence[Mapping[str, object]], profile: BusinessProfile, now: datetime, facts: Sequence[str] = ()
) -> Situation:
    """Everything that matters in the conversation; `items` are plain ones, see `history.plain`."""
    last = max((i for i, item in enumerate(items) if item.get("role") == "assistant"), default=-1)
    said = str(items[last]["content"]) if last >= 0 else ""
    pending = [text for text in _said_by_customer(items[last + 1 :]) if not text.startswith(history.SUMMARY)]
    written = [words for text in pending if (words := _words(text))]
    language = speech.language_of(_written(items), profile.languages[0])
    errand, spoken = _errand(written, said, profile, now)
    told, readable = personal.told(
        spoken,
        language,
        name_was_asked=asked("your_name", said),
        is_plan=partial(_is_plan, profile=profile, now=now),
    )
    if asked("which_service", said) and any(intents(text) & _NO_ANSWER for text in readable):
        said = ""
    named = _named(readable, said, profile)
    when = _when([services.without(text, profile) for text in readable], said, profile, now)
    return Situation(
        profile=profile,
        language=language,
        first_contact=last < 0,
        unseen=any(text.startswith(history.NOT_READABLE) for text in pending),
        wants=_wants(readable, said, when, named),
        other=tuple(text for text in readable if _is_other(text, profile, now)),
        said=" ".join(written),
        hours_on=next((r.start.date() for t in readable if "hours" in intents(t) and (r := resolve(t, now))), None),
        named=named,
        service=(named[0] if len(named) == 1 else None)
        if named
        else services.before(items[: last + 1], said, readable, profile),
        when=when,
        errand=errand,
        errand_at=_errand_at(errand, now) if errand else None,
        told=told,
        facts=tuple(facts),
        calls=tuple(_calls(items[last + 1 :])),
        results=outcomes.by_tool(items[last + 1 :]),
    )


def _errand(
    texts: Sequence[str], said: str, profile: BusinessProfile, now: datetime
) -> tuple[Errand | None, list[str]]:
    """The last errand, and the texts without it: "hi, tell the owner that I'm moving on Sunday" moves nothing."""
    owners = {word.casefold().removesuffix("'s") for word in profile.name.split() if len(word) > 2}
    found: Errand | None = None
    rest: list[str] = []
    for text in texts:
        before, errand = wishes.errand(text, owners=owners, names_a_time=lambda one: resolve(one, now) is not None)
        if errand is None and asked("follow_up_when", said) and not intents(text) and resolve(text, now):
            before, errand = "", Errand("follow_up", text)
        found = errand or found
        if errand is None or intents(before) or services.named(before, profile):
            rest.append(before)
    return found, rest


def _errand_at(errand: Errand, now: datetime) -> Resolved | None:
    """ "Not now, write me on Sunday"; "On Sunday, please, write me"."""
    return resolve(errand.words[errand.begins :], now) or resolve(errand.words, now)


def _is_plan(text: str, *, profile: BusinessProfile, now: datetime) -> bool:
    return bool(intents(text) or services.named(text, profile) or resolve(text, now) or _BARE_TIME.fullmatch(text))


def _named(texts: Sequence[str], said: str, profile: BusinessProfile) -> tuple[Service, ...]:
    for text in reversed(texts):
        if one := services.chosen(text, said, profile):
            return (one,)
        if several := services.named(text, profile):
            return several
    return ()


def _wants(texts: Sequence[str], said: str, when: Resolved | None, named: Sequence[Service]) -> frozenset[Intent]:
    wants = {intent for text in texts for intent in intents(text)}
    if asked("which_service", said) and texts:
        wants.add("book")
    if not wants & _NO_BOOKING:
        if asked("which_cancel", said) and when:
            wants.add("cancel")
        elif (asked("which_move", said) or asked("which_move_time", said)) and when:
            wants.add("move")
        elif (when or named) and not ("thanks" in wants and not said.endswith("?")):
            wants.add("book")
    return frozenset(wants)


def _is_other(text: str, profile: BusinessProfile, now: datetime) -> bool:
    """A question of another kind: whoever only says hello must not be looked up, and no person be asked about it."""
    known = (
        intents(text) - {"greeting", *(() if profile.location else ("where",))}
        or services.named(text, profile)
        or resolve(text, now)
    )
    return not known and _QUESTION.search(text) is not None


def _written(items: Sequence[Mapping[str, object]]) -> list[str]:
    return [_words(text) for text in _said_by_customer(items) if not text.startswith(history.SUMMARY)]


def _words(text: str) -> str:
    """The customer's own words: what a message was changed to, a picture's caption; not the English around them."""
    described = _DESCRIBED.match(text)
    return (described["changed"] or described["caption"]) if described else text


def _said_by_customer(items: Sequence[Mapping[str, object]]) -> list[str]:
    return [str(item["content"]) for item in items if item.get("role") == "user"]


def _when(texts: Sequence[str], said: str, profile: BusinessProfile, now: datetime) -> Resolved | None:
    """The time that the pending messages name together; a day that was agreed before completes a bare time."""
    days, times = set(speech.said_days(said)), speech.said_times(said)
    day = next(iter(days)) if len(days) == 1 else None
    found: Resolved | None = None
    for text in texts:
        understood = None if services.chosen(text, said, profile) else _understand(text, day, now)
        if understood and not (found and found.has_time and not understood.has_time):
            found, day = understood, understood.start.date()
    if found or not texts:
        return found
    if times and (
        asked("which_service", said)
        or (asked("which_of_these", said) and any("yes" in intents(text) for text in texts))
    ):
        return Resolved(times[0].replace(tzinfo=now.tzinfo), has_time=True)
    if day and asked("which_service", said):
        return Resolved(datetime.combine(day, datetime.min.time(), tzinfo=now.tzinfo), has_time=False)
    return None


def _understand(text: str, day: date | None, now: datetime) -> Resolved | None:
    if day:
        bare = _BARE_TIME.fullmatch(text)
        at = f"at {bare['time']}" if bare else text
        completed = resolve(f"{day.isoformat()} {at}", now)
        if completed and (completed.has_time or completed.start.hour):
            return completed
    return resolve(text, now)


def _calls(items: Sequence[Mapping[str, object]]) -> list[Call]:
    made = [item for item in items if item.get("type") == "function_call"]
    return [Call(str(item["name"]), json.loads(str(item["arguments"]))) for item in made]


def chosen_appointment(situation: Situation) -> Listed | None:
    """The appointment that the customer means: the only one, or the one on the day that was named."""
    found = situation.result("list_appointments", Appointments)
    if not isinstance(found, Appointments):
        return None
    fitting = found.appointments
    if len(fitting) > 1 and situation.when and "cancel" in situation.wants:
        stamp = situation.when.start.strftime("%Y-%m-%dT%H:%M")[: 16 if situation.when.has_time else 10]
        fitting = [appointment for appointment in fitting if appointment.start.startswith(stamp)]
    return fitting[0] if len(fitting) == 1 else None
