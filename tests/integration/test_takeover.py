"""Silencing the assistant and giving it the word back, on real tables and queues, by hand and by the command line."""

from __future__ import annotations

from typing import cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from typer.testing import CliRunner

from functions.agent.guardrails import left_to_a_person
from functions.shared import clock, outbox, queues, takeover
from functions.shared.contracts import Contact, ContactsUpdated, ConversationId, TenantId, TextContent
from functions.shared.conversation import load_conversation, load_history, load_messages
from functions.shared.endings import PutAside, end
from functions.shared.inbox import AssistantOff, RunTurn, TurnOvertakenError, begin_turn, decide
from functions.shared.keys import CONVERSATION, conversation_pk
from functions.shared.profile import BusinessProfile, load_profile, save_profile
from functions.shared.tables import ConversationItem
from functions.sweeper import handler as sweeper
from functions.webhook.accept import accept
from kesher.cli import app
from tests.integration.support import (
    PHONE,
    LambdaContextDouble,
    Store,
    accept_and_begin,
    answer_with,
    direct,
    message,
)

HOUR = 3_600_000


@pytest.fixture
def chat(store: Store, tenant: TenantId) -> ConversationId:
    """A customer has written; nobody has answered."""
    accept(message(tenant, "hello"))
    store.drain_queues()
    return store.conversation_id(tenant)


def sweep_at(moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now_ms", lambda: moment)
        sweeper.handle({}, cast("LambdaContext", LambdaContextDouble()))


def rung(store: Store, tenant: TenantId, queue: str = "turns") -> list[int]:
    return [bell.seq for bell in store.rings(queue) if bell.tenant_id == tenant]


# ---- one chat -----------------------------------------------------------------------------------------------------


def test_a_turn_in_flight_cannot_commit_over_a_pause_or_a_switch(store: Store, tenant: TenantId) -> None:
    for silence in ("pause", "off"):
        turn = accept_and_begin(tenant, "hi")
        if silence == "pause":
            takeover.pause(tenant, turn.conversation_id, until=clock.now_ms() + HOUR, ring=queues.ring_again)
        else:
            takeover.switch_off(tenant, turn.conversation_id, now_ms=clock.now_ms(), ring=queues.ring_again)
        with pytest.raises(TurnOvertakenError):
            answer_with(turn, "too late")
        takeover.switch_on(tenant, turn.conversation_id, now_ms=clock.now_ms(), ring=queues.ring_again)
        with pytest.raises(TurnOvertakenError):
            answer_with(turn, "still too late: the epoch has moved")


def test_a_queued_answer_cannot_be_claimed_once_the_business_is_off(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")
    answer_with(turn, "hello")
    [row] = outbox.unfinished(tenant, turn.conversation_id)
    takeover.switch_business_off(tenant)
    with pytest.raises(outbox.OvertakenError):
        outbox.claim(row, now_ms=clock.now_ms(), lease_ms=1_000)


def test_what_waits_in_a_pause_is_rung_when_it_ends_and_not_before(
    store: Store, tenant: TenantId, chat: ConversationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = clock.now_ms() + 20 * 60_000
    takeover.pause(tenant, chat, until=until, ring=queues.ring_again)
    accept(message(tenant, "are you there?"))
    store.drain_queues()

    sweep_at(until - 1_000, monkeypatch)
    assert rung(store, tenant) == []

    sweep_at(until + 60_000, monkeypatch)
    assert rung(store, tenant) == [2]


def test_a_resumed_chat_is_rung_at_once(store: Store, tenant: TenantId, chat: ConversationId) -> None:
    takeover.pause(tenant, chat, until=clock.now_ms() + HOUR, ring=queues.ring_again)
    assert isinstance(decide(load_conversation(tenant, chat), 1, clock.now_ms()), AssistantOff)

    assert takeover.resume(tenant, chat, now_ms=clock.now_ms(), ring=queues.ring_again)
    assert rung(store, tenant) == [1]
    assert isinstance(decide(load_conversation(tenant, chat), 1, clock.now_ms()), RunTurn)


def test_a_chat_that_is_off_is_not_woken_by_resume_nor_by_the_sweeper(
    store: Store, tenant: TenantId, chat: ConversationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    takeover.switch_off(tenant, chat, now_ms=clock.now_ms(), ring=queues.ring_again)
    assert not takeover.resume(tenant, chat, now_ms=clock.now_ms(), ring=queues.ring_again)
    sweep_at(clock.now_ms() + HOUR, monkeypatch)
    assert rung(store, tenant) == []
    assert store.conversation(tenant).sweep_at is None, "nobody will be rung, so nobody need look"

    assert takeover.switch_on(tenant, chat, now_ms=clock.now_ms(), ring=queues.ring_again)
    assert rung(store, tenant) == [1]


def test_what_is_old_when_the_silence_ends_needs_a_person_and_what_is_young_gets_a_turn(
    store: Store, tenant: TenantId
) -> None:
    now = clock.now_ms()
    accept(message(tenant, "old", sent_at=now - 40 * 60_000))
    accept(message(tenant, "young", sent_at=now - 5 * 60_000))
    chat = store.conversation_id(tenant)
    takeover.switch_on(tenant, chat, now_ms=clock.now_ms() + 1, ring=queues.ring_again)

    snapshot = load_conversation(tenant, chat)
    run = decide(snapshot, 2, clock.now_ms() + 2)
    assert isinstance(run, RunTurn)
    turn = begin_turn(snapshot, run, correlation_id="test", now_ms=clock.now_ms())
    aside = left_to_a_person(
        load_messages(tenant, chat, 1, 2), silent_until=snapshot.paused_until, now_ms=clock.now_ms()
    )
    assert isinstance(aside, PutAside)
    end(turn, aside, now_ms=clock.now_ms())

    conversation = store.conversation(tenant)
    assert (conversation.handled_seq, conversation.needs_attention) == (1, aside.reason)
    assert conversation.sweep_at is not None, "the young one still waits"
    assert [(past.lo, past.hi, past.outcome) for past in load_history(tenant, chat, 5)] == [(1, 1, "put_aside")]
    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "both: never")


# ---- the whole business -------------------------------------------------------------------------------------------


def test_a_business_that_is_on_again_answers_all_who_waited_but_not_where_a_person_is(
    store: Store, tenant: TenantId, chat: ConversationId
) -> None:
    version = (load_profile(tenant) or pytest.fail("no profile")).config_version
    takeover.switch_business_off(tenant)
    assert takeover.switch_business_on(tenant, now_ms=clock.now_ms(), ring=queues.ring_again) == 1
    assert rung(store, tenant) == [1]

    takeover.switch_business_off(tenant)
    takeover.pause(tenant, chat, until=clock.now_ms() + HOUR, ring=queues.ring_again)
    takeover.switch_business_on(tenant, now_ms=clock.now_ms(), ring=queues.ring_again)
    assert rung(store, tenant) == []
    profile = load_profile(tenant)
    assert profile is not None
    assert (profile.ai_enabled, profile.config_version) == (True, version + 4)


# ---- the command line ---------------------------------------------------------------------------------------------


def kesher(tenant: TenantId, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["chat", *arguments, "--tenant", tenant], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list_shows_who_waits_with_the_phone_masked(store: Store, tenant: TenantId, chat: ConversationId) -> None:
    shown = kesher(tenant, "list")
    assert chat in shown
    assert "Dana ***67@s.whatsapp.net" in shown
    assert "972501234567" not in shown
    assert "+972501234567" in kesher(tenant, "list", "--phones")


def test_a_chat_is_paused_resumed_and_switched_by_the_command_line(
    store: Store, tenant: TenantId, chat: ConversationId
) -> None:
    assert "silent in this chat until" in kesher(tenant, "pause", chat, "--minutes", "5")
    assert "paused until" in kesher(tenant, "list")
    assert "answers in this chat again" in kesher(tenant, "resume", chat)
    kesher(tenant, "off", chat)
    assert "assistant is off" in kesher(tenant, "resume", chat)
    assert "answers in this chat again" in kesher(tenant, "on", chat)
    kesher(tenant, "off")
    assert "off for the whole business" in kesher(tenant, "list")
    assert "waiting in 1 chats" in kesher(tenant, "on")


@pytest.mark.parametrize(("why", "words"), [("opted out", "customer opted out"), ("saved", "saved contact")])
def test_whoever_gives_the_word_back_hears_that_the_assistant_stays_silent_for_another_reason(
    store: Store, business: BusinessProfile, chat: ConversationId, why: str, words: str
) -> None:
    tenant = business.tenant_id
    if why == "saved":
        save_profile(business.model_copy(update={"audience": "unsaved_contacts"}))
        contact = Contact(jid=PHONE, saved=True)
        told = {"correlation_id": "contacts-1", "book_at": 1_790_000_000_000, "revision": 1, "complete": True}
        accept(ContactsUpdated.model_validate({"tenant_id": tenant, "contacts": (contact,), **told}))
    else:
        store.conversation(tenant).update(actions=[ConversationItem.opted_out_at.set(1)])
    kesher(tenant, "pause", chat, "--minutes", "5")
    for command in ("resume", "on"):
        said = kesher(tenant, command, chat)
        assert words in said
        assert "again" not in said


def test_what_a_person_says_goes_out_takes_over_and_is_shown(
    store: Store, tenant: TenantId, business: BusinessProfile, chat: ConversationId
) -> None:
    turn = accept_and_begin(tenant, "and when are you open?")
    store.drain_queues()
    kesher(tenant, "say", chat, "Ron here, at nine.")

    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "at ten")
    [row] = outbox.unfinished(tenant, chat)
    assert (row.author, row.content) == ("person", TextContent(text="Ron here, at nine."))
    outbox.claim(row, now_ms=clock.now_ms(), lease_ms=1_000)
    assert rung(store, tenant, "outgoing") == [3]
    snapshot = load_conversation(tenant, chat)
    assert (snapshot.last_seq, snapshot.handled_seq) == (3, 3)
    assert not snapshot.assistant_may_speak(clock.now_ms())
    shown = kesher(tenant, "show", chat)
    assert "Ron here, at nine." in shown
    assert shown.count("a person") >= 3, "who said it, and who handled the two messages"
    # The echo of it is no second answer.
    echo = message(tenant, "Ron here, at nine.", message_id=row.message_id, from_me=True)
    assert accept(echo).answer.result == "ignored"


def test_an_unknown_chat_or_no_deployment_is_told_in_one_sentence(
    store: Store, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = CliRunner().invoke(app, ["chat", "pause", "nobody", "--tenant", tenant])
    assert done.exit_code == 1
    assert "no conversation nobody" in done.output.replace("\n", " ")
    monkeypatch.delenv("APP_TABLE")
    done = CliRunner().invoke(app, ["chat", "list"])
    assert done.exit_code == 1
    assert "--stack" in done.output


def test_a_conversation_that_was_merged_is_reached_by_either_name(store: Store, tenant: TenantId) -> None:
    accept(message(tenant, "one", chat=direct(lid=None)))
    accept(message(tenant, "two", chat=direct(phone=None)))
    later = store.conversation_id(tenant)
    accept(message(tenant, "three"))
    earlier = load_earlier(tenant, later)
    takeover.switch_off(tenant, later, now_ms=clock.now_ms(), ring=queues.ring_again)
    assert not load_conversation(tenant, earlier).ai_enabled
    assert load_conversation(tenant, later).epoch == 1
    assert kesher(tenant, "list").count("Dana") == 1


def load_earlier(tenant: TenantId, later: ConversationId) -> ConversationId:
    item = ConversationItem.get(conversation_pk(tenant, later), CONVERSATION, consistent_read=True)
    assert item.merged_into is not None
    return ConversationId(item.merged_into)
