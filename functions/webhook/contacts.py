"""What the gateway tells of the phone's address book: kept in order, and in effect at once.

An event may come again, and late: a row only ever takes what is as new as itself or newer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared import takeover
from functions.shared.audience import leaves_to_owner
from functions.shared.contracts import Contact, ContactsUpdated, ConversationId, TenantId
from functions.shared.keys import BOOK, alias_key, book_key, contact_alias_key, contact_key, contacts_pk, profile_key
from functions.shared.queues import Ring
from functions.shared.tables import (
    AliasItem,
    BookItem,
    ContactAliasItem,
    ContactItem,
    ProfileItem,
    find,
    get_together,
    not_exists,
)
from functions.shared.transactions import MAX_ITEMS, LabelledWrite, RefusedError, transact
from functions.webhook.chats import UnknownTenantError

CONTACTS_AT_ONCE = 50
"""Two rows each: a transaction has at most 100."""
FORGETTING_MS = 3_000
"""For letting older books expire, of the function's 10 s: a thousand people or more at a time."""
REMOVED_KEPT_MS = 100 * 24 * 3_600_000
"""A removal is remembered for longer than the gateway keeps any event that it overtook: 90 days, if it was refused."""


def record(event: ContactsUpdated, *, clock_ms: Callable[[], int], ring: Ring) -> bool:
    """Keep what the event says; False if something newer is known of everybody in it.

    `clock_ms` bounds the tidying behind it. What it does not reach is void all the same, and the next event goes on.
    If the business leaves saved contacts to the owner, what the assistant has under way for one of them is void.
    Raises UnknownTenantError, transactions.ContentionError.
    """
    profile = find(ProfileItem, profile_key(event.tenant_id))
    now_ms = clock_ms()
    if profile is None:
        raise UnknownTenantError(f"there is no business {event.tenant_id}")
    news: list[Contact] = []
    for at in range(0, len(event.contacts), CONTACTS_AT_ONCE):
        news += _keep(event, event.contacts[at : at + CONTACTS_AT_ONCE], now_ms)
    saved = [contact for contact in news if leaves_to_owner(profile.audience, saved=contact.saved)]
    # Behind the rows: a turn that did not see them began before, and is overtaken here.
    for conversation_id in _conversations(event.tenant_id, saved):
        takeover.void_answers(event.tenant_id, conversation_id, now_ms=now_ms, ring=ring)
    completed = event.complete and _complete(event, now_ms, clock_ms)
    return completed or bool(news)


def _keep(event: ContactsUpdated, contacts: Sequence[Contact], now_ms: int) -> list[Contact]:
    """Write those of `contacts` of which nothing newer is known, and return them."""
    left = {str(contact.jid): contact for contact in contacts}
    while left:
        try:
            transact(_writer(event, list(left.values()), now_ms))
            break
        except RefusedError as refused:
            left = {jid: contact for jid, contact in left.items() if jid not in refused.labels}
    return list(left.values())


def _writer(event: ContactsUpdated, contacts: Sequence[Contact], now_ms: int) -> Callable[[LabelledWrite], None]:
    tenant_id, book_at, revision = event.tenant_id, event.book_at, event.revision
    aliases = {contact.alias: contact for contact in contacts if contact.alias is not None}

    def write(transaction: LabelledWrite) -> None:
        for contact in contacts:
            with transaction.labelled(contact.jid):
                pk, sk = contact_key(tenant_id, contact.jid)
                row = ContactItem(pk, sk, saved=contact.saved, book_at=book_at, revision=revision)
                if not contact.saved:
                    row.expires_at = (now_ms + REMOVED_KEPT_MS) // 1000
                transaction.save(row, condition=_not_newer(ContactItem, event))
        for alias, contact in aliases.items():
            with transaction.labelled(contact.jid):
                pk, sk = contact_alias_key(tenant_id, alias)
                led = ContactAliasItem(pk, sk, contact_jid=contact.jid, book_at=book_at, revision=revision)
                transaction.save(led, condition=_not_newer(ContactAliasItem, event))

    return write


def _complete(event: ContactsUpdated, now_ms: int, clock_ms: Callable[[], int]) -> bool:
    """From now on who is not in this book is not saved. False if a newer book is known."""
    known = find(BookItem, book_key(event.tenant_id))
    replaces = known is not None and known.book_at < event.book_at
    since = known.known_since if known is not None and known.book_at == event.book_at else now_ms
    pk, sk = book_key(event.tenant_id)
    row = BookItem(pk, sk, book_at=event.book_at, revision=event.revision, known_since=since)
    if replaces or (known is not None and known.older_left):
        row.older_left = True
    try:
        row.save(condition=_not_newer(BookItem, event))
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    # Behind the row, which makes the older books void: however many they are, nobody waits for their going.
    if row.older_left and _forget_before(event.tenant_id, event.book_at, now_ms, clock_ms):
        _note_forgotten(row)
    return True


def _forget_before(tenant_id: TenantId, book_at: int, now_ms: int, clock_ms: Callable[[], int]) -> bool:
    """Let what older books said expire: it is void, and perhaps of another phone. False if time ran out."""
    older: Condition = (ContactItem.book_at < book_at) & ContactItem.expires_at.does_not_exist()
    found = ContactItem.query(contacts_pk(tenant_id), filter_condition=older, consistent_read=True)
    rows = (row for row in found if row.sk != BOOK)
    while some := list(islice(rows, MAX_ITEMS)):
        if clock_ms() - now_ms > FORGETTING_MS:
            return False
        _expire(some, book_at, now_ms)
    return True


def _expire(rows: Sequence[ContactItem], book_at: int, now_ms: int) -> None:
    left = {row.sk: row for row in rows}
    expired: list[Action] = [ContactItem.expires_at.set(now_ms // 1000)]

    def write(transaction: LabelledWrite) -> None:
        for sk, row in left.items():
            with transaction.labelled(sk):
                transaction.update(row, expired, condition=ContactItem.book_at < book_at)

    while left:
        try:
            transact(write)
            break
        except RefusedError as refused:  # written anew meanwhile
            left = {sk: row for sk, row in left.items() if sk not in refused.labels}


def _note_forgotten(book: BookItem) -> None:
    try:
        book.update(actions=[BookItem.older_left.remove()], condition=BookItem.book_at == book.book_at)
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise


def _not_newer(model: type[ContactItem | ContactAliasItem | BookItem], event: ContactsUpdated) -> Condition:
    same_book: Condition = (model.book_at == event.book_at) & (model.revision <= event.revision)
    condition: Condition = not_exists(model) | (model.book_at < event.book_at) | same_book
    return condition


def _conversations(tenant_id: TenantId, contacts: Sequence[Contact]) -> set[ConversationId]:
    """The conversations with these people."""
    jids = {jid for contact in contacts for jid in (contact.jid, contact.alias) if jid is not None}
    found = get_together(alias_key(tenant_id, jid) for jid in jids)
    aliases = [found.get(AliasItem, alias_key(tenant_id, jid)) for jid in jids]
    return {ConversationId(alias.conversation_id) for alias in aliases if alias is not None}
