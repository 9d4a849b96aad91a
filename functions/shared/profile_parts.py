"""The parts of a business profile: hours, days that differ, services, resources, texts, limits.

What an owner writes by hand has a short form too: `09:00-19:00` for an opening, a plain name for a resource that takes
one appointment at a time, one text where several names may stand. Rows of older versions have these forms as well.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from functions.shared.countries import COUNTRIES

Language = Literal["he", "en"]
Weekday = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
Audience = Literal["new_chats", "unsaved_contacts", "everyone", "nobody"]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Paragraph = Annotated[str, Field(min_length=1, max_length=4_000)]

_STRETCH = re.compile(r"\s*(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)\s*")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Place = tuple[str | int, ...]


def inconsistent(problems: list[tuple[Place, str]]) -> None:
    """Raise for values that are fine alone but not together; each place is relative to the value that is validated."""
    if problems:
        text = "; ".join(problem for _, problem in problems)
        raise PydanticCustomError("inconsistent", "{text}", {"text": text, "problems": problems})


def repeated(values: list[str]) -> list[int]:
    """The positions of values that stood before, whatever their case."""
    folded = [value.casefold() for value in values]
    return [i for i, value in enumerate(folded) if value in folded[:i]]


# ---- when it is open ----------------------------------------------------------------------------------------------


class Opening(Part):
    """One stretch of opening hours in the business's own time zone; `closes` is after `opens` on the same day."""

    opens: dt.time
    closes: dt.time

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if isinstance(value, str):
            match = _STRETCH.fullmatch(value)
            if match is None:
                raise ValueError("write opening hours as 09:00-19:00")
            return {"opens": match[1].zfill(5), "closes": match[2].zfill(5)}
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError("closes must be after opens; split hours that pass midnight over two days")
        return self

    @property
    def short(self) -> str:
        """As an owner writes it."""
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


def _in_turn(openings: tuple[Opening, ...]) -> tuple[Opening, ...]:
    inconsistent(
        [
            ((i,), f"{openings[i].short} must begin after {openings[i - 1].short} has ended")
            for i in range(1, len(openings))
            if openings[i].opens < openings[i - 1].closes
        ]
    )
    return openings


Openings = Annotated[tuple[Opening, ...], AfterValidator(_in_turn)]
"""The hours of one day, in order; empty: closed."""


class Holidays(Part):
    """Public holidays of a country, on which the business is closed."""

    country: str
    """ISO 3166-1, such as IL."""
    closed: bool = True
    """Off: the country's holidays change nothing."""
    eve_hours: Openings | None = None
    """Hours on the day before a holiday, if the business is open on that weekday at all. None: the usual ones."""

    @field_validator("country")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in COUNTRIES:
            raise ValueError(f"{value!r} is no country with known holidays; write its two letters, such as IL or US")
        return value


class Closure(Part):
    """Closed from the first day to the last, both included: a vacation, a renovation."""

    first: dt.date
    last: dt.date
    reason: Line | None = None
    """May be told to customers."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last must not be before first")
        return self


class SpecialDay(Part):
    """A day with hours of its own, whatever weekday, holiday or closure says; without hours it is closed."""

    day: dt.date
    hours: Openings = ()
    reason: Line | None = None
    """May be told to customers."""


_WEEK_TIME = r"(?:sunday|monday|tuesday|wednesday|thursday|friday|saturday) (?:[01]\d|2[0-3]):[0-5]\d"


class QuietStretch(Part):
    """A stretch of every week, such as from `friday 15:00` until `saturday 20:30`."""

    begins: Annotated[str, Field(pattern=rf"^{_WEEK_TIME}$")]
    ends: Annotated[str, Field(pattern=rf"^{_WEEK_TIME}$")]


class QuietHours(Part):
    """When the assistant begins no conversation by itself; it answers whoever writes at any time."""

    weekly: tuple[QuietStretch, ...] = ()
    nightly: Annotated[str, Field(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d$")] | None = None
    """Such as 21:00-08:00."""
    holidays: bool = False
    """On public holidays too, if the profile names a country."""


REMINDER_USELESS_MINUTES = 15
"""Before an appointment, nobody is reminded of it any more: they are on their way."""


class Reminders(Part):
    """What customers are reminded of their appointments with."""

    minutes_before: Annotated[
        tuple[Annotated[int, Field(ge=2 * REMINDER_USELESS_MINUTES, le=14 * 24 * 60)], ...], Field(max_length=3)
    ] = (24 * 60,)
    """How long before the appointment, once or several times; whole days count on the clock, so that a day before ten
    o'clock is ten o'clock. Empty: no reminders."""
    note: dict[Language, Annotated[str, Field(min_length=1, max_length=300)]] = Field(default_factory=dict)
    """Said with every reminder: what to bring, how to prepare."""

    @field_validator("minutes_before")
    @classmethod
    def _distinct(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        inconsistent([((i,), f"{value[i]} is there twice") for i in repeated([str(one) for one in value])])
        return value


class Location(Part):
    """Where the business is, as a map shows it."""

    address: Line
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


# ---- what is sold, and what it occupies ---------------------------------------------------------------------------


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[Line, ...], Field(min_length=1), BeforeValidator(_several)]
"""Names of one thing in one language: the first is said, all are understood."""


class Resource(Part):
    """What an appointment occupies: a chair, a room, a person."""

    name: Line
    capacity: Annotated[int, Field(ge=1, le=50)] = 1
    """How many appointments it takes at the same time."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @property
    def places(self) -> tuple[str, ...]:
        """One name for each appointment that it takes at a time. The first is its own: raising the capacity moves
        nobody who has booked."""
        return (self.name, *(f"{self.name}#{number}" for number in range(2, self.capacity + 1)))


class Service(Part):
    """Something that a customer can book."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    names: Annotated[dict[Language, Names], Field(min_length=1)]
    """By language, each one name or several."""
    minutes: Annotated[int, Field(gt=0, le=24 * 60)]
    buffer_before: Annotated[int, Field(ge=0, le=240)] = 0
    """Minutes before the appointment in which its resource is taken as well; they may lie outside the opening hours."""
    buffer_after: Annotated[int, Field(ge=0, le=240)] = 0
    """The same after it."""
    price: Annotated[int, Field(ge=0)]
    """In the currency's smallest unit: agorot, cents."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    resources: tuple[Line, ...] = ()
    """Names of the resources that can do it; none: all of them."""

    def name(self, language: Language) -> str:
        """The name in `language`, or in whatever language there is one."""
        return (self.names.get(language) or next(iter(self.names.values())))[0]

    @property
    def all_names(self) -> tuple[str, ...]:
        """Every name in every language."""
        return tuple(name for names in self.names.values() for name in names)


# ---- texts and limits ---------------------------------------------------------------------------------------------


class Entry(Part):
    """Something that the business wants known: a policy, an answer. The languages of title and text are the same."""

    title: Annotated[dict[Language, Line], Field(min_length=1)]
    text: Annotated[dict[Language, Paragraph], Field(min_length=1)]

    @model_validator(mode="after")
    def _same_languages(self) -> Self:
        if self.title.keys() != self.text.keys():
            raise ValueError("title and text must be in the same languages")
        return self

    def said(self, language: Language) -> tuple[str, str]:
        """Title and text in `language`, or in whatever language there is one."""
        chosen = language if language in self.title else next(iter(self.title))
        return self.title[chosen], self.text[chosen]


class ModelServer(Part):
    """A server that speaks OpenAI's protocol, apart from the deployment's own. No key is in the profile."""

    base_url: str
    """Such as `https://models.example.com/v1`."""
    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")] | None = None
    """Name of its key among the `keys` of the model's secret; None: it wants none. The deployment's own key is never
    sent there."""

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            plain = not (parts.username or parts.password or parts.query or parts.fragment)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and plain and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError("it must be an address such as https://models.example.com/v1, without a key in it")
        return value.rstrip("/")


class Limits(Part):
    """What a customer may book."""

    horizon_days: Annotated[int, Field(ge=1, le=366)] = 90
    """How far ahead."""
    min_notice_minutes: Annotated[int, Field(ge=0, le=30 * 24 * 60)] = 0
    """How long before its beginning an appointment can still be booked."""
    max_appointments: Annotated[int, Field(ge=1, le=50)] = 5
    """Coming appointments of one customer at a time."""


def _plus_and_digits(value: object) -> object:
    # YAML reads +972501234567 as a number.
    text = f"+{value}" if isinstance(value, int) else value
    return re.sub(r"[\s()-]", "", text) if isinstance(text, str) else text


def _international(value: str) -> str:
    if not _PHONE.fullmatch(value):
        raise ValueError(f"{value!r} is no international phone number; write it as +972501234567")
    return value


PhoneNumber = Annotated[str, BeforeValidator(_plus_and_digits), AfterValidator(_international)]
"""E.164: `+972501234567`."""
