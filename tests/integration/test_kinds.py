"""What each kind of message does to its conversation: which waits for the assistant, which is the owner's word."""

from __future__ import annotations

import pytest

from functions.shared import takeover
from functions.shared.contracts import (
    Content,
    DeletionContent,
    EditContent,
    LocationContent,
    MediaContent,
    MessageId,
    MessageReceived,
    Quoted,
    ReactionContent,
    TenantId,
    TextContent,
    UnsupportedContent,
)
from functions.shared.conversation import load_messages
from functions.shared.profile import BusinessProfile
from tests.integration.support import Store, accept_and_begin, answer_with, body_of, message, post, signed

EARLIER = MessageId("EARLIER")
REACTION = ReactionContent(target_id=EARLIER, target_from_me=True, emoji="👍")
DELETION = DeletionContent(target_id=EARLIER)
EDIT = EditContent(target_id=EARLIER, text="eleven")
UNREAD = UnsupportedContent(what="undecryptable")
POLL = UnsupportedContent(what="pollCreationMessageV3")
PICTURE = MediaContent(kind="image", media_type="image/png", missing="x")


def take(event: MessageReceived) -> str:
    answer = post(signed(event))
    assert answer["statusCode"] == 200, answer
    result: str = body_of(answer)["result"]
    return result


def of(tenant: TenantId, content: Content, *, from_me: bool = False, message_id: str | None = None) -> MessageReceived:
    return message(tenant, from_me=from_me, message_id=message_id).model_copy(update={"content": content})


@pytest.mark.parametrize("content", [REACTION, DELETION, UNREAD, UnsupportedContent(what="albumMessage")])
def test_what_asks_for_nothing_is_stored_and_rings_nobody(
    store: Store, tenant: TenantId, business: BusinessProfile, content: Content
) -> None:
    answer_with(accept_and_begin(tenant, "hi"), "hello")
    store.drain_queues()

    assert take(of(tenant, content)) == "accepted"

    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq, conversation.epoch) == (2, 2, 0)
    assert store.rings("turns") == []


@pytest.mark.parametrize("content", [REACTION, DELETION])
def test_behind_a_waiting_message_it_rings_for_that_one(
    store: Store, tenant: TenantId, business: BusinessProfile, content: Content
) -> None:
    take(message(tenant, "ten", message_id=EARLIER))
    take(of(tenant, content))

    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq) == (2, 0)
    # The newest doorbell decides; the older one says "a newer one is coming".
    assert [bell.seq for bell in store.rings("turns")] == [1, 2]


@pytest.mark.parametrize("content", [EDIT, LocationContent(latitude=1.0, longitude=2.0), POLL])
def test_what_says_something_waits_for_the_assistant(
    store: Store, tenant: TenantId, business: BusinessProfile, content: Content
) -> None:
    answer_with(accept_and_begin(tenant, "hi"), "hello")
    store.drain_queues()

    take(of(tenant, content))

    assert store.conversation(tenant).handled_seq == 1
    assert [bell.seq for bell in store.rings("turns")] == [2]


@pytest.mark.parametrize("content", [REACTION, EDIT, DELETION])
def test_the_owner_who_marks_corrects_or_deletes_takes_nothing_over(
    store: Store, tenant: TenantId, business: BusinessProfile, content: Content
) -> None:
    take(message(tenant, "ten", message_id=EARLIER))
    take(of(tenant, content, from_me=True))

    conversation = store.conversation(tenant)
    assert (conversation.epoch, conversation.paused_until, conversation.handled_seq) == (0, None, 0)
    assert [item.author for item in store.messages(tenant)] == ["customer", "owner"]
    assert [bell.seq for bell in store.rings("turns")] == [1, 2]
    assert store.rings("outgoing") == []


@pytest.mark.parametrize(
    "content",
    [MediaContent(kind="image", media_type="image/png", missing="x"), UNREAD, UnsupportedContent(what="poll")],
)
def test_any_other_word_of_the_owner_takes_over_read_or_not(
    store: Store, tenant: TenantId, business: BusinessProfile, content: Content
) -> None:
    take(message(tenant, "ten", message_id=EARLIER))
    take(of(tenant, content, from_me=True, message_id="OWNERS.undecryptable"))

    conversation = store.conversation(tenant)
    assert (conversation.epoch, conversation.handled_seq) == (1, 2)
    assert conversation.paused_until is not None


def test_what_could_not_be_read_calls_a_person_until_it_comes(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    note = of(tenant, UNREAD, message_id="LATE.undecryptable").model_copy(update={"correlation_id": "LATE"})
    take(note)
    called = store.conversation(tenant).needs_attention
    take(message(tenant, "ten", message_id="LATE").model_copy(update={"correlation_id": "LATE"}))

    assert called is not None
    assert "could not be read" in called
    assert store.conversation(tenant).needs_attention is None
    assert take(note) == "ignored"


def test_the_note_of_a_message_that_came_meanwhile_is_no_news(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    take(message(tenant, "ten", message_id="LATE"))

    assert take(of(tenant, UNREAD, message_id="LATE.undecryptable")) == "ignored"
    assert len(store.messages(tenant)) == 1


def test_a_quote_and_the_chats_timer_are_kept(store: Store, tenant: TenantId, business: BusinessProfile) -> None:
    quoted = Quoted(message_id=EARLIER, from_me=True, text="at ten?")
    take(message(tenant, "yes").model_copy(update={"quoted": quoted, "disappearing_seconds": 86_400}))
    take(of(tenant, REACTION))
    kept = store.conversation(tenant).disappearing_seconds
    take(message(tenant, "and now without"))

    [first, *_] = load_messages(tenant, store.conversation_id(tenant), 1, 1)
    assert (first.content, first.quoted) == (TextContent(text="yes"), quoted)
    assert kept == 86_400
    assert store.conversation(tenant).disappearing_seconds is None


def test_a_reaction_does_not_end_a_pause_nor_answer_what_waits_in_it(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    take(message(tenant, "ten", message_id=EARLIER))
    one = store.conversation_id(tenant)
    takeover.pause(tenant, one, until=9_000_000_000_000, ring=lambda *_: None)
    store.drain_queues()

    take(of(tenant, REACTION, from_me=True))

    conversation = store.conversation(tenant)
    assert (conversation.handled_seq, conversation.paused_until) == (0, 9_000_000_000_000)
    assert store.rings("turns") == []
