"""What the stand-in makes of its input: what the customer wants, which service, when, and what the tools answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.agent.dates import Resolved, resolve
from functions.agent.language import speech
from functions.agent.memory import history
from functions.agent.standin.phrases import Intent, asked, intents
from functions.agent.tools.results import OUTCOME, Appointments, Booked, Listed, Outcome
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
_BARE_TIME = re.compile(r"\W*(\d{1,2}(?::\d\d)?)\W*")


class Other(BaseModel):
    """What a tool of another kind answered."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: str
    spoken: str | None = None


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
    service: Service | None
    service_named: bool
    when: Resolved | None
    results: Mapping[str, Outcome | Other | None]
    """By tool, of this run; None: the tool answered something that is no outcome."""

    def result(self, tool: str, *kinds: type[Outcome]) -> Outcome | None:
        found = self.results.get(tool)
        return found if isinstance(found, kinds) else None


def read(items: Sequence[Mapping[str, object]], profile: BusinessProfile, now: datetime) -> Situation:
    """Everything that matters in the conversation; `items` are plain ones, see `history.plain`."""
    last = max((i for i, item in enumerate(items) if item.get("role") == "assistant"), default=-1)
    said = str(items[last]["content"]) if last >= 0 else ""
    pending = [text for text in _said_by_customer(items[last + 1 :]) if not text.startswith(history.SUMMARY)]
    readable = [words for text in pending if (words := _words(text))]
    when = _when([_without_services(text, profile) for text in readable], said, now)
    named = next((s for text in reversed(readable) if (s := _service_in(text, profile))), None)
    return Situation(
        profile=profile,
        language=speech.language_of(_written(items), profile.languages[0]),
        first_contact=last < 0,
        unseen=any(text.startswith(history.NOT_READABLE) for text in pending),
        wants=_wants(readable, said, when, named),
        other=tuple(text for text in readable if _is_other(text, profile, now)),
        said=" ".join(readable),
        hours_on=next((r.start.date() for t in readable if "hours" in intents(t) and (r := resolve(t, now))), None),
        service=named or _service_before(items[: last + 1], profile),
        service_named=named is not None,
        when=when,
        results=_results(items[last + 1 :]),
    )


def _wants(texts: Sequence[str], said: str, when: Resolved | None, service: Service | None) -> frozenset[Intent]:
    wants: set[Intent] = set()
    for text in texts:
        found = intents(text)
        if found & {"cancel", "move", "mine"}:
            found -= {"book", "free"}
        wants |= found
    asks = wants & {"hours", "price", "services", "cancel", "move", "mine", "where"}
    if not asks:
        if asked("which_cancel", said) and when:
            wants.add("cancel")
        elif (asked("which_move", said) or asked("which_move_time", said)) and when:
            wants.add("move")
        elif (when or service) and not ("thanks" in wants and not said.endswith("?")):
            wants.add("book")
    return frozenset(wants)


def _is_other(text: str, profile: BusinessProfile, now: datetime) -> bool:
    """A question of another kind: whoever only says hello must not be looked up, and no person be asked about it."""
    known = (
        intents(text) - {"greeting", *(() if profile.location else ("where",))}
        or _service_in(text, profile)
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


def _when(texts: Sequence[str], said: str, now: datetime) -> Resolved | None:
    """The time that the pending messages name together; a day that was agreed before completes a bare time."""
    days = set(speech.said_days(said))
    day = next(iter(days)) if len(days) == 1 else None
    found: Resolved | None = None
    for text in texts:
        understood = _understand(text, day, now)
        if understood and not (found and found.has_time and not understood.has_time):
            found, day = understood, understood.start.date()
    if found is None and asked("which_of_these", said) and any("yes" in intents(text) for text in texts):
        offered = speech.said_times(said)
        return Resolved(offered[0].replace(tzinfo=now.tzinfo), has_time=True) if offered else None
    return found


def _understand(text: str, day: date | None, now: datetime) -> Resolved | None:
    if day:
        bare = _BARE_TIME.fullmatch(text)
        completed = resolve(f"{day.isoformat()} {f'at {bare[1]}' if bare else text}", now)
        if completed and (completed.has_time or completed.start.hour):
            return completed
    return resolve(text, now)


def _without_services(text: str, profile: BusinessProfile) -> str:
    """ "An oil change for 15000" holds no time."""
    names = sorted((n for s in profile.services for n in s.all_names), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, names)), "|", text, flags=re.IGNORECASE) if names else text


def _service_in(text: str, profile: BusinessProfile) -> Service | None:
    lowered = text.casefold()
    named = [(len(n), s) for s in profile.services for n in s.all_names if n.casefold() in lowered]
    return max(named, key=lambda pair: pair[0])[1] if named else None


def _service_before(items: Sequence[Mapping[str, object]], profile: BusinessProfile) -> Service | None:
    """The service that was talked about since the last booking, or else the first of the list."""
    for item in reversed(items):
        if item.get("type") == "function_call_output" and isinstance(_outcome(item), Booked):
            break
        if item.get("role") == "user" and (named := _service_in(str(item["content"]), profile)):
            return named
    return profile.services[0] if profile.services else None


def _results(items: Sequence[Mapping[str, object]]) -> dict[str, Outcome | Other | None]:
    names = {item["call_id"]: str(item["name"]) for item in items if item.get("type") == "function_call"}
    outputs = [item for item in items if item.get("type") == "function_call_output"]
    return {names[item["call_id"]]: _outcome(item) for item in outputs}


def _outcome(item: Mapping[str, object]) -> Outcome | Other | None:
    answer = str(item["output"])
    try:
        return OUTCOME.validate_json(answer)
    except ValidationError:
        pass
    try:
        other = Other.model_validate_json(answer)
    except ValidationError:
        return None
    return None if other.outcome == "bad_arguments" else other


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
