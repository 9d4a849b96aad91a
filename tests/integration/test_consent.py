"""Opting out and in, and asking for a person, on real tables: the ledger, the epoch and the list."""

from __future__ import annotations

import pytest

from functions.shared import clock, outbox, queues
from functions.shared.chats import list_chats
from functions.shared.contracts import TenantId, TextContent
from functions.shared.conversation import load_conversation, load_history
from functions.shared.endings import ConsentChange, HandOver, Silence, end
from functions.shared.inbox import TurnOvertakenError
from functions.shared.keys import CONSENT_PREFIX, conversation_pk
from functions.shared.tables import ConsentItem
from functions.shared.takeover import resume
from tests.integration.support import Store, accept_and_begin, answer_with

OUT = ConsentChange("opted_out", "you will not hear from us", seq=1)


def test_an_opt_out_cancels_what_was_queued_and_its_confirmation_passes(store: Store, tenant: TenantId) -> None:
    answer_with(accept_and_begin(tenant, "hi"), "hello")
    turn = accept_and_begin(tenant, "stop")
    [before] = outbox.unfinished(tenant, turn.conversation_id)
    end(turn, OUT, now_ms=clock.now_ms())

    with pytest.raises(outbox.OvertakenError):
        outbox.claim(before, now_ms=clock.now_ms(), lease_ms=1_000)
    assert outbox.give_up(before, "CANCELLED", error="superseded")
    [confirmation] = outbox.unfinished(tenant, turn.conversation_id)
    assert outbox.claim(confirmation, now_ms=clock.now_ms(), lease_ms=1_000).content == TextContent(
        text="you will not hear from us"
    )


def test_the_ledger_keeps_both_and_is_only_added_to(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "stop")
    end(turn, OUT, now_ms=clock.now_ms())
    with pytest.raises(TurnOvertakenError):
        end(turn, OUT, now_ms=clock.now_ms())
    assert load_conversation(tenant, turn.conversation_id).opted_out_at is not None
    end(accept_and_begin(tenant, "hello?"), Silence("wrote again"), now_ms=clock.now_ms())
    back = accept_and_begin(tenant, "start")
    end(back, ConsentChange("opted_in", "welcome back", seq=3), now_ms=clock.now_ms())

    assert load_conversation(tenant, turn.conversation_id).opted_out_at is None
    pk = conversation_pk(tenant, turn.conversation_id)
    rows = list(ConsentItem.query(pk, ConsentItem.sk.startswith(CONSENT_PREFIX), consistent_read=True))
    assert [(row.change, row.seq, row.turn_id) for row in rows] == [
        ("opted_out", 1, turn.turn_id),
        ("opted_in", 3, back.turn_id),
    ]
    turns = load_history(tenant, turn.conversation_id, 9)
    assert [(past.outcome, past.intent) for past in turns] == [
        ("opted_out", "opt_out"),
        ("silent", None),
        ("opted_in", "opt_in"),
    ]


def test_a_consent_without_a_word_is_in_the_ledger_and_writes_to_nobody(store: Store, tenant: TenantId) -> None:
    answer_with(accept_and_begin(tenant, "hi"), "hello")
    turn = accept_and_begin(tenant, "stop")
    [before] = outbox.unfinished(tenant, turn.conversation_id)
    end(turn, ConsentChange("opted_out", None, seq=2), now_ms=clock.now_ms())

    assert outbox.unfinished(tenant, turn.conversation_id) == [before]
    with pytest.raises(outbox.OvertakenError):
        outbox.claim(before, now_ms=clock.now_ms(), lease_ms=1_000)
    assert load_conversation(tenant, turn.conversation_id).opted_out_at is not None
    pk = conversation_pk(tenant, turn.conversation_id)
    [row] = ConsentItem.query(pk, ConsentItem.sk.startswith(CONSENT_PREFIX), consistent_read=True)
    assert (row.change, row.seq) == ("opted_out", 2)


def test_who_asked_for_a_person_is_first_in_the_list_until_somebody_looked(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "a person please")
    end(turn, HandOver("Of course.", "the customer asked for a person", "person", "person"), now_ms=clock.now_ms())

    [chat] = list_chats(tenant, now_ms=clock.now_ms())
    assert chat.needs_attention == "the customer asked for a person"
    assert chat.speaks_at is not None
    assert chat.speaks_at > clock.now_ms() + 11 * 3_600_000
    resume(tenant, turn.conversation_id, now_ms=clock.now_ms(), ring=queues.ring_again)
    [chat] = list_chats(tenant, now_ms=clock.now_ms())
    assert chat.needs_attention is None
