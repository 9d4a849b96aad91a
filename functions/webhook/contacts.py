"""What the gateway tells of the phone's address book: kept in order, and in effect at once.

An event may come again, and late: a row only ever takes what is as new as itself or newer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition

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
from functions.shared.transactions import LabelledWrite, RefusedError, transact
from functions.webhook.chats import UnknownTenantError

CONTACTS_AT_ONCE = 50
"""Two rows each: a transaction has at most 100."""
REMOVED_KEPT_MS = 100 * 24 * 3_600_000
"""A removal is remembered for longer than the gateway keeps any event that it overtook: 90 days, if it was refused."""


def record(event: ContactsUpdated, *, now_ms: int, ring: Ring) -> bool:
    """Keep what the event says; False if something newer is known of everybody in it.

    If the business leaves saved contacts to the owner, what the assistant has under way for one of them is void.
    Raises UnknownTenantError, transactions.ContentionError.
    """
    profile = find(ProfileItem, profile_key(event.tenant_id))
    if profile is None:
        raise UnknownTenantError(f"there is no business {event.tenant_id}")
    news: list[Contact] = []
    for at in range(0, len(event.contacts), CONTACTS_AT_ONCE):
        news += _keep(event, event.contacts[at : at + CONTACTS_AT_ONCE], now_ms)
    saved = [contact for contact in news if leaves_to_owner(profile.audience, saved=contact.saved)]
    # Behind the rows: a turn that did not see them began before, and is overtaken here.
    for conversation_id in _conversations(event.tenant_id, saved):
        takeover.void_answers(event.tenant_id, conversation_id, now_ms=now_ms, ring=ring)
    completed = event.complete and _complete(event, now_ms)
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


def _complete(event: ContactsUpdated, now_ms: int) -> bool:
    """From now on who is not in this book is not saved. False if a newer book is known."""
    known = find(BookItem, book_key(event.tenant_id))
    replaces = known is not None and known.book_at < event.book_at
    since = known.known_since if known is not None and known.book_at == event.book_at else now_ms
    pk, sk = book_key(event.tenant_id)
    row = BookItem(pk, sk, book_at=event.book_at, revision=event.revision, known_since=since)
    if replaces:
        _forget_before(event.tenant_id, event.book_at, now_ms)
    try:
        row.save(condition=_not_newer(BookItem, event))
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _forget_before(tenant_id: TenantId, book_at: int, now_ms: int) -> None:
    """Let what older books said expire: it is void with the newer one, and perhaps of another phone."""
    older: Condition = (ContactItem.book_at < book_at) & ContactItem.expires_at.does_not_exist()
    for row in ContactItem.query(contacts_pk(tenant_id), filter_condition=older, consistent_read=True):
        if row.sk == BOOK:
            continue
        # Each by itself, and not those written meanwhile: whoever is cut short goes on at the event's repetition.
        try:
            row.update(actions=[ContactItem.expires_at.set(now_ms // 1000)], condition=ContactItem.book_at < book_at)
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
