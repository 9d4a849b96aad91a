"""What WhatsApp says of our messages, and of the session, as it comes back through the webhook."""

from __future__ import annotations

import io
import itertools

import pytest

from functions.shared import clock, outbox
from functions.shared.contracts import (
    ConnectionState,
    ConnectionUpdated,
    ConversationId,
    Jid,
    MessageId,
    MessageStatus,
    TenantId,
)
from functions.shared.examples import barber_shop
from functions.shared.inbox import Turn
from functions.shared.keys import CONNECTION, tenant_pk
from functions.shared.outbox import RANK
from functions.shared.profile import save_profile
from functions.shared.tables import ConnectionItem, OutboxItem, find
from functions.webhook.accept import Ring, accept
from functions.webhook.chats import UnknownTenantError
from tests.integration.support import Store, accept_and_begin, answer_with, direct, message, post, signed


def status(tenant: TenantId, message_id: str, said: str, at: int = 1) -> MessageStatus:
    return MessageStatus.model_validate(
        {
            "tenant_id": tenant,
            "correlation_id": "test-status",
            "chat": direct(),
            "message_id": message_id,
            "status": said,
            "at": at,
        }
    )


def one_row(store: Store, tenant: TenantId) -> OutboxItem:
    [row] = store.outbox(tenant)
    return row


def test_receipts_lift_a_message_step_by_step(store: Store, tenant: TenantId) -> None:
    [message_id] = answer_with(accept_and_begin(tenant, "hi"), "answer")

    for at, (said, state) in enumerate([("sent", "SENT"), ("delivered", "DELIVERED"), ("read", "READ")], start=1):
        assert accept(status(tenant, message_id, said, at)).answer.result == "accepted"
        assert one_row(store, tenant).state == state

    row = one_row(store, tenant)
    assert (row.sent_at, row.delivered_at, row.read_at) == (1, 2, 3)
    assert (row.sweep_at, row.sweep_shard) == (None, None)


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
def test_in_any_order_the_highest_stays(order: tuple[str, ...], store: Store, tenant: TenantId) -> None:
    [message_id] = answer_with(accept_and_begin(tenant, "hi"), "answer")

    ranks = []
    for said in [*order, *order]:
        accept(status(tenant, message_id, said))
        ranks.append(RANK[next(state for state in RANK if state == one_row(store, tenant).state)])

    assert ranks == sorted(ranks)
    assert one_row(store, tenant).state == "READ"


@pytest.mark.parametrize("belief", ["FAILED", "CANCELLED"])
def test_whatsapps_evidence_beats_our_belief(belief: str, store: Store, tenant: TenantId) -> None:
    [message_id] = answer_with(accept_and_begin(tenant, "hi"), "answer")
    one_row(store, tenant).update(actions=[OutboxItem.state.set(belief), OutboxItem.error.set("we thought so")])

    accept(status(tenant, message_id, "delivered"))

    assert (one_row(store, tenant).state, one_row(store, tenant).error) == ("DELIVERED", None)


def test_evidence_for_the_oldest_row_lets_the_next_one_go(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")
    first, second = answer_with(turn, "one", "two")
    [row, _] = outbox.unfinished(tenant, turn.conversation_id)
    outbox.claim(row, now_ms=clock.now_ms(), lease_ms=1_000)

    acceptance = accept(status(tenant, first, "delivered"))

    assert acceptance.rings == (Ring("outgoing", turn.conversation_id, 0, again=True),)
    assert [row.message_id for row in outbox.unfinished(tenant, turn.conversation_id)] == [second]
    assert accept(status(tenant, first, "read")).rings == ()


def test_a_receipt_for_what_we_never_sent_is_ignored(store: Store, tenant: TenantId) -> None:
    own = message(tenant, "from the phone", from_me=True)
    accept(own)
    before = store.count()

    assert accept(status(tenant, own.message_id, "read")).answer.result == "ignored"
    assert accept(status(tenant, "3EB0UNKNOWN", "read")).answer.result == "ignored"
    assert store.count() == before


def test_a_receipt_finds_its_message_in_a_conversation_that_was_merged(store: Store, tenant: TenantId) -> None:
    accept(message(tenant, "by phone", chat=direct(lid=None)))
    [message_id] = answer_with(accept_and_begin(tenant, "by lid", chat=direct(phone=None)), "answer")
    later = store.conversation_id(tenant)
    accept(message(tenant, "by both"))

    accept(status(tenant, message_id, "delivered").model_copy(update={"chat": direct(lid=None)}))

    assert [row.state for row in store.outbox(tenant, later)] == ["DELIVERED"]


def test_the_echo_of_what_we_sent_is_nobodys_message(store: Store, tenant: TenantId) -> None:
    [message_id] = answer_with(accept_and_begin(tenant, "hi"), "answer")
    before = store.count()

    acceptance = accept(message(tenant, "answer", message_id=message_id, from_me=True))

    assert (acceptance.answer.result, acceptance.rings) == ("ignored", ())
    assert store.count() == before
    assert store.conversation(tenant).epoch == 0


# ---- the session ------------------------------------------------------------------------------------------------


def connection(tenant: TenantId, state: ConnectionState, at: int) -> ConnectionUpdated:
    return ConnectionUpdated(tenant_id=tenant, correlation_id="test-connection", state=state, at=at)


def test_only_a_newer_state_of_the_session_counts(store: Store, tenant: TenantId) -> None:
    told: list[tuple[ConnectionState, int]] = [
        ("connecting", 2),
        ("disconnected", 1),
        ("connected", 3),
        ("connecting", 2),
    ]
    results = [accept(connection(tenant, state, at)).answer.result for state, at in told]

    assert results == ["accepted", "ignored", "accepted", "ignored"]
    item = find(ConnectionItem, (tenant_pk(tenant), CONNECTION))
    assert item is not None
    assert (item.state, item.at) == ("connected", 3)


def test_the_session_of_an_unknown_business_is_no_ones(store: Store) -> None:
    before = store.count()
    with pytest.raises(UnknownTenantError):
        accept(connection(TenantId("nobody"), "connected", 1))
    assert store.count() == before


def test_connected_wakes_what_waited_for_it_and_nobody_elses(store: Store, tenant: TenantId) -> None:
    waiting = queue_postponed(tenant, "972500000001@s.whatsapp.net")
    idle = accept_and_begin(tenant, "hi", chat=direct(lid=None, phone=Jid("972500000002@s.whatsapp.net")))
    other = save_profile(barber_shop(f"{tenant}-other")).tenant_id
    queue_postponed(other, "972500000001@s.whatsapp.net")

    acceptance = accept(connection(tenant, "connected", 1))

    assert acceptance.rings == (Ring("outgoing", waiting.conversation_id, 0, again=True),)
    assert idle.conversation_id not in {ring.conversation_id for ring in acceptance.rings}
    head, follower = outbox.unfinished(tenant, waiting.conversation_id)
    assert head.next_attempt_at is not None
    assert head.next_attempt_at <= clock.now_ms()
    assert follower.next_attempt_at is None
    assert accept(connection(tenant, "disconnected", 2)).rings == ()


def queue_postponed(tenant: TenantId, phone: str) -> Turn:
    """Two queued answers, the first of which waits for a minute."""
    turn = accept_and_begin(tenant, "hi", chat=direct(lid=None, phone=Jid(phone)))
    answer_with(turn, "one", "two")
    [head, _] = outbox.unfinished(tenant, turn.conversation_id)
    claimed = outbox.claim(head, now_ms=clock.now_ms(), lease_ms=1_000)
    outbox.postpone(claimed, next_attempt_at=clock.now_ms() + 60_000, error="no session")
    return turn


def test_the_log_of_the_webhook_has_neither_number_nor_words(store: Store, tenant: TenantId, log: io.StringIO) -> None:
    post(signed(message(tenant, "secret words", chat=direct(lid=None))))

    lines = log.getvalue()
    assert f"[WA-INCOMING] biz={tenant}, from=***67@s.whatsapp.net" in lines
    assert "972501234567" not in lines
    assert "secret words" not in lines


def test_ids_of_one_business_mean_nothing_in_another(store: Store, tenant: TenantId) -> None:
    event = message(tenant)
    accept(event)
    other = save_profile(barber_shop(f"{tenant}-other")).tenant_id

    assert accept(event.model_copy(update={"tenant_id": other})).answer.result == "accepted"

    mine, theirs = store.conversation_id(tenant), store.conversation_id(other)
    assert mine != theirs
    assert outbox.unfinished(other, ConversationId(mine)) == []
    assert outbox.record_evidence(other, mine, "OUT#000000000001#000", "READ", at=1) is None
    assert accept(status(other, MessageId("3EB0"), "read")).answer.result == "ignored"
