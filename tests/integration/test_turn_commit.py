"""A turn commits once, in one transaction, and a person wins."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
from pydantic import JsonValue
from pynamodb.transactions import TransactWrite

from functions.shared import clock
from functions.shared.contracts import ConversationId, TenantId, TextContent
from functions.shared.conversation import (
    ConversationNotFoundError,
    Facts,
    Summary,
    TurnId,
    load_conversation,
    load_history,
    load_messages,
)
from functions.shared.endings import HandOver, end
from functions.shared.facts import NoteFacts
from functions.shared.inbox import (
    Answered,
    AssistantOff,
    EffectRefusedError,
    NewerComing,
    Reply,
    RunTurn,
    Turn,
    TurnOvertakenError,
    TurnRecord,
    commit_turn,
    decide,
)
from functions.shared.keys import booking_sk, conversation_pk, id_sk
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.tables import BookingItem, ConversationItem, IdItem, find, not_exists
from functions.shared.transactions import TooLargeError
from functions.webhook.accept import accept
from tests.integration.support import LID, Store, accept_and_begin, answer_with, message


@dataclass(frozen=True)
class Booking:
    """An effect: one appointment, that nobody may have made before."""

    turn: Turn
    booking_id: str = "b1"

    @property
    def name(self) -> str:
        return f"book {self.booking_id}"

    @property
    def writes(self) -> int:
        return 1

    def write(self, transaction: TransactWrite) -> None:
        item = BookingItem(
            conversation_pk(self.turn.tenant_id, self.turn.conversation_id),
            booking_sk(self.booking_id),
            booking_id=self.booking_id,
            start=1,
            end=2,
            service="haircut",
            resource="main",
            status="booked",
            turn_id=self.turn.turn_id,
        )
        transaction.save(item, condition=not_exists(BookingItem))


def test_a_turn_covers_all_that_waits_and_its_commit_queues_the_replies_in_order(
    store: Store, tenant: TenantId
) -> None:
    turn = accept_and_begin(tenant, "one", "two", "three")
    assert (turn.lo, turn.hi, turn.epoch, turn.reply_jid) == (1, 3, 0, LID)
    messages = load_messages(tenant, turn.conversation_id, turn.lo, turn.hi)
    assert [(one.seq, one.author, one.content) for one in messages] == [
        (1, "customer", TextContent(text="one")),
        (2, "customer", TextContent(text="two")),
        (3, "customer", TextContent(text="three")),
    ]

    ids = answer_with(turn, "first", "second")

    conversation = store.conversation(tenant)
    assert (conversation.handled_seq, conversation.sweep_at, conversation.pending_since) == (3, None, None)
    rows = store.outbox(tenant)
    assert [(row.sk, row.message_id, row.state, row.epoch, row.chat_jid) for row in rows] == [
        ("OUT#000000000003#000", ids[0], "QUEUED", 0, LID),
        ("OUT#000000000003#001", ids[1], "QUEUED", 0, LID),
    ]
    assert [TextContent.model_validate_json(row.content).text for row in rows] == ["first", "second"]
    assert all(row.sweep_shard is not None and row.sweep_at is not None for row in rows)
    assert all(re.fullmatch("3EB0[0-9A-F]{18}", one) for one in ids)
    for row in rows:
        known = find(IdItem, (row.pk, id_sk(row.message_id)))
        assert known is not None
        assert known.outbox_sk == row.sk
    assert decide(load_conversation(tenant, turn.conversation_id), 3, clock.now_ms()) == Answered()


def test_history_is_the_newest_turns_oldest_first(store: Store, tenant: TenantId) -> None:
    for text in ("one", "two", "three"):
        answer_with(accept_and_begin(tenant, text), f"re: {text}")

    history = load_history(tenant, store.conversation_id(tenant), limit=2)

    assert [(past.lo, past.hi) for past in history] == [(2, 2), (3, 3)]
    assert history[-1].items == [{"role": "assistant", "content": "re: three"}]


def test_of_ten_turns_over_the_same_messages_one_commits(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")

    def commit(number: int) -> bool:
        try:
            answer_with(replace(turn, turn_id=TurnId(f"t{number}")), f"answer {number}")
        except TurnOvertakenError:
            return False
        return True

    with ThreadPoolExecutor(10) as threads:
        committed = list(threads.map(commit, range(10)))

    assert committed.count(True) == 1
    assert len(store.outbox(tenant)) == 1
    assert len(load_history(tenant, turn.conversation_id, 10)) == 1


def test_of_two_turns_that_overlap_one_commits(store: Store, tenant: TenantId) -> None:
    shorter = accept_and_begin(tenant, "one")
    longer = accept_and_begin(tenant, "two")
    assert (shorter.lo, shorter.hi, longer.lo, longer.hi) == (1, 1, 1, 2)

    answer_with(shorter, "re: one")

    with pytest.raises(TurnOvertakenError):
        answer_with(longer, "re: one and two")
    assert len(store.outbox(tenant)) == 1


def test_a_person_who_takes_over_between_read_and_commit_wins(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")
    accept(message(tenant, "It is me", from_me=True))
    before = store.count()

    with pytest.raises(TurnOvertakenError):
        commit_turn(
            turn, replies=[Reply("late")], effects=[Booking(turn)], record=TurnRecord(items=[]), now_ms=clock.now_ms()
        )

    assert store.count() == before


def test_a_person_wins_where_the_business_wants_no_pause_too(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    save_profile(business.model_copy(update={"takeover_pause_minutes": 0}))
    turn = accept_and_begin(tenant, "hi")
    accept(message(tenant, "It is me", from_me=True))

    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "late")


def test_an_epoch_that_rose_is_enough_even_if_the_assistant_is_on_again(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")
    store.conversation(tenant).update(actions=[ConversationItem.epoch.set(turn.epoch + 1)])

    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "late")


@pytest.mark.parametrize("switch", [{"ai_enabled": False}, {"paused_until": clock.now_ms() + 3_600_000}])
def test_a_chat_switched_off_between_read_and_commit_gets_no_answer(
    switch: dict[str, bool | int], store: Store, tenant: TenantId
) -> None:
    turn = accept_and_begin(tenant, "hi")
    actions = [getattr(ConversationItem, name).set(value) for name, value in switch.items()]
    store.conversation(tenant).update(actions=actions)

    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "late")
    assert store.outbox(tenant) == []


def test_a_business_switched_off_between_read_and_commit_gives_no_answer(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    turn = accept_and_begin(tenant, "hi")
    save_profile(business.model_copy(update={"ai_enabled": False}))

    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "late")
    assert store.outbox(tenant) == []


def test_a_message_during_the_turn_waits_for_the_next_one(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "one")
    accept(message(tenant, "two"))

    answer_with(turn, "re: one")

    conversation = store.conversation(tenant)
    assert (conversation.handled_seq, conversation.last_seq) == (1, 2)
    assert conversation.sweep_at is not None
    assert conversation.pending_since == turn.started_at
    assert decide(load_conversation(tenant, turn.conversation_id), 2, clock.now_ms()) == RunTurn(2, 2, 0)


def test_effects_become_real_with_the_turn_and_only_with_it(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")
    commit_turn(
        turn, replies=[Reply("booked")], effects=[Booking(turn)], record=TurnRecord(items=[]), now_ms=clock.now_ms()
    )
    booked = find(BookingItem, (conversation_pk(tenant, turn.conversation_id), booking_sk("b1")))
    assert booked is not None
    assert booked.turn_id == turn.turn_id

    again = accept_and_begin(tenant, "the same again")
    before = store.count()
    with pytest.raises(EffectRefusedError) as refused:
        commit_turn(
            again,
            replies=[Reply("booked")],
            effects=[Booking(again, "b2"), Booking(again, "b1")],
            record=TurnRecord(items=[]),
            now_ms=clock.now_ms(),
        )

    assert refused.value.name == "book b1"
    assert store.count() == before
    # The turn may run again.
    assert answer_with(again, "that one is taken")


def test_a_person_is_the_reason_even_if_an_effect_is_refused_too(store: Store, tenant: TenantId) -> None:
    first = accept_and_begin(tenant, "hi")
    commit_turn(first, replies=[], effects=[Booking(first)], record=TurnRecord(items=[]), now_ms=clock.now_ms())
    turn = accept_and_begin(tenant, "again")
    accept(message(tenant, "me", from_me=True))

    with pytest.raises(TurnOvertakenError):
        commit_turn(turn, replies=[], effects=[Booking(turn)], record=TurnRecord(items=[]), now_ms=clock.now_ms())


def test_more_than_a_transaction_holds_is_said_so(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")

    with pytest.raises(TooLargeError):
        answer_with(turn, *["part"] * 50)
    assert store.outbox(tenant) == []


def test_a_poison_turn_is_handed_to_a_person(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "hi")
    now = clock.now_ms()

    end(turn, HandOver("A person will answer you soon.", "the model failed three times", "failed"), now_ms=now)

    conversation = store.conversation(tenant)
    assert (conversation.handled_seq, conversation.epoch) == (1, 1)
    assert conversation.paused_until is not None
    assert conversation.paused_until > now
    assert conversation.needs_attention == "the model failed three times"
    assert conversation.introduced_at == now, "the text said who writes"
    [row] = store.outbox(tenant)
    assert (row.state, row.epoch) == ("QUEUED", 1)
    with pytest.raises(TurnOvertakenError):
        answer_with(turn, "late")
    # A person's reply settles it.
    accept(message(tenant, "How can I help?", from_me=True))
    assert store.conversation(tenant).needs_attention is None


def test_a_turn_over_the_longest_texts_of_whatsapp_commits(store: Store, tenant: TenantId) -> None:
    text = "ש" * 65_536
    turn = accept_and_begin(tenant, text, text, text, text)
    items: list[JsonValue] = [{"role": "user", "content": text} for _ in range(4)]
    record = TurnRecord(items=items, tools=[{"name": "t", "result": text}], saw={"moment": text})
    commit_turn(turn, replies=[Reply("That was much.")], record=record, now_ms=clock.now_ms())

    [kept] = load_history(tenant, turn.conversation_id, 1)
    assert len(kept.items) == 4
    assert all(str(item["content"]).startswith("ששש") for item in kept.items if isinstance(item, dict))


def test_facts_and_summary_are_kept_with_the_turn_and_never_by_an_older_one(store: Store, tenant: TenantId) -> None:
    turn = accept_and_begin(tenant, "mornings, please")
    noted = NoteFacts(tenant, turn.conversation_id, ("prefers mornings",), read=0)
    record = TurnRecord(items=[], summary=Summary("Dana wants a haircut.", 1))
    commit_turn(turn, replies=[], effects=[noted], record=record, now_ms=clock.now_ms())

    assert load_conversation(tenant, turn.conversation_id).facts == Facts(("prefers mornings",), 1)
    [kept] = load_history(tenant, turn.conversation_id, 1)
    assert kept.summary == Summary("Dana wants a haircut.", 1)

    later = accept_and_begin(tenant, "evenings")
    with pytest.raises(EffectRefusedError):
        commit_turn(later, replies=[], effects=[noted], record=TurnRecord(items=[]), now_ms=clock.now_ms())


def test_a_doorbell_asks_for_what_the_conversation_needs(store: Store, tenant: TenantId) -> None:
    accept(message(tenant, "one"))
    accept(message(tenant, "two"))
    conversation_id = store.conversation_id(tenant)
    snapshot = load_conversation(tenant, conversation_id)
    now = clock.now_ms()

    assert decide(snapshot, 1, now) == NewerComing()
    assert decide(snapshot, 1, now + 8_000) == RunTurn(1, 2, 0)
    assert decide(snapshot, 2, now) == RunTurn(1, 2, 0)
    store.conversation(tenant).update(actions=[ConversationItem.ai_enabled.set(False)])
    assert decide(load_conversation(tenant, conversation_id), 2, now) == AssistantOff()
    assert snapshot.customer_name == "Dana"


def test_nobody_elses_conversation_can_be_loaded(store: Store, tenant: TenantId) -> None:
    accept(message(tenant))
    conversation_id = store.conversation_id(tenant)

    with pytest.raises(ConversationNotFoundError):
        load_conversation(TenantId("business_other"), conversation_id)
    with pytest.raises(ConversationNotFoundError):
        load_conversation(tenant, ConversationId("c0"))
