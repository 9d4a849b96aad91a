"""Whether a step of the demo left in the tables what it should. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from kesher.chat_state import ChatState
from kesher.demo.script import Step

ON_ITS_WAY = frozenset({"QUEUED", "SENDING"})
SENT = frozenset({"SENT", "DELIVERED", "READ"})


def differences(step: Step, state: ChatState, answers: int, today: date) -> list[str]:
    """What is not as it should be, for a person; empty if all is well.

    `answers` is how many the assistant has given in this chat so far, `today` the local day on which the demo began.
    """
    return list(_differences(step, state, answers, today))


def facts(step: Step) -> int:
    """How many facts `differences` compares."""
    return 6 + (len(step.says) if step.answered else 0)


def _differences(step: Step, state: ChatState, answers: int, today: date) -> Iterator[str]:
    due = step.after
    if len(due.bookings) != len(state.bookings) or not all(
        appointment.is_that(booked, today) for appointment, booked in zip(due.bookings, state.bookings, strict=True)
    ):
        yield f"bookings: {_listed(due.bookings)} due, {_listed(state.bookings)} in the table"
    states = [row.state for row in state.answers]
    if len(states) != answers or not SENT.issuperset(states):
        yield f"outbox: {answers} sent answers due, the rows are {_listed(states)}"
    for name, wanted, found in (
        ("epoch", due.epoch, state.epoch),
        ("assistant", due.assistant, state.assistant),
        ("waiting messages", due.waiting, state.waiting),
        ("a person is called", due.needs_person, state.needs_person is not None),
    ):
        if wanted != found:
            yield f"{name}: {wanted} due, {found} in the table"


def _listed(things: object) -> str:
    return ", ".join(map(str, things)) if isinstance(things, list | tuple) and things else "none"
