"""The demo's conversation: who does what, what it shows, and what the tables must hold behind it.

It is the same on every day and at every hour: a weekday without a date is the next one after today, on which the
demo's business is open, and none of the times is one that a change of the clocks skips.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from functions.shared.profile import BusinessProfile
from kesher import business_file
from kesher.chat_state import Assistant, Booked

BUSINESS_PHONE = "972531110000"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def business() -> BusinessProfile:
    """The barber shop of `kesher business init`, open on holidays too: the conversation must not depend on the date."""
    profile = business_file.parse(business_file.example("barber", "he"))
    return profile.model_copy(update={"holidays": None})


@dataclass(frozen=True)
class Customer:
    phone: str
    name: str


@dataclass(frozen=True)
class Appointment:
    """At `time` (`10:00`) on the next `weekday`."""

    service: str
    weekday: str
    time: str

    def is_that(self, booked: Booked, today: date) -> bool:
        """Whether the appointment in the table is this one; `today` is when the conversation began."""
        due = timedelta() < booked.start.date() - today <= timedelta(days=8)  # 8: midnight may have passed meanwhile
        said = (booked.service, _WEEKDAYS[booked.start.weekday()], f"{booked.start:%H:%M}")
        return due and said == (self.service, self.weekday, self.time)

    def __str__(self) -> str:
        return f"{self.service} on {self.weekday} at {self.time}"


@dataclass(frozen=True)
class After:
    """What the tables must hold of the customer's chat once the step is over."""

    bookings: tuple[Appointment, ...] = ()
    epoch: int = 0
    """Raised by whatever silences the assistant or gives it the word back."""
    assistant: Assistant = "on"
    waiting: int = 0
    """Messages that wait for the assistant's silence to end."""
    needs_person: bool = False


@dataclass(frozen=True)
class Step:
    """One customer writes `texts` in a row, or the owner does something in their chat."""

    customer: Customer
    texts: tuple[str, ...]
    shows: str
    after: After
    says: tuple[str, ...] = ()
    """What the stand-in's answer holds; a real model finds its own words."""
    who: Literal["customer", "owner", "resume"] = "customer"
    answered: bool = True
    """By one message of the assistant, which covers all the texts."""


DANA = Customer("972541110001", "Dana")
NOAM = Customer("972541110002", "נועם")
CUSTOMERS = (DANA, NOAM)

_TUESDAY, _WEDNESDAY = Appointment("haircut", "tuesday", "10:00"), Appointment("haircut", "wednesday", "16:30")
_SHAVE, _LATER = Appointment("beard", "tuesday", "11:00"), Appointment("beard", "thursday", "12:30")

STEPS = (
    Step(DANA, ("Hi",), "says what it is", After(), ("demo assistant",)),
    Step(
        DANA,
        ("Could I get a haircut some time next week?",),
        "an unclear date: asks back",
        After(),
        ("Haircut", "which day and time?"),
    ),
    Step(DANA, ("Tuesday at 10",), "booked", After((_TUESDAY,)), ("Tuesday", "10:00", "₪80")),
    Step(
        DANA,
        ("Can we move it to Wednesday at half past four?",),
        "moved, the old time is free again",
        After((_WEDNESDAY,)),
        ("Moved", "Wednesday", "16:30"),
    ),
    Step(
        DANA,
        ("Two more things", "how much is a beard trim?", "and what are your opening hours?"),
        "three messages, one answer",
        After((_WEDNESDAY,)),
        ("₪50", "09:00"),
    ),
    Step(DANA, ("I have to cancel, sorry",), "cancelled", After(), ("Cancelled", "Wednesday")),
    Step(
        DANA,
        ("I'd like to talk to a person please",),
        "hands over, and is silent from here on",
        After(epoch=1, assistant="paused", needs_person=True),
        ("person",),
    ),
    Step(NOAM, ("שלום, כמה עולה עיצוב זקן?",), "the same in Hebrew", After(), ("עוזר ההדגמה", "₪50")),
    Step(NOAM, ("אפשר לקבוע ביום שלישי?",), "a day without a time: offers free times", After(), ("יום שלישי", "09:00")),
    Step(NOAM, ("11:00",), "booked", After((_SHAVE,)), ("יום שלישי", "11:00")),
    Step(NOAM, ("אפשר להזיז ליום חמישי בשתים עשרה וחצי?",), "moved", After((_LATER,)), ("יום חמישי", "12:30")),
    Step(NOAM, ("בסוף לא אוכל להגיע, צריך לבטל",), "cancelled", After(), ("בוטל", "יום חמישי")),
    Step(
        NOAM,
        ("היי נועם, כאן רון. הכול בסדר?",),
        "the owner answers on the phone",
        After(epoch=1, assistant="paused"),
        who="owner",
        answered=False,
    ),
    Step(
        NOAM,
        ("כן, תודה! עד מתי אתם פתוחים בשישי?",),
        "a person wins: the assistant is silent",
        After(epoch=1, assistant="paused", waiting=1),
        answered=False,
    ),
    Step(
        NOAM,
        (),
        "`kesher chat resume`: what waited is answered",
        After(epoch=2),
        ("14:00",),
        who="resume",
    ),
    Step(NOAM, ("הסר",), "opted out", After(epoch=3, assistant="opted out"), ("הצטרף",)),
    Step(
        NOAM,
        ("כמה עולה תספורת?",),
        "no word to whoever opted out; a person is told",
        After(epoch=3, assistant="opted out", needs_person=True),
        answered=False,
    ),
    Step(NOAM, ("הצטרף",), "back again", After(epoch=3, needs_person=True), ("ברוכים השבים",)),
)
