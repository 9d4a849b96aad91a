"""The demo's conversations: who writes what, and how many answers that must bring.

The appointments are on a Tuesday, a day on which the example business is open all day, so the script gives the same
conversation on whichever day it is run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One customer writes `texts` in a row, and waits for one answer that covers them all."""

    customer: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Customer:
    phone: str
    name: str


DANA = Customer("972541110001", "Dana")
NOAM = Customer("972541110002", "נועם")
CUSTOMERS = {customer.phone: customer for customer in (DANA, NOAM)}

STEPS = (
    Step(DANA.phone, ("Hi",)),
    Step(DANA.phone, ("I'd like to book a haircut on Tuesday at 10:00",)),
    Step(NOAM.phone, ("שלום",)),
    Step(NOAM.phone, ("אפשר לקבוע תור לתספורת ביום שלישי בשעה 11:00?",)),
    Step(NOAM.phone, ("עוד שאלה", "כמה עולה תספורת?", "ומה שעות הפתיחה?")),
)
