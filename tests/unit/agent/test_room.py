"""Whatever one turn wants to change, its commit fits into one transaction of DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.agent import consequences, room
from functions.agent.calendar import booking, file
from functions.agent.calendar.store import Book, Cancel, Move
from functions.agent.context import ToolContext
from functions.agent.language import wording
from functions.agent.tools import customer, knowledge, whatsapp
from functions.agent.tools import leads as lead_tools
from functions.shared import inbox, outbox, transactions
from functions.shared.contracts import ConversationId, Jid
from functions.shared.conversation import TurnId
from functions.shared.inbox import Effect, Reply, Turn, TurnRecord
from functions.shared.profile import BusinessProfile
from functions.shared.scheduled import Schedule, Unschedule
from tests.unit.agent.fakes import NOON, Rows
from tests.unit.agent.support import BARBER, context_of
from tests.unit.agent.test_booking import commit
from tests.unit.protocol.table import in_process_table

WEEK = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    with in_process_table():
        yield


def business(owners: int, reminders: int, minutes: int, buffer: int, *, files: bool, place: bool) -> BusinessProfile:
    long = {"id": "long", "names": {"en": ["Long"]}, "minutes": minutes, "price": 0, "currency": "ILS"}
    changes: dict[str, Any] = {
        "services": [long | {"buffer_before": buffer, "buffer_after": buffer}],
        "resources": [{"name": "main", "capacity": 20}],
        "hours": {day: ["00:00-23:45"] for day in WEEK},
        "limits": {"max_appointments": 50},
        "owner_numbers": [f"+97250111111{n}" for n in range(owners)],
        "reminders": {"minutes_before": [60 * (n + 2) for n in range(reminders)]},
        "appointment_files": files,
        "location": {"latitude": 32.0, "longitude": 34.0, "address": "Herzl 1"} if place else None,
    }
    return BusinessProfile.model_validate(BARBER.model_dump(mode="json") | changes)


BUSINESSES = st.builds(
    business,
    owners=st.integers(0, 5),
    reminders=st.integers(0, 3),
    minutes=st.sampled_from([15, 45, 120, 480, 900, 1425]),
    buffer=st.sampled_from([0, 30, 240]),
    files=st.booleans(),
    place=st.booleans(),
)


@dataclass
class Commit:
    """What a run staged, as one turn would commit it."""

    context: ToolContext

    @property
    def effects(self) -> list[Effect]:
        return consequences.effects(self.context)

    @property
    def replies(self) -> list[Reply]:
        words = wording.parts("A sentence of many. " * 1_000)
        kept = file.replies(self.context, lambda *_: True)
        return [*map(Reply, words), *self.context.staging.attachments.values(), *kept]

    def items(self, monkeypatch: pytest.MonkeyPatch) -> int:
        """How many items its transaction has, counted in the transaction."""
        found: list[int] = []

        def counted(write: transactions.Writer) -> None:
            transaction = transactions.LabelledWrite()
            write(transaction)
            found.append(len(transaction.labels()))

        turn = Turn(self.context.tenant_id, ConversationId("c1"), TurnId("t1"), 1, 1, 0, Jid("1@lid"), 0, "test")
        texts = [reply.text for reply in self.replies if reply.content is None]
        attachments = [reply.content for reply in self.replies if reply.content is not None]
        with monkeypatch.context() as patch:
            patch.setattr("functions.shared.inbox.transactions.transact", counted)
            patch.setattr("functions.shared.inbox.forget_if_handled", lambda *_: True)
            inbox.write_turn(
                turn, texts=texts, attachments=attachments, record=TurnRecord(items=[]), now_ms=1, effects=self.effects
            )
        [items] = found
        return items


def say_everything(context: ToolContext) -> None:
    """All that a turn may say and note besides appointments."""
    whatsapp.tell(context, "call them", urgent=True)
    whatsapp.attach_location(context)
    whatsapp.follow_up(context, f"{context.now + timedelta(days=2):%Y-%m-%dT%H:%M}", "Still interested?")
    whatsapp.hand_over_to_person(context, "angry")
    knowledge.look_up(context, "something that nobody wrote")
    context.staging.pass_on("why is the sky blue?")
    customer.note(context, "prefers mornings", None)
    lead_tools.update(context, "hot", "wants much", ["big"], "call")


def local(days: int, hour: int) -> str:
    return f"{NOON + timedelta(days=days):%Y-%m-%d}T{hour:02d}:00"


WHEN = st.builds(local, st.integers(1, 20), st.integers(0, 23))
WISHES = st.lists(st.tuples(st.sampled_from(["book", "move", "cancel"]), WHEN, st.integers(0, 9)), max_size=25)


def wish(context: ToolContext, act: str, when: str, which: int) -> None:
    known = booking.appointments(context)
    one = known[which % len(known)].booking_id if known else "b0"
    acts: dict[str, Callable[[], object]] = {
        "book": lambda: booking.book(context, when, "long", additional=True),
        "move": lambda: booking.move(context, one, when),
        "cancel": lambda: booking.cancel(context, one),
    }
    acts[act]()


@settings(
    max_examples=30, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(BUSINESSES, WISHES, WISHES)
def test_whatever_a_turn_stages_its_commit_fits(
    monkeypatch: pytest.MonkeyPatch, profile: BusinessProfile, before: list[Any], now: list[Any]
) -> None:
    rows = Rows()
    earlier = context_of(profile, rows=rows)
    for one in before:
        wish(earlier, *one)
    commit(earlier, rows)
    context = context_of(profile, rows=rows, turn_id="t2")
    for one in now:
        wish(context, *one)
    for day in range(21, 60):  # and as much more as it is allowed
        booking.book(context, local(day, 4), "long")
    say_everything(context)
    found = Commit(context)
    reckoned = inbox.writes(len(found.replies), found.effects)
    assert found.items(monkeypatch) <= reckoned <= transactions.MAX_ITEMS


def test_the_room_is_what_everything_else_leaves_and_not_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = business(3, 2, 15, 0, files=True, place=True)
    rows = Rows()
    earlier = context_of(profile, rows=rows)
    booking.book(earlier, local(2, 10), "long")
    commit(earlier, rows)
    context = context_of(profile, rows=rows, turn_id="t2")
    [booked] = booking.appointments(context)
    booking.cancel(context, booked.booking_id)
    say_everything(context)
    found = Commit(context)
    reminders = sum(
        effect.writes
        for effect in found.effects
        if isinstance(effect, Schedule | Unschedule) and effect.name.startswith(("schedule reminder", "unschedule"))
    )
    changes = sum(e.writes for e in found.effects if isinstance(e, Book | Move | Cancel)) + reminders
    # Who gets calendar files is booked, and no hot lead.
    files = outbox.WRITES * room.MAX_FILES
    assert found.items(monkeypatch) - changes + files == transactions.MAX_ITEMS - room.for_changes(profile)
