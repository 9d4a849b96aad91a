"""Two conversations turn out to be one person's: what silenced the assistant in one of them silences it in both."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.shared import clock, ids, outbox, queues, takeover
from functions.shared.contracts import Chat, ConversationId, MessageId, MessageStatus, TenantId, TextContent
from functions.shared.conversation import Snapshot, load_conversation
from functions.shared.endings import ConsentChange, HandOver, end
from functions.shared.inbox import Turn, TurnOvertakenError
from functions.shared.transactions import RefusedError
from functions.webhook import names
from functions.webhook.accept import accept
from functions.webhook.chats import read_chat
from tests.integration.support import Store, accept_and_begin, answer_with, direct, message

BY_PHONE, BY_LID, BY_BOTH = direct(lid=None), direct(phone=None), direct()
HOUR_MS = 3_600_000

Join = Callable[[TenantId, MessageId], object]
Close = Callable[[TenantId, Chat], ConversationId]


def by_a_message(tenant: TenantId, sent: MessageId) -> None:
    accept(message(tenant, "me again", chat=BY_BOTH))


def by_a_receipt(tenant: TenantId, sent: MessageId) -> None:
    receipt = {"chat": BY_BOTH, "message_id": sent, "status": "delivered", "at": 1}
    accept(MessageStatus.model_validate({"tenant_id": tenant, "correlation_id": "test-receipt", **receipt}))


JOINED = pytest.mark.parametrize("join", [by_a_message, by_a_receipt])


def opted_out(tenant: TenantId, chat: Chat) -> ConversationId:
    turn = accept_and_begin(tenant, "stop", chat=chat)
    end(turn, ConsentChange("opted_out", "you will not hear from us", seq=turn.hi), now_ms=clock.now_ms())
    return turn.conversation_id


def paused(tenant: TenantId, chat: Chat) -> ConversationId:
    one = conversation_of(tenant, chat)
    takeover.pause(tenant, one, until=clock.now_ms() + HOUR_MS, ring=queues.ring_again)
    return one


def switched_off(tenant: TenantId, chat: Chat) -> ConversationId:
    one = conversation_of(tenant, chat)
    takeover.switch_off(tenant, one, now_ms=clock.now_ms(), ring=queues.ring_again)
    return one


def conversation_of(tenant: TenantId, chat: Chat) -> ConversationId:
    return read_chat(tenant, chat, ids.new_message_id()).conversation_id


def gates(snapshot: Snapshot) -> tuple[bool, int | None, int | None]:
    return snapshot.ai_enabled, snapshot.paused_until, snapshot.opted_out_at


def both_answered(tenant: TenantId) -> tuple[Turn, Turn, MessageId]:
    """The customer by phone, then by LID, as if they were two; and what the later one was answered."""
    earlier = accept_and_begin(tenant, "hi", chat=BY_PHONE)
    answer_with(earlier, "hello")
    later = accept_and_begin(tenant, "hi there", chat=BY_LID)
    [sent] = answer_with(later, "hello")
    return earlier, later, sent


@JOINED
@pytest.mark.parametrize("close", [opted_out, paused, switched_off])
@pytest.mark.parametrize(("closed", "spoken"), [(BY_LID, BY_PHONE), (BY_PHONE, BY_LID)], ids=["later", "earlier"])
def test_who_is_silenced_by_one_name_is_silenced_by_both(
    tenant: TenantId, close: Close, closed: Chat, spoken: Chat, join: Join
) -> None:
    earlier, _, sent = both_answered(tenant)
    said = gates(load_conversation(tenant, close(tenant, closed)))
    under_way = accept_and_begin(tenant, "and when are you open?", chat=spoken)
    queued = outbox.unfinished(tenant, under_way.conversation_id)[0]

    join(tenant, sent)

    with pytest.raises(TurnOvertakenError):
        answer_with(under_way, "at nine")
    if queued.message_id != sent:  # the receipt says that it went out
        with pytest.raises(outbox.OvertakenError):
            outbox.claim(queued, now_ms=clock.now_ms(), lease_ms=1)
    accept(message(tenant, "hello?", chat=spoken))
    for one in (earlier.conversation_id, under_way.conversation_id):
        assert gates(load_conversation(tenant, one)) == said


@JOINED
def test_the_last_words_of_the_assistant_still_go_out(tenant: TenantId, join: Join) -> None:
    """The longer silence of the other conversation does not void what may pass the gate of this one."""
    earlier, later, sent = both_answered(tenant)
    takeover.pause(tenant, later.conversation_id, until=clock.now_ms() + 48 * HOUR_MS, ring=queues.ring_again)
    turn = accept_and_begin(tenant, "a person please", chat=BY_PHONE)
    end(turn, HandOver("Of course.", "the customer asked for a person", "person", "person"), now_ms=clock.now_ms())

    join(tenant, sent)

    words = outbox.unfinished(tenant, earlier.conversation_id)[-1]
    claimed = outbox.claim(words, now_ms=clock.now_ms(), lease_ms=1)
    assert claimed.content == TextContent(text="Of course.")


@JOINED
def test_two_who_may_both_be_answered_overtake_nobody(store: Store, tenant: TenantId, join: Join) -> None:
    earlier, later, sent = both_answered(tenant)
    join(tenant, sent)
    assert store.conversation(tenant, later.conversation_id).merged_into == earlier.conversation_id
    assert [store.conversation(tenant, one.conversation_id).epoch for one in (earlier, later)] == [0, 0]


@JOINED
def test_what_a_person_opened_again_stays_open(tenant: TenantId, join: Join) -> None:
    earlier, later, sent = both_answered(tenant)
    takeover.switch_off(tenant, later.conversation_id, now_ms=clock.now_ms(), ring=queues.ring_again)
    join(tenant, sent)
    takeover.switch_on(tenant, later.conversation_id, now_ms=clock.now_ms(), ring=queues.ring_again)
    join(tenant, sent)
    assert load_conversation(tenant, earlier.conversation_id).assistant_may_speak(clock.now_ms())


@pytest.mark.parametrize("close", [opted_out, paused, switched_off])
def test_a_gate_that_closes_between_reading_and_writing_is_not_lost(tenant: TenantId, close: Close) -> None:
    earlier, _, sent = both_answered(tenant)
    if close is opted_out:
        asks = accept_and_begin(tenant, "stop", chat=BY_LID)
    state = read_chat(tenant, BY_BOTH, sent)
    if close is opted_out:
        end(asks, ConsentChange("opted_out", "you will not hear from us", seq=asks.hi), now_ms=clock.now_ms())
    else:
        close(tenant, BY_LID)

    with pytest.raises(RefusedError):
        names.learn(tenant, BY_BOTH, state, clock.now_ms())

    by_a_receipt(tenant, sent)
    snapshot = load_conversation(tenant, earlier.conversation_id)
    assert snapshot.opted_out_at is not None or not snapshot.assistant_may_speak(clock.now_ms())
