"""The owner writes by a LID that nobody can place: a customer until WhatsApp tells whose it is, and never after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from functions.agent import turn as agent_turn
from functions.agent.assistant import AgentCache
from functions.agent.store import AppStore
from functions.agent.turn import World
from functions.shared import clock, due, outbox, promote, queues
from functions.shared.contracts import Chat, ConversationId, Doorbell, Jid, MessageStatus, TenantId
from functions.shared.conversation import load_conversation
from functions.shared.inbox import Turn, TurnOvertakenError
from functions.shared.owners import jid_of
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.scheduled import FollowUp, Scheduled, notices, scheduled_in, to_item
from functions.webhook.accept import accept
from tests.integration.support import LID, Store, accept_and_begin, answer_with, direct, message

OWNER = "+972501111111"
OWNERS_PHONE = jid_of(OWNER)
BY_LID = direct(phone=None)
BOTH = direct(phone=OWNERS_PHONE)

Learn = Callable[[TenantId, Store], object]


@pytest.fixture
def tenant(business: BusinessProfile) -> TenantId:
    changed = business.model_dump(mode="json") | {"owner_numbers": [OWNER]}
    return save_profile(BusinessProfile.model_validate(changed)).tenant_id


def notify(tenant: TenantId, about: ConversationId) -> None:
    """Tell the owner something, by their phone number."""
    profile = BusinessProfile.model_validate(AppStore().profile(tenant))
    [notice] = notices(profile, about, "n", "A hot lead", urgent=True, now_ms=clock.now_ms())
    to_item(notice).save()
    assert promote.promote(tenant, about, notice.name, now_ms=notice.due_at, ring=queues.ring_again) == "queued"


def by_a_message(tenant: TenantId, store: Store) -> None:
    accept(message(tenant, "it is me", chat=BOTH))


def by_a_receipt(tenant: TenantId, store: Store) -> None:
    """Of a notice that went to the phone; their LID confirms it."""
    chat = store.conversation_id(tenant, OWNERS_PHONE)
    [row] = store.outbox(tenant, chat)
    receipt = MessageStatus.model_validate(
        {
            "tenant_id": tenant,
            "correlation_id": "test-receipt",
            "chat": Chat(kind="direct", jid=OWNERS_PHONE, lid=LID, phone_jid=OWNERS_PHONE),
            "message_id": row.message_id,
            "status": "delivered",
            "at": 1,
        }
    )
    accept(receipt)
    accept(receipt)


def by_an_answer_of_the_business(tenant: TenantId, store: Store) -> None:
    accept(message(tenant, "noted", chat=BOTH, from_me=True))


def some_customer(tenant: TenantId, store: Store) -> ConversationId:
    other = Jid("111@lid")
    accept(message(tenant, "hello", chat=direct(lid=other, phone=None)))
    return store.conversation_id(tenant, other)


def owner_writes(tenant: TenantId) -> Turn:
    """As a customer, by LID alone; the assistant is about to answer."""
    return accept_and_begin(tenant, "who wrote today?", chat=BY_LID)


LEARNED = pytest.mark.parametrize("learn", [by_a_message, by_a_receipt, by_an_answer_of_the_business])


@LEARNED
@pytest.mark.parametrize("told_first", [False, True])
def test_once_the_names_are_known_to_be_one_the_owner_is_nobodys_customer(
    store: Store, tenant: TenantId, learn: Learn, told_first: bool
) -> None:
    about = some_customer(tenant, store)
    if told_first:
        notify(tenant, about)
    turn = owner_writes(tenant)
    assert not load_conversation(tenant, turn.conversation_id).is_owner, "nothing tells yet"
    if not told_first:
        notify(tenant, about)

    learn(tenant, store)

    assert load_conversation(tenant, turn.conversation_id).is_owner, "the chat that they wrote in"
    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "2 customers wrote")
    accept(message(tenant, "by LID alone again", chat=BY_LID))
    for jid in (LID, OWNERS_PHONE):
        assert load_conversation(tenant, store.conversation_id(tenant, jid)).is_owner


@LEARNED
def test_what_the_assistant_had_queued_for_them_is_not_sent_any_more(
    store: Store, tenant: TenantId, learn: Learn
) -> None:
    turn = owner_writes(tenant)
    answer_with(turn, "We open at nine")
    notify(tenant, some_customer(tenant, store))

    learn(tenant, store)

    [row] = outbox.unfinished(tenant, turn.conversation_id)
    with pytest.raises(outbox.OvertakenError):
        outbox.claim(row, now_ms=clock.now_ms(), lease_ms=1)


def test_the_turn_that_was_rung_before_ends_without_a_word(store: Store, tenant: TenantId) -> None:
    notify(tenant, some_customer(tenant, store))
    begun = owner_writes(tenant)
    by_a_receipt(tenant, store)
    bell = Doorbell(tenant_id=tenant, conversation_id=begun.conversation_id, seq=begun.hi, correlation_id="c")
    outcome = asyncio.run(agent_turn.answer(bell, World(AppStore(), AgentCache(), clock.now_ms, 5.0)))
    assert outcome == "from_the_owner"
    assert store.outbox(tenant, begun.conversation_id) == []


def test_a_follow_up_to_who_turned_out_to_be_the_owner_is_dropped(store: Store, tenant: TenantId) -> None:
    turn = owner_writes(tenant)
    answer_with(turn, "Shall I ask again?")
    row = Scheduled(
        tenant, turn.conversation_id, "follow-up", 1_000, 2_000, "Still interested?", "a follow-up", FollowUp(turn.hi)
    )
    to_item(row).save()
    notify(tenant, some_customer(tenant, store))
    by_a_receipt(tenant, store)
    promote.promote(tenant, turn.conversation_id, "follow-up", now_ms=1_500, ring=queues.ring_again)
    [left] = [one for one in scheduled_in(tenant, turn.conversation_id) if one.kind == "follow_up"]
    assert (left.state, left.reason) == ("dropped", "it would go to the owner")
    assert due.decide(row, due.Facts(AppStore().profile(tenant), connected=True), now_ms=1_500) == due.Send()


def test_a_customers_second_name_overtakes_nobody(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi", chat=BY_LID)
    before = store.conversation(tenant).epoch
    [message_id] = answer_with(turn, "hello")
    receipt = {"chat": direct(), "message_id": message_id, "status": "delivered", "at": 1}
    accept(MessageStatus.model_validate({"tenant_id": tenant, "correlation_id": "test-receipt", **receipt}))
    assert store.conversation_id(tenant, direct().phone_jid or LID) == turn.conversation_id
    assert store.conversation(tenant).epoch == before


@pytest.mark.parametrize("by_receipt", [False, True])
def test_a_conversation_that_was_merged_before_is_overtaken_too(
    store: Store, tenant: TenantId, by_receipt: bool
) -> None:
    """Their number changed: known by the old one and by LID, and now the phone is the owner's."""
    accept(message(tenant, "by the old number", chat=direct(lid=None)))
    begun = accept_and_begin(tenant, "who wrote today?", chat=BY_LID)
    [sent] = answer_with(begun, "Many")
    under_way = accept_and_begin(tenant, "who?", chat=BY_LID)
    accept(message(tenant, "by both", chat=direct()))
    if by_receipt:
        receipt = {"chat": BOTH, "message_id": sent, "status": "delivered", "at": 1}
        accept(MessageStatus.model_validate({"tenant_id": tenant, "correlation_id": "test-receipt", **receipt}))
    else:
        by_a_message(tenant, store)
    with pytest.raises(TurnOvertakenError):
        answer_with(under_way, "2 customers")
