"""The calendar's rows under concurrency: no cell is anybody's twice, and every appointment has exactly its cells."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pynamodb.transactions import TransactWrite

from functions.agent.calendar import booking
from functions.agent.calendar.store import TableCalendar
from functions.agent.context import ToolContext
from functions.agent.tools.results import Booked, Moved
from functions.shared import ids, transactions
from functions.shared.contracts import ConversationId
from functions.shared.conversation import TurnId
from functions.shared.inbox import Effect
from functions.shared.keys import calendar_pk, conversation_pk
from functions.shared.profile import BusinessProfile
from functions.shared.tables import BookingItem, SlotItem
from tests.integration.support import Store

DAYS_AHEAD = 7


def profile_of(business: BusinessProfile, capacity: int) -> BusinessProfile:
    """Open all week from 9 to 11, so that everybody wants the same; with buffers."""
    haircut = business.services[0].model_dump() | {"buffer_after": 10}
    week = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    return BusinessProfile.model_validate(
        {
            **business.model_dump(),
            "hours": {day: ["09:00-11:00"] for day in week},
            "resources": [{"name": "room", "capacity": capacity}],
            "services": [haircut],
        }
    )


def turn_of(profile: BusinessProfile, customer: str) -> ToolContext:
    conversation = ConversationId(customer)
    return ToolContext(
        tenant_id=profile.tenant_id,
        conversation_id=conversation,
        turn_id=TurnId(ids.new_turn_id()),
        customer_name=None,
        language="en",
        profile=profile,
        now=datetime.now(UTC).astimezone(profile.zone),
        understood_dates=(),
        calendar=TableCalendar(profile.tenant_id, conversation),
    )


def commit(effects: Sequence[Effect]) -> bool:
    """All effects in one transaction, as the turn's commit writes them; False if one is refused."""

    def write(transaction: TransactWrite) -> None:
        for effect in effects:
            effect.write(transaction)

    try:
        transactions.transact(write, attempts=20)
    except transactions.RefusedError:
        return False
    return True


def day_of(profile: BusinessProfile) -> str:
    return (datetime.now(profile.zone) + timedelta(days=DAYS_AHEAD)).date().isoformat()


def booked_cells(profile: BusinessProfile) -> dict[tuple[str, str], str]:
    """Every booked cell of the day, and whose it is."""
    rows = SlotItem.query(calendar_pk(profile.tenant_id, day_of(profile)), consistent_read=True)
    return {(day_of(profile), row.sk): row.booking_id for row in rows if row.booking_id}


def cells_of_bookings(profile: BusinessProfile, customers: Sequence[str]) -> list[tuple[tuple[str, str], str]]:
    """The cells that the customers' appointments say that they have."""
    found = []
    for customer in customers:
        for row in BookingItem.query(
            conversation_pk(profile.tenant_id, customer), BookingItem.sk.startswith("BOOKING#"), consistent_read=True
        ):
            if row.status != "booked":
                continue
            assert row.busy_from is not None
            assert row.busy_until is not None
            for at in range(row.busy_from, row.busy_until, 15 * 60_000):
                moment = datetime.fromtimestamp(at / 1000, UTC)
                found.append(((f"{moment:%Y-%m-%d}", f"SLOT#{row.resource}#{moment:%H:%M}"), row.booking_id))
    return found


def assert_consistent(profile: BusinessProfile, customers: Sequence[str]) -> None:
    claimed = cells_of_bookings(profile, customers)
    assert len(claimed) == len(dict(claimed)), "a cell is two appointments'"
    assert dict(claimed) == booked_cells(profile)


@pytest.mark.parametrize("capacity", [1, 3])
def test_fifty_at_once_get_as_many_as_fit(store: Store, business: BusinessProfile, capacity: int) -> None:
    profile = profile_of(business, capacity)
    customers = [f"c{i}" for i in range(50)]

    def want(customer: str) -> bool:
        context = turn_of(profile, customer)
        made = booking.book(context, f"{day_of(profile)}T09:30", "haircut")
        return isinstance(made, Booked) and commit(context.staging.all())

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(want, customers)) == capacity
    assert_consistent(profile, customers)


@pytest.mark.parametrize("seed", range(3))
def test_whoever_books_moves_cancels_and_dies_at_once_the_calendar_stays_consistent(
    store: Store, business: BusinessProfile, seed: int
) -> None:
    profile = profile_of(business, capacity=2)
    customers = [f"c{i}" for i in range(8)]

    def live(customer: str) -> int:
        chance = random.Random(f"{seed} {customer}")  # noqa: S311 - a schedule, no secret
        committed = 0
        for _ in range(8):
            context = turn_of(profile, customer)
            start = f"{day_of(profile)}T{chance.choice(['09:00', '09:15', '09:30', '09:45', '10:00', '10:15'])}"
            mine = booking.listed(context).appointments
            if mine and chance.random() < 0.6:
                booking.move(context, chance.choice(mine).booking_id, start)
            elif mine and chance.random() < 0.5:
                booking.cancel(context, chance.choice(mine).booking_id)
            else:
                booking.book(context, start, "haircut", additional=True)
            if chance.random() < 0.8 and context.staging.all():  # else it dies before its commit
                committed += commit(context.staging.all())
        return committed

    with ThreadPoolExecutor(len(customers)) as pool:
        assert sum(pool.map(live, customers)) > 0
    assert_consistent(profile, customers)


def test_a_move_onto_an_overlapping_time_is_one_transaction(store: Store, business: BusinessProfile) -> None:
    profile = profile_of(business, capacity=1)
    first = turn_of(profile, "c1")
    made = booking.book(first, f"{day_of(profile)}T09:00", "haircut")
    assert isinstance(made, Booked)
    assert commit(first.staging.all())

    second = turn_of(profile, "c1")
    assert isinstance(booking.move(second, made.booking_id, f"{day_of(profile)}T09:15"), Moved)
    [move] = second.staging.all()
    assert commit([move])
    assert not commit([move]), "it is not where it was"

    assert [one.start[-5:] for one in booking.listed(turn_of(profile, "c1")).appointments] == ["09:15"]
    assert_consistent(profile, ["c1"])
    again = turn_of(profile, "c2")
    assert not isinstance(booking.book(again, f"{day_of(profile)}T09:30", "haircut"), Booked)


def test_a_move_that_never_commits_keeps_the_old_time_and_frees_the_new(
    store: Store, business: BusinessProfile
) -> None:
    profile = profile_of(business, capacity=1)
    first = turn_of(profile, "c1")
    made = booking.book(first, f"{day_of(profile)}T09:00", "haircut")
    assert isinstance(made, Booked)
    assert commit(first.staging.all())
    assert isinstance(booking.move(turn_of(profile, "c1"), made.booking_id, f"{day_of(profile)}T10:00"), Moved)

    assert [one.start[-5:] for one in booking.listed(turn_of(profile, "c1")).appointments] == ["09:00"]
    now = datetime.now(UTC)
    days = [datetime.fromisoformat(day_of(profile)).date()]
    other = TableCalendar(profile.tenant_id, ConversationId("c2"))
    assert len(other.taken(days, now)) == 6
    assert len(other.taken(days, now + timedelta(minutes=3))) == 3
    assert_consistent(profile, ["c1"])
