"""Leads on real tables: written with the turn, joined over merged conversations, changed by people."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from functions.shared import clock, leads, outbox, owner_notices, promote, queues
from functions.shared.contracts import ConversationId, LocationContent, TenantId
from functions.shared.conversation import load_conversation
from functions.shared.endings import FromTheOwner, HandOver, end
from functions.shared.inbox import Effect, EffectRefusedError, Reply, Turn, TurnRecord, commit_turn
from functions.shared.keys import LEAD, conversation_pk
from functions.shared.leads import Lead, LeadChange
from functions.shared.owners import jid_of
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.scheduled import Schedule, scheduled_in
from functions.shared.tables import LeadItem, find
from functions.webhook.accept import accept
from kesher.cli import app
from tests.integration.support import PHONE, Store, accept_and_begin, direct, message

OWNER = "+972501111111"


@pytest.fixture
def owned(business: BusinessProfile) -> BusinessProfile:
    return save_profile(business.model_copy(update={"owner_numbers": (OWNER,)}))


def commit(turn: Turn, *effects: Effect, record: TurnRecord | None = None) -> None:
    commit_turn(
        turn,
        replies=[Reply("done")],
        effects=effects,
        record=record or TurnRecord(items=[]),
        now_ms=clock.now_ms(),
    )


def change(turn: Turn, lead: Lead) -> LeadChange:
    return LeadChange(turn.tenant_id, turn.conversation_id, lead)


def lead_of(tenant: TenantId, chat: ConversationId) -> Lead:
    return load_conversation(tenant, chat).lead


def test_a_lead_begins_with_the_first_message_and_changes_with_the_turn(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")
    new = lead_of(tenant, turn.conversation_id)
    assert (new.stage, new.source, new.revision) == ("new", "whatsapp", 0)

    full = leads.planned(leads.tagged(leads.noted(leads.interested(new, "hot"), "רוצה תור", 5), ["vip"]), "call")
    commit(turn, change(turn, leads.told(full, 7)))
    stored = lead_of(tenant, turn.conversation_id)
    assert stored == leads.told(Lead(**{name: getattr(full, name) for name in full.__slots__} | {"revision": 1}), 7)

    accept(message(tenant, "again"))
    assert lead_of(tenant, turn.conversation_id) == stored, "a message changes nothing of it"
    again = accept_and_begin(tenant, "and again")
    commit(again, change(again, leads.planned(stored, "")))
    assert lead_of(tenant, turn.conversation_id).next_step is None


def test_a_turn_that_read_an_old_lead_does_not_commit(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")
    read = lead_of(tenant, turn.conversation_id)
    done = CliRunner().invoke(app, ["lead", "set", turn.conversation_id, "--tenant", tenant, "--note", "a friend"])
    assert done.exit_code == 0, done.output
    with pytest.raises(EffectRefusedError):
        commit(turn, change(turn, leads.interested(read, "lost")))
    assert [note.text for note in lead_of(tenant, turn.conversation_id).notes] == ["a friend"]


def test_the_leads_of_merged_conversations_are_one(store: Store, tenant: TenantId) -> None:
    by_phone = accept_and_begin(tenant, "hi", chat=direct(lid=None))
    commit(by_phone, change(by_phone, leads.noted(lead_of(tenant, by_phone.conversation_id), "by phone", 1)))
    by_lid = accept_and_begin(tenant, "hi", chat=direct(phone=None))
    hot = leads.interested(leads.noted(lead_of(tenant, by_lid.conversation_id), "by lid", 2), "hot")
    commit(by_lid, change(by_lid, hot))
    accept(message(tenant, "it is me", chat=direct()))
    turn = accept_and_begin(tenant, chat=direct(lid=None))

    joined = lead_of(tenant, turn.conversation_id)
    assert turn.conversation_id == by_phone.conversation_id
    assert (joined.stage, [note.text for note in joined.notes]) == ("hot", ["by phone", "by lid"])
    commit(turn, change(turn, leads.interested(joined, "lost")))
    item = find(LeadItem, (conversation_pk(tenant, turn.conversation_id), LEAD))
    assert item is not None
    assert len(leads.from_item(item).notes) == 2


def test_people_list_show_and_change_leads(store: Store, owned: BusinessProfile) -> None:
    tenant = owned.tenant_id
    accept(message(tenant, "hi"))
    accept(message(tenant, "hi", chat=direct(lid=None, phone=jid_of(OWNER))))
    chat = store.conversation_id(tenant)

    def kesher(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["lead", *arguments, "--tenant", tenant], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    kesher("set", chat, "--interest", "hot", "--tag", "wedding", "--next", "call on Sunday", "--source", "Instagram")
    shown = kesher("show", chat)
    assert "hot" in shown
    assert "Instagram" in shown
    assert "call on Sunday" in shown
    assert "wedding" in kesher("list", "--stage", "hot")
    assert chat not in kesher("list", "--tag", "other")
    assert kesher("list").count("whatsapp") == 0
    assert len(kesher("list").strip().splitlines()) == 2, "the owner's own chat is no lead"
    assert "wedding" not in kesher("set", chat, "--untag", "wedding")


def test_a_hand_over_by_the_model_is_the_last_answer_and_the_owner_hears_of_it_in_the_same_commit(
    store: Store, owned: BusinessProfile
) -> None:
    turn = accept_and_begin(owned.tenant_id, "hi")
    notice = owner_notices.about(
        owned, turn.conversation_id, "person", name="person#1", customer_name="Dana", customer_phone=None,
        words="angry", now_ms=1,
    )  # fmt: skip
    commit(turn, Schedule(notice), record=TurnRecord(items=[], outcome="person", reason="angry"))

    conversation = store.conversation(owned.tenant_id)
    assert conversation.needs_attention == "angry"
    assert (conversation.paused_until or 0) > clock.now_ms()
    [row] = outbox.unfinished(owned.tenant_id, turn.conversation_id)
    assert outbox.claim(row, now_ms=clock.now_ms(), lease_ms=1).state == "SENDING", "it passes the gate that it closed"
    [waiting] = scheduled_in(owned.tenant_id, turn.conversation_id)
    assert waiting.owner_number == OWNER


def test_a_place_is_queued_behind_the_text(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "where are you?")
    place = LocationContent(latitude=32.0631, longitude=34.7713, address="Herzl 1")
    replies = [Reply("Herzl 1", place), Reply("Here:")]
    commit_turn(turn, replies=replies, record=TurnRecord(items=[]), now_ms=clock.now_ms())
    text, map_ = outbox.unfinished(tenant, turn.conversation_id)
    assert (text.content.kind, map_.content) == ("text", place)


def test_who_asks_for_a_person_has_the_owner_told_once(store: Store, owned: BusinessProfile) -> None:
    tenant = owned.tenant_id
    turn = accept_and_begin(tenant, "a person please")
    notice = owner_notices.about(
        owned,
        turn.conversation_id,
        "person",
        name="person#1",
        customer_name="Dana",
        customer_phone=None,
        now_ms=clock.now_ms(),
    )
    end(turn, HandOver("Of course.", "asked", "person", effects=[Schedule(notice)]), now_ms=clock.now_ms())
    outcomes = [
        promote.promote(tenant, turn.conversation_id, "person#1#0", now_ms=clock.now_ms(), ring=queues.ring_again)
        for _ in range(2)
    ]
    assert outcomes == ["queued", "settled"]
    assert len(store.outbox(tenant, store.conversation_id(tenant, jid_of(OWNER)))) == 1


def test_an_answer_of_the_owner_to_a_notice_ends_without_a_word(store: Store, owned: BusinessProfile) -> None:
    turn = accept_and_begin(owned.tenant_id, "thanks", chat=direct(lid=None, phone=jid_of(OWNER)))
    assert load_conversation(owned.tenant_id, turn.conversation_id).is_owner
    end(turn, FromTheOwner(), now_ms=clock.now_ms())
    conversation = store.conversation(owned.tenant_id, turn.conversation_id)
    assert (conversation.handled_seq, conversation.needs_attention) == (1, None)
    assert store.outbox(owned.tenant_id, turn.conversation_id) == []
    assert jid_of(OWNER) != PHONE
