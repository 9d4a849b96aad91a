"""A scenario: a business, who does what, and what must come of it. The models of the files in `evals/`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from functions.agent.routing import Intent
from functions.agent.tools.all import TOOLS
from functions.agent.turn import Outcome
from functions.shared.leads import Stage
from functions.shared.profile import BusinessProfile, Language
from kesher import business_file
from kesher.chat_state import Assistant

Media = Literal["image", "video", "audio", "document", "sticker"]
CUSTOMER = "Dana"
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d+) ?(min|h|d)")
_EXAMPLE = re.compile(r"(barber|clinic|garage)-(he|en)")
_BOOKING = r"^\w+ \d{4}-\d\d-\d\d \d\d:\d\d$"
_TIME = r"^\d{4}-\d\d-\d\d \d\d:\d\d$"


def _duration(value: object) -> object:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a time span is written as `40 min`, `2 h` or `3 d`")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _moment(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.strptime(value, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - local; the business has the zone
        except ValueError:
            pass
    raise ValueError("a moment is written as '2026-11-22 12:00', in quotes, in the business's time")


def _texts(value: object) -> object:
    """Messages in their short form: a text alone, or several."""
    messages = value if isinstance(value, list | tuple) else [value]
    return [{"text": one} if isinstance(one, str) else one for one in messages]


def _calls(value: object) -> object:
    return [{"name": one} if isinstance(one, str) else one for one in value] if isinstance(value, list) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(Part):
    """One message of a customer: exactly one of the fields, `caption` apart."""

    text: str | None = None
    media: Media | None = None
    caption: str | None = None
    edit: str | None = None
    """The new text of the customer's message before this one."""
    delete: bool = False
    """The customer's message before this one, for everyone."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.text is not None, self.media is not None, self.edit is not None, self.delete]
        if sum(given) != 1 or (self.caption is not None and self.media is None):
            raise ValueError("a message is a text, or one of `media` (with a `caption` or not), `edit`, `delete`")
        return self


class ToolCall(Part):
    """A call that must be made, with at least these arguments."""

    name: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check_tools([self.name])
        return self


def _check_tools(names: list[str]) -> None:
    known = [tool.name for tool in TOOLS]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"there is no tool {unknown[0]}; there are {', '.join(known)}")


class Expect(Part):
    """What a step must bring. What is not named is not compared."""

    answered: bool = True
    """Whether the customer gets any message."""
    outcome: Annotated[tuple[Outcome, ...], BeforeValidator(_listed)] = ()
    """How the turn ends; one of them."""
    intent: Annotated[tuple[Intent, ...], BeforeValidator(_listed)] = ()
    language: Language | None = None
    says: tuple[Texts, ...] = ()
    """Each must be in the answer, in any case of letters; of a list, one of it."""
    says_not: Texts = ()
    stand_in_says: Texts = ()
    """As `says`, of the rule-based stand-in alone."""
    links: Texts | None = None
    """The links of the answer, exactly; not named: there must be none."""
    tools: Annotated[tuple[ToolCall, ...], BeforeValidator(_calls)] = ()
    in_order: bool = False
    not_tools: Texts = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check_tools(list(self.not_tools))
        return self


class Step(Part):
    """Exactly one of `customer`, `owner`, `later` and `does`."""

    customer: Annotated[tuple[Said, ...], BeforeValidator(_texts)] = ()
    """Messages in a row, answered by one turn."""
    owner: str | None = None
    """The owner's answer on the phone."""
    later: Duration | None = None
    does: Literal["resume", "off", "on", "business off", "business on"] | None = None
    """As `kesher chat` does it."""
    by: str = CUSTOMER
    """The customer whose chat it is."""
    age: Duration = timedelta()
    """How long ago the messages were written: they waited on WhatsApp's server."""
    expect: Expect | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [bool(self.customer), self.owner is not None, self.later is not None, self.does is not None]
        if sum(given) != 1:
            raise ValueError("a step is one of `customer`, `owner`, `later` and `does`")
        return self


def _lead(value: object) -> object:
    """A lead in its short form: the stage alone."""
    return {"stage": value} if isinstance(value, str) else value


class LeftLead(Part):
    """How the business sees the customer. What is not named is not compared."""

    stage: Stage | None = None
    notes: tuple[Texts, ...] | None = None
    """Each is in one of the notes, in any case of letters; of a list, one of it. `[]`: there is none."""
    tags: tuple[Texts, ...] | None = None
    """As `notes`."""
    next_step: Texts | None = None
    """A part of it, or one of several."""
    source: str | None = None


class Left(Part):
    """What must be in the tables of a customer at the end. What is not named is not compared."""

    bookings: tuple[Annotated[str, Field(pattern=_BOOKING)], ...] | None = None
    """`haircut 2026-11-24 10:00`, by time; all of them."""
    lead: Annotated[LeftLead | None, BeforeValidator(_lead)] = None
    """`hot`, or `{stage: hot, notes: [wedding]}`."""
    facts: tuple[Texts, ...] | None = None
    """What is noted about the customer; each is in one of the facts, of a list one of it. `[]`: nothing is."""
    follow_ups: tuple[Annotated[str, Field(pattern=_TIME)], ...] | None = None
    """`2026-11-29 10:00`, by time; all that the assistant will write by itself."""
    owner_told: tuple[Texts, ...] | None = None
    """What the owner was told about this chat; each is in one of the notices, of a list one of it. `[]`: nothing."""
    person: bool | Texts | None = None
    """Whether a person is called; or what the reason says."""
    assistant: Assistant | None = None
    waiting: int | None = None
    """Messages that nobody has handled."""


class Scenario(Part):
    """One conversation, or several with one business."""

    name: str
    business: str | None = None
    now: Moment | None = None
    change: dict[str, JsonValue] = Field(default_factory=dict)
    """Fields of the business's profile that are other than in the example."""
    steps: tuple[Step, ...]
    left: Left | None = None
    """Of the customer whom `by` names where it names nobody else."""
    others: dict[str, Left] = Field(default_factory=dict)


class ScenarioFile(Part):
    """Scenarios with the business and the moment that they share."""

    business: str
    """An example such as `barber-he`, or the path of a business's file, from the scenario file's folder."""
    now: Moment
    scenarios: tuple[Scenario, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        if not self.scenarios:
            problems.append((("scenarios",), "there must be at least one"))
        seen: set[str] = set()
        for number, one in enumerate(self.scenarios):
            if one.name in seen:
                problems.append((("scenarios", number, "name"), f"another scenario is called {one.name!r} too"))
            seen.add(one.name)
            if not one.steps:
                problems.append((("scenarios", number, "steps"), "there must be at least one"))
        if problems:
            raise PydanticCustomError("inconsistent", "inconsistent", {"problems": problems})
        return self


KNOWN: tuple[type[BaseModel], ...] = (ScenarioFile, Scenario, Step, Said, Expect, ToolCall, Left, LeftLead)


def example_of(name: str) -> str | None:
    """The text of the example `barber-he`, or None if there is none of that name."""
    match = _EXAMPLE.fullmatch(name)
    if match is None:
        return None
    kind: business_file.Example = "barber" if match[1] == "barber" else "clinic" if match[1] == "clinic" else "garage"
    return business_file.example(kind, "he" if match[2] == "he" else "en")


def changed(profile: BusinessProfile, change: dict[str, JsonValue]) -> BusinessProfile:
    """The profile with other fields. Raises pydantic's ValidationError."""
    return BusinessProfile.model_validate({**profile.model_dump(mode="json"), **change})
