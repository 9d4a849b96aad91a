"""The phone's address book: what the webhook keeps of it, and whom the assistant answers then."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from functions.shared import clock, outbox
from functions.shared.chats import load_chat
from functions.shared.contacts import load_book, saved_among
from functions.shared.contracts import MAX_CONTACTS, Contact, ContactsUpdated, Jid, MessageId, MessageStatus, TenantId
from functions.shared.conversation import load_conversation
from functions.shared.inbox import TurnOvertakenError
from functions.shared.keys import book_key, contacts_pk
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.tables import BookItem, ContactItem
from functions.shared.transactions import LabelledWrite, transact
from functions.webhook.accept import accept
from tests.integration.support import (
    LID,
    PHONE,
    Store,
    accept_and_begin,
    answer_with,
    body_of,
    direct,
    message,
    post,
    signed,
)

BOOK_AT = 1_790_000_000_000
NEWER_BOOK_AT = BOOK_AT + 60_000


def told(
    tenant: TenantId, *contacts: Contact, revision: int = 1, book_at: int = BOOK_AT, complete: bool = True
) -> ContactsUpdated:
    return ContactsUpdated(
        tenant_id=tenant,
        correlation_id=f"contacts-{revision}",
        book_at=book_at,
        revision=revision,
        contacts=contacts,
        complete=complete,
    )


def saved(jid: Jid = PHONE, alias: Jid | None = None) -> Contact:
    return Contact(jid=jid, alias=alias, saved=True)


def removed(jid: Jid = PHONE) -> Contact:
    return Contact(jid=jid, saved=False)


def is_saved(tenant: TenantId, *jids: Jid) -> bool:
    return bool(saved_among(tenant, {"somebody": jids}))


@pytest.fixture
def shop(store: Store, business: BusinessProfile) -> BusinessProfile:
    """It answers only people whom the owner has not saved."""
    return save_profile(business.model_copy(update={"audience": "unsaved_contacts"}))


# ---- what is kept -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known_by", [(PHONE,), (LID,), (LID, PHONE)])
def test_a_contact_is_found_by_either_address_and_so_is_its_removal(
    business: BusinessProfile, known_by: tuple[Jid, ...]
) -> None:
    tenant = business.tenant_id
    accept(told(tenant, saved(PHONE, alias=LID)))
    assert is_saved(tenant, *known_by)
    accept(told(tenant, removed(PHONE), revision=2))  # names one address alone
    assert not is_saved(tenant, *known_by)


def test_nobody_is_saved_for_another_business(business: BusinessProfile) -> None:
    accept(told(business.tenant_id, saved()))
    assert not is_saved(TenantId("somebody_else"), PHONE)


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1, 2])))
def test_whatever_the_order_the_newest_word_counts(business: BusinessProfile, order: tuple[int, ...]) -> None:
    tenant = business.tenant_id
    events = [
        told(tenant, saved(), revision=1),
        told(tenant, removed(), revision=2),
        told(tenant, saved(), revision=3),
    ]
    for at in order:
        accept(events[at])
    assert is_saved(tenant, PHONE)
    assert accept(events[1]).answer.result == "ignored"
    assert is_saved(tenant, PHONE)


def test_an_older_word_about_one_keeps_no_newer_word_about_another_from_being_heard(business: BusinessProfile) -> None:
    tenant, other = business.tenant_id, Jid("972529999999@s.whatsapp.net")
    accept(told(tenant, removed(), revision=5))
    accept(told(tenant, saved(), saved(other), revision=4))
    assert (is_saved(tenant, PHONE), is_saved(tenant, other)) == (False, True)


def test_a_newer_book_replaces_an_older_one_once_it_is_complete(business: BusinessProfile) -> None:
    tenant, other = business.tenant_id, Jid("972529999999@s.whatsapp.net")
    accept(told(tenant, saved(), revision=70))
    accept(told(tenant, saved(other), revision=3, book_at=NEWER_BOOK_AT, complete=False))
    assert (is_saved(tenant, PHONE), is_saved(tenant, other)) == (True, True)
    accept(told(tenant, revision=3, book_at=NEWER_BOOK_AT))
    assert (is_saved(tenant, PHONE), is_saved(tenant, other)) == (False, True)
    accept(told(tenant, saved(), revision=71))
    assert not is_saved(tenant, PHONE), "of the phone that was linked before"


def test_what_an_older_book_said_expires(business: BusinessProfile) -> None:
    tenant = business.tenant_id
    accept(told(tenant, saved(PHONE, alias=LID)))
    accept(told(tenant, saved(Jid("972529999999@s.whatsapp.net")), book_at=NEWER_BOOK_AT))
    rows = list(ContactItem.query(contacts_pk(tenant), consistent_read=True))
    stays = {row.sk for row in rows if row.expires_at is None}
    assert stays == {"BOOK", "CONTACT#972529999999@s.whatsapp.net"}


def test_a_newer_book_counts_before_an_older_one_of_any_size_is_gone_and_the_next_event_goes_on(
    business: BusinessProfile,
) -> None:
    tenant, hurried = business.tenant_id, itertools.count(NEWER_BOOK_AT, 20_000)
    accept(told(tenant, saved(PHONE, alias=LID)))
    accept(told(tenant, book_at=NEWER_BOOK_AT), now_ms=lambda: next(hurried))
    assert not is_saved(tenant, PHONE)
    assert {row.expires_at for row in older_rows(tenant)} == {None}, "there was no time for it"
    accept(told(tenant, revision=2, book_at=NEWER_BOOK_AT))
    assert None not in {row.expires_at for row in older_rows(tenant)}
    book = BookItem.get(*book_key(tenant), consistent_read=True)
    assert book.older_left is None


def test_what_of_an_older_book_is_said_anew_meanwhile_stays(
    business: BusinessProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = business.tenant_id
    accept(told(tenant, saved(), saved(LID)))

    def late(write: Callable[[LabelledWrite], None]) -> None:
        monkeypatch.setattr("functions.webhook.contacts.transact", transact)
        accept(told(tenant, saved(), revision=2, book_at=NEWER_BOOK_AT, complete=False))
        transact(write)

    monkeypatch.setattr("functions.webhook.contacts.transact", late)
    accept(told(tenant, book_at=NEWER_BOOK_AT))
    assert (is_saved(tenant, PHONE), is_saved(tenant, LID)) == (True, False)
    [row] = older_rows(tenant)
    assert (row.sk, row.expires_at is None) == (f"CONTACT#{LID}", False)


def older_rows(tenant: TenantId) -> list[ContactItem]:
    rows = ContactItem.query(contacts_pk(tenant), consistent_read=True)
    return [row for row in rows if row.book_at < NEWER_BOOK_AT]


def test_the_largest_event_is_taken_and_a_repetition_changes_nothing(business: BusinessProfile) -> None:
    tenant = business.tenant_id
    people = [saved(Jid(f"97254{n:07d}@s.whatsapp.net"), alias=Jid(f"897254{n:07d}@lid")) for n in range(MAX_CONTACTS)]
    event = told(tenant, *people)
    assert [accept(event).answer.result for _ in range(2)] == ["accepted", "accepted"]
    assert all(is_saved(tenant, person.jid) for person in people[:: MAX_CONTACTS // 4])
    assert is_saved(tenant, Jid("8972540000199@lid"))


def test_the_book_is_known_once_all_of_it_was_told(business: BusinessProfile) -> None:
    tenant = business.tenant_id
    accept(told(tenant, saved(), complete=False))
    assert load_book(tenant) is None
    accept(told(tenant))
    book = load_book(tenant)
    assert book is not None
    accept(told(tenant, revision=2))
    assert load_book(tenant) == book, "known since then"


def test_it_comes_through_the_webhook_and_an_unknown_business_is_refused(business: BusinessProfile) -> None:
    assert body_of(post(signed(told(business.tenant_id, saved()))))["result"] == "accepted"
    assert is_saved(business.tenant_id, PHONE)
    assert post(signed(told(TenantId("nobody_here"))))["statusCode"] == 404


# ---- whom the assistant answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", [saved(PHONE), saved(LID), saved(PHONE, alias=LID)])
def test_a_person_saved_later_is_left_to_the_owner_and_a_removal_brings_the_assistant_back(
    shop: BusinessProfile, contact: Contact
) -> None:
    tenant = shop.tenant_id
    turn = accept_and_begin(tenant, "hi")
    assert not load_conversation(tenant, turn.conversation_id).left_to_owner
    accept(told(tenant, contact))
    assert load_conversation(tenant, turn.conversation_id).left_to_owner
    assert load_chat(tenant, turn.conversation_id, now_ms=clock.now_ms()).left_to_owner
    accept(told(tenant, removed(contact.jid), revision=2))
    assert not load_conversation(tenant, turn.conversation_id).left_to_owner


def learn(tenant: TenantId, sent: MessageId, *, by_receipt: bool) -> None:
    """The customer's other name, from a message or the receipt of an answer."""
    if by_receipt:
        receipt = {"chat": direct(), "message_id": sent, "status": "delivered", "at": 1}
        accept(MessageStatus.model_validate({"tenant_id": tenant, "correlation_id": "test-receipt", **receipt}))
    else:
        accept(message(tenant, "me again"))


@pytest.mark.parametrize("by_receipt", [False, True])
@pytest.mark.parametrize("two_chats", [False, True])
def test_who_turns_out_to_be_saved_by_their_other_name_hears_nothing_that_was_begun(
    shop: BusinessProfile, by_receipt: bool, two_chats: bool
) -> None:
    tenant = shop.tenant_id
    if two_chats:
        accept(message(tenant, "by phone", chat=direct(lid=None)))
    accept(told(tenant, saved(PHONE)))
    begun = accept_and_begin(tenant, "hi", chat=direct(phone=None))
    sent, _ = answer_with(begun, "hello", "how can I help?")
    under_way = accept_and_begin(tenant, "when are you open?", chat=direct(phone=None))

    learn(tenant, sent, by_receipt=by_receipt)

    with pytest.raises(TurnOvertakenError):
        answer_with(under_way, "at nine")
    with pytest.raises(outbox.OvertakenError):
        outbox.claim(outbox.unfinished(tenant, begun.conversation_id)[-1], now_ms=clock.now_ms(), lease_ms=1)


@pytest.mark.parametrize("by_receipt", [False, True])
def test_of_who_is_not_saved_a_second_name_voids_no_answer(shop: BusinessProfile, by_receipt: bool) -> None:
    tenant = shop.tenant_id
    accept(told(tenant, saved(Jid("972529999999@s.whatsapp.net"))))
    begun = accept_and_begin(tenant, "hi", chat=direct(phone=None))
    sent, _ = answer_with(begun, "hello", "how can I help?")
    learn(tenant, sent, by_receipt=by_receipt)
    first = outbox.unfinished(tenant, begun.conversation_id)[0]
    assert outbox.claim(first, now_ms=clock.now_ms(), lease_ms=1).message_id == first.message_id


def test_who_is_saved_while_the_assistant_thinks_hears_nothing_of_it(shop: BusinessProfile, store: Store) -> None:
    turn = accept_and_begin(shop.tenant_id, "hi")
    accept(told(shop.tenant_id, saved()))
    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "hello")
    assert store.outbox(shop.tenant_id) == []
    assert store.conversation(shop.tenant_id).sweep_at is not None, "the message is looked at anew"


def test_an_answer_that_waits_is_void_when_its_reader_is_saved(shop: BusinessProfile, store: Store) -> None:
    turn = accept_and_begin(shop.tenant_id, "hi")
    answer_with(turn, "hello")
    rings = accept(told(shop.tenant_id, saved(LID))).rings
    assert [(ring.queue, ring.conversation_id) for ring in rings] == [("outgoing", turn.conversation_id)]
    row = store.outbox(shop.tenant_id)[0]
    assert row.epoch < store.conversation(shop.tenant_id).epoch


@pytest.mark.parametrize("audience", ["new_chats", "everyone"])
def test_another_audience_does_not_mind_who_is_saved(business: BusinessProfile, store: Store, audience: str) -> None:
    save_profile(business.model_copy(update={"audience": audience}))
    turn = accept_and_begin(business.tenant_id, "hi")
    accept(told(business.tenant_id, saved()))
    assert not load_conversation(business.tenant_id, turn.conversation_id).left_to_owner
    answer_with(turn, "hello")


@pytest.mark.parametrize("known", [False, True])
def test_a_chat_that_the_owner_began_with_somebody_unsaved(shop: BusinessProfile, store: Store, known: bool) -> None:
    """The address book alone decides, once it is known; until then the owner's chats are the owner's."""
    save_profile(shop.model_copy(update={"takeover_pause_minutes": 0}))
    if known:
        accept(told(shop.tenant_id))
    accept(message(shop.tenant_id, "you called?", from_me=True))
    rings = accept(message(shop.tenant_id, "yes")).rings
    assert [ring.queue for ring in rings] == (["turns"] if known else [])
