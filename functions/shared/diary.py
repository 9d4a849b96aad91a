"""All appointments of a business in their order. Reading only: the commits that book, move and cancel write it."""

from __future__ import annotations

from dataclasses import dataclass

from functions.shared.contracts import ConversationId, TenantId
from functions.shared.keys import CUSTOMER, booking_sk, conversation_pk, diary_pk, diary_sk
from functions.shared.tables import BookingItem, CustomerItem, DiaryItem, get_together


@dataclass(frozen=True, slots=True)
class Entry:
    """A booked appointment and whose it is. Times in Unix milliseconds."""

    booking_id: str
    conversation_id: ConversationId
    start: int
    end: int
    service_id: str
    place: str
    """Of a resource: see Resource.places."""
    customer_name: str | None
    customer_phone: str | None
    """E.164."""


def entries(tenant_id: TenantId, *, begins: int, ends: int, most: int) -> list[Entry]:
    """The appointments that start from `begins` until before `ends` (Unix milliseconds), the first `most` of them."""
    rows = list(
        DiaryItem.query(
            diary_pk(tenant_id),
            DiaryItem.sk.between(diary_sk(begins, ""), diary_sk(ends, "")),
            consistent_read=True,
            limit=most,
        )
    )
    pks = {row.sk: conversation_pk(tenant_id, row.conversation_id) for row in rows}
    bookings = {row.sk: (pks[row.sk], booking_sk(row.booking_id)) for row in rows}
    found = get_together([*bookings.values(), *((pk, CUSTOMER) for pk in pks.values())])
    listed = []
    for row in rows:
        booking = found.get(BookingItem, bookings[row.sk])
        # Read after the diary: it may have been moved or cancelled in between.
        if booking is not None and booking.status == "booked" and diary_sk(booking.start, row.booking_id) == row.sk:
            listed.append(_entry(row, booking, found.get(CustomerItem, (pks[row.sk], CUSTOMER))))
    return listed


def _entry(row: DiaryItem, booking: BookingItem, customer: CustomerItem | None) -> Entry:
    phone = customer.phone_jid.partition("@")[0] if customer and customer.phone_jid else None
    return Entry(
        booking_id=row.booking_id,
        conversation_id=ConversationId(row.conversation_id),
        start=booking.start,
        end=booking.end,
        service_id=booking.service,
        place=booking.resource,
        customer_name=customer.name if customer else None,
        customer_phone=f"+{phone}" if phone else None,
    )
