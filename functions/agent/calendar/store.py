"""The calendar's rows: reading what is taken, holding cells for a turn, and the effects that a commit makes real.

A hold is a conditional, expiring claim of one conversation. Whoever commits a booking proves in the same transaction
that the hold is still the turn's own; a turn that never commits leaves nothing but a hold that runs out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from pynamodb.transactions import TransactWrite

from functions.agent.calendar.rules import Cell, cells
from functions.shared import transactions
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import TurnId
from functions.shared.keys import (
    BOOKING_PREFIX,
    SLOT_PREFIX,
    booking_sk,
    calendar_pk,
    conversation_pk,
    diary_pk,
    diary_sk,
    slot_sk,
)
from functions.shared.tables import BookingItem, DiaryItem, SlotItem, not_exists

HOLD_MS = 120_000
"""Longer than a turn may run; after it, others may take the cell."""
_FORGET_HOLD_AFTER_S = 3_600
_FORGET_BOOKED_AFTER_S = 30 * 86_400
"""A cell that has passed is of no use to anybody; the BOOKING# row stays."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """Times are aware, in UTC; `start`, `busy_from` and `busy_until` are on the grid."""

    booking_id: str
    start: datetime
    end: datetime
    busy_from: datetime
    busy_until: datetime
    """What it occupies: with its buffers."""
    service_id: str
    resource: str
    """One place of a resource."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        return cells(self.resource, self.busy_from, self.busy_until)


class Calendar(Protocol):
    """One tenant's calendar as one customer may see and use it."""

    def taken(self, days: Iterable[date], now: datetime) -> set[Cell]:
        """The cells on these UTC days that others booked or hold, and those of the customer's own bookings."""

    def hold(self, wanted: Sequence[Cell], turn_id: TurnId, now: datetime) -> bool:
        """Claim all the cells for this turn, or none: False if somebody else has one."""

    def appointments(self, now: datetime) -> list[Appointment]:
        """The customer's booked appointments that have not ended, earliest first."""


@dataclass(frozen=True, slots=True)
class Book:
    """Effect: the turn's hold becomes an appointment."""

    tenant_id: TenantId
    conversation_id: ConversationId
    turn_id: TurnId
    appointment: Appointment

    @property
    def name(self) -> str:
        return f"book {self.appointment.booking_id}"

    @property
    def writes(self) -> int:
        return len(self.appointment.cells) + 2

    @property
    def added(self) -> tuple[Cell, ...]:
        """The cells that must be held for it."""
        return self.appointment.cells

    def write(self, transaction: TransactWrite) -> None:
        """Condition: every cell is still held by this turn. An expired hold that nobody took is as good."""
        appointment = self.appointment
        for cell in appointment.cells:
            _occupy(transaction, cell, self, appointment)
        transaction.save(
            BookingItem(
                conversation_pk(self.tenant_id, self.conversation_id),
                booking_sk(appointment.booking_id),
                booking_id=appointment.booking_id,
                start=_ms(appointment.start),
                end=_ms(appointment.end),
                busy_from=_ms(appointment.busy_from),
                busy_until=_ms(appointment.busy_until),
                service=appointment.service_id,
                resource=appointment.resource,
                status="booked",
                turn_id=self.turn_id,
            ),
            condition=not_exists(BookingItem),
        )
        transaction.save(_diary(self, appointment))


@dataclass(frozen=True, slots=True)
class Move:
    """Effect: an appointment of this customer is at another time, on another place, or of another service.

    Both appointments have one id. Cells of both stay as they are, so the new time may overlap the old one.
    """

    tenant_id: TenantId
    conversation_id: ConversationId
    turn_id: TurnId
    before: Appointment
    after: Appointment

    @property
    def name(self) -> str:
        return f"move {self.before.booking_id}"

    @property
    def writes(self) -> int:
        return len({*self.before.cells, *self.after.cells}) + (2 if self.before.start == self.after.start else 3)

    @property
    def added(self) -> tuple[Cell, ...]:
        """The cells that must be held for it."""
        return tuple(cell for cell in self.after.cells if cell not in self.before.cells)

    @property
    def freed(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.before.cells if cell not in self.after.cells)

    def write(self, transaction: TransactWrite) -> None:
        """Condition: the booking is this customer's and where it was, and every new cell is held by this turn."""
        before, after = self.before, self.after
        for cell in self.added:
            _occupy(transaction, cell, self, after)
        for cell in self.freed:
            transaction.delete(_slot(self.tenant_id, cell), condition=SlotItem.booking_id == before.booking_id)
        transaction.update(
            BookingItem(conversation_pk(self.tenant_id, self.conversation_id), booking_sk(before.booking_id)),
            actions=[
                BookingItem.start.set(_ms(after.start)),
                BookingItem.end.set(_ms(after.end)),
                BookingItem.busy_from.set(_ms(after.busy_from)),
                BookingItem.busy_until.set(_ms(after.busy_until)),
                BookingItem.service.set(after.service_id),
                BookingItem.resource.set(after.resource),
                BookingItem.turn_id.set(self.turn_id),
            ],
            condition=(BookingItem.status == "booked")
            & (BookingItem.start == _ms(before.start))
            & (BookingItem.end == _ms(before.end))
            & (BookingItem.resource == before.resource),
        )
        if after.start != before.start:
            transaction.delete(_diary(self, before))
        transaction.save(_diary(self, after))


@dataclass(frozen=True, slots=True)
class Cancel:
    """Effect: an appointment of this customer is cancelled and its cells are free."""

    tenant_id: TenantId
    conversation_id: ConversationId
    appointment: Appointment

    @property
    def name(self) -> str:
        return f"cancel {self.appointment.booking_id}"

    @property
    def writes(self) -> int:
        return len(self.appointment.cells) + 2

    def write(self, transaction: TransactWrite) -> None:
        """Condition: the booking is this customer's and still stands, and the cells are its own."""
        booking_id = self.appointment.booking_id
        transaction.update(
            BookingItem(conversation_pk(self.tenant_id, self.conversation_id), booking_sk(booking_id)),
            actions=[BookingItem.status.set("cancelled")],
            condition=BookingItem.status == "booked",
        )
        for cell in self.appointment.cells:
            transaction.delete(_slot(self.tenant_id, cell), condition=SlotItem.booking_id == booking_id)
        transaction.delete(_diary(self, self.appointment))


@dataclass(frozen=True, slots=True)
class TableCalendar:
    """The Calendar in the app table. Every key holds the tenant, and every booking's key the conversation."""

    tenant_id: TenantId
    conversation_id: ConversationId

    def taken(self, days: Iterable[date], now: datetime) -> set[Cell]:
        found: set[Cell] = set()
        for day in sorted(set(days)):
            for row in SlotItem.query(
                calendar_pk(self.tenant_id, day.isoformat()), SlotItem.sk.startswith(SLOT_PREFIX), consistent_read=True
            ):
                held = row.conversation_id != self.conversation_id and (row.held_until or 0) > _ms(now)
                if row.booking_id or held:
                    found.add(_cell(day, row.sk))
        return found

    def hold(self, wanted: Sequence[Cell], turn_id: TurnId, now: datetime) -> bool:
        free = SlotItem.booking_id.does_not_exist() & (
            SlotItem.held_until.does_not_exist()
            | (SlotItem.held_until <= _ms(now))
            # Of an earlier attempt at this turn that died: the conversation may go on with it.
            | (SlotItem.conversation_id == self.conversation_id)
        )
        until = now + timedelta(milliseconds=HOLD_MS)

        def write(transaction: transactions.LabelledWrite) -> None:
            for cell in wanted:
                transaction.update(
                    _slot(self.tenant_id, cell),
                    actions=[
                        SlotItem.turn_id.set(turn_id),
                        SlotItem.conversation_id.set(self.conversation_id),
                        SlotItem.held_until.set(_ms(until)),
                        SlotItem.expires_at.set(int(until.timestamp()) + _FORGET_HOLD_AFTER_S),
                    ],
                    condition=free,
                )

        try:
            transactions.transact(write)
        except transactions.RefusedError:
            return False
        return True

    def appointments(self, now: datetime) -> list[Appointment]:
        rows = BookingItem.query(
            conversation_pk(self.tenant_id, self.conversation_id),
            BookingItem.sk.startswith(BOOKING_PREFIX),
            consistent_read=True,
        )
        booked = [
            Appointment(
                booking_id=row.booking_id,
                start=_moment(row.start),
                end=_moment(row.end),
                busy_from=_moment(row.start if row.busy_from is None else row.busy_from),
                busy_until=_moment(row.end if row.busy_until is None else row.busy_until),
                service_id=row.service,
                resource=row.resource,
            )
            for row in rows
            if row.status == "booked" and row.end > _ms(now)
        ]
        return sorted(booked, key=lambda appointment: appointment.start)


def _occupy(transaction: TransactWrite, cell: Cell, by: Book | Move, appointment: Appointment) -> None:
    """A cell that this turn holds becomes the appointment's; refused if it holds it no more."""
    transaction.update(
        _slot(by.tenant_id, cell),
        actions=[
            SlotItem.booking_id.set(appointment.booking_id),
            SlotItem.conversation_id.set(by.conversation_id),
            SlotItem.turn_id.remove(),
            SlotItem.held_until.remove(),
            SlotItem.expires_at.set(int(appointment.end.timestamp()) + _FORGET_BOOKED_AFTER_S),
        ],
        condition=(SlotItem.turn_id == by.turn_id) & SlotItem.booking_id.does_not_exist(),
    )


def _diary(by: Book | Move | Cancel, appointment: Appointment) -> DiaryItem:
    """The appointment in the business's diary, in which all its appointments are read by time."""
    return DiaryItem(
        diary_pk(by.tenant_id),
        diary_sk(_ms(appointment.start), appointment.booking_id),
        booking_id=appointment.booking_id,
        conversation_id=by.conversation_id,
    )


def _slot(tenant_id: TenantId, cell: Cell) -> SlotItem:
    day, time_of_day = cell.start.strftime("%Y-%m-%d"), cell.start.strftime("%H:%M")
    return SlotItem(calendar_pk(tenant_id, day), slot_sk(cell.resource, time_of_day))


def _cell(day: date, sk: str) -> Cell:
    resource, _, time_of_day = sk.removeprefix(SLOT_PREFIX).rpartition("#")
    start = datetime.combine(day, datetime.strptime(time_of_day, "%H:%M").time(), tzinfo=UTC)  # noqa: DTZ007 - a time
    return Cell(start, resource)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
