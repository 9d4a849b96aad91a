"""Whom the owner has saved in the phone's address book, as far as the gateway told. webhook/contacts.py writes it.

A contact is kept under one address and, where the phone says it, found under the other one. Each row says from which
book it is: a newer book, read as a whole after the number was linked again, makes the rows of an older one void.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from functions.shared.contracts import TenantId
from functions.shared.keys import book_key, contact_alias_key, contact_key
from functions.shared.tables import BookItem, ContactAliasItem, ContactItem, CustomerItem, Found, find, get_together

_Who = TypeVar("_Who")


@dataclass(frozen=True, slots=True)
class Book:
    """The newest address book that is known as a whole. Times in Unix milliseconds."""

    book_at: int
    known_since: int


def load_book(tenant_id: TenantId) -> Book | None:
    """None: the phone has not told its contacts yet."""
    row = find(BookItem, book_key(tenant_id))
    return None if row is None else Book(row.book_at, row.known_since)


def is_saved(tenant_id: TenantId, customer: CustomerItem | None) -> bool:
    """Whether the owner saved this customer under any address that is known of them."""
    return bool(saved_among(tenant_id, {"customer": addresses(customer)}))


def addresses(customer: CustomerItem | None) -> list[str]:
    return [] if customer is None else [jid for jid in (customer.lid, customer.phone_jid) if jid is not None]


def saved_among(tenant_id: TenantId, people: Mapping[_Who, Collection[str]]) -> set[_Who]:
    """Those of `people`, each with their addresses, who are saved; strongly consistent."""
    jids = {jid for known in people.values() for jid in known}
    if not jids:
        return set()
    keys = [key for jid in jids for key in (contact_key(tenant_id, jid), contact_alias_key(tenant_id, jid))]
    found = get_together([book_key(tenant_id), *keys])
    book = found.get(BookItem, book_key(tenant_id))
    since = book.book_at if book else 0
    aliases = {jid: found.get(ContactAliasItem, contact_alias_key(tenant_id, jid)) for jid in jids}
    led_to = {jid: row.contact_jid for jid, row in aliases.items() if row is not None}
    more = get_together(contact_key(tenant_id, jid) for jid in {*led_to.values()} - jids)
    saved = {jid for jid in jids if _counts(found, tenant_id, jid, since)}
    saved |= {jid for jid, led in led_to.items() if led in saved or _counts(more, tenant_id, led, since)}
    return {who for who, known in people.items() if saved.intersection(known)}


def _counts(found: Found, tenant_id: TenantId, jid: str, since: int) -> bool:
    row = found.get(ContactItem, contact_key(tenant_id, jid))
    return row is not None and row.saved and row.book_at >= since
