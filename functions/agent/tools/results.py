"""What the calendar's tools tell a model: short JSON in the model's terms.

What the customer should hear is in it ready-made (`spoken`); what cannot be done is a value that says why and what to
do next, not an exception: a model can act on a value.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Start(Result):
    start: str
    """Local, as `book_appointment` takes it."""
    spoken: str


class Stretch(Result):
    first: str
    last: str


class FreeDay(Result):
    day: str
    spoken: str
    starts: list[Stretch]
    """Any quarter of an hour from `first` to `last`."""


class Free(Result):
    outcome: Literal["free"] = "free"
    service: str
    minutes: int
    days: list[FreeDay]


class Booked(Result):
    outcome: Literal["booked"] = "booked"
    booking_id: str
    service: str
    price: str
    start: str
    spoken: str


class Moved(Result):
    outcome: Literal["moved"] = "moved"
    booking_id: str
    service: str
    price: str
    start: str
    spoken: str
    was: str
    """The old time, spoken."""


class Cancelled(Result):
    outcome: Literal["cancelled"] = "cancelled"
    booking_id: str
    service: str
    spoken: str


class Listed(Result):
    booking_id: str
    service_id: str
    service: str
    start: str
    spoken: str


class Appointments(Result):
    outcome: Literal["appointments"] = "appointments"
    appointments: list[Listed]


Reason = Literal[
    "unknown_service",
    "bad_time",
    "past",
    "too_soon",
    "too_far",
    "closed",
    "taken",
    "full",
    "already_booked",
    "not_found",
    "too_many",
    "too_long",
    "limit",
]


class NotPossible(Result):
    outcome: Literal["not_possible"] = "not_possible"
    reason: Reason
    advice: str
    nearest: list[Start] = []


class Source(Result):
    title: str
    text: str


class Sources(Result):
    outcome: Literal["found"] = "found"
    entries: list[Source]


class NothingFound(Result):
    outcome: Literal["nothing_found"] = "nothing_found"
    advice: str = (
        "Other words may find it: search once more. If not, say that you do not know and have asked a person, who will "
        "answer here. That person has been told."
    )


class PassedOn(Result):
    outcome: Literal["passed_on"] = "passed_on"
    advice: str = "Say that you do not know and have asked a person, who will answer here."


Outcome = Sources | NothingFound | PassedOn | Free | Booked | Moved | Cancelled | Appointments | NotPossible
OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
