"""The sweeper rings what was dropped, and only that."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.shared import clock, outbox
from functions.shared.apology import A_PERSON_WILL_ANSWER
from functions.shared.contracts import Contact, ContactsUpdated, ConversationId, TenantId
from functions.shared.inbox import Turn
from functions.shared.keys import conversation_pk, parse_conversation_pk, profile_key, scheduled_sk
from functions.shared.profile import BusinessProfile, Language, load_profile, save_profile
from functions.shared.scheduled import FollowUp, Scheduled, to_item
from functions.shared.tables import AppItem, ConversationItem, OutboxItem, ProfileItem, ScheduledItem
from functions.sweeper import handler
from functions.sweeper.giving_up import REASON
from functions.sweeper.sweep import AGAIN_AFTER_MS, MAX_RINGS, Counts, sweep
from functions.webhook.accept import accept
from functions.webhook.message import SWEEP_DELAY_MS
from tests.integration.support import PHONE, LambdaContextDouble, Store, accept_and_begin, answer_with, direct, message

Rung = tuple[str, ConversationId, int, str]


@dataclass
class Sweeper:
    """Runs of the sweeper at chosen times, and what it rang for one tenant: the table has other tests' work too."""

    tenant: TenantId
    rung: list[Rung] = field(default_factory=list)

    def run(self, after_ms: int, *, chunks: int = 1_000) -> Counts:
        self.rung.clear()
        time_left = iter([True] * chunks)
        return sweep(now_ms=clock.now_ms() + after_ms, ring=self._ring, has_time=lambda: next(time_left, False))

    def _ring(
        self,
        queue: Literal["turns", "outgoing"],
        tenant_id: TenantId,
        conversation_id: ConversationId,
        seq: int,
        correlation_id: str,
    ) -> None:
        if tenant_id == self.tenant:
            self.rung.append((queue, conversation_id, seq, correlation_id))


@pytest.fixture
def sweeper(tenant: TenantId) -> Sweeper:
    return Sweeper(tenant)


def test_work_that_cannot_be_read_holds_up_no_other(tenant: TenantId, sweeper: Sweeper) -> None:
    begun = accept_and_begin(tenant, "hi")
    due = clock.now_ms() - 1
    late = Scheduled(
        tenant,
        begun.conversation_id,
        "late",
        due_at=due,
        useful_until=due + 60_000,
        text="t",
        about="a",
        what=FollowUp(1),
    )
    to_item(late).save()
    ProfileItem(*profile_key(tenant)).update(actions=[ProfileItem.time_zone.set("of another version")])

    counts = sweeper.run(after_ms=SWEEP_DELAY_MS + 1)
    assert counts.failed >= 1
    assert [ring[0] for ring in sweeper.rung] == ["turns"]

    ScheduledItem(conversation_pk(tenant, begun.conversation_id), scheduled_sk("late")).delete()


def test_what_nobody_can_read_still_ends_with_a_person(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    begun = accept_and_begin(tenant, "hi")
    ProfileItem(*profile_key(tenant)).update(actions=[ProfileItem.time_zone.set("of another version")])

    for number in range(MAX_RINGS + 1):
        sweeper.run(after_ms=SWEEP_DELAY_MS + 1 + number * (AGAIN_AFTER_MS + 1))

    assert store.conversation(tenant).needs_attention == REASON
    assert [ring[:2] for ring in sweeper.rung] == [("outgoing", begun.conversation_id)]


def test_a_dropped_doorbell_of_a_message_is_rung_again_and_not_each_minute(
    store: Store, tenant: TenantId, sweeper: Sweeper
) -> None:
    accept(message(tenant, "one"))
    newest = message(tenant, "two")
    accept(newest)
    conversation_id = store.conversation_id(tenant)

    sweeper.run(after_ms=SWEEP_DELAY_MS // 2)
    assert sweeper.rung == []

    sweeper.run(after_ms=SWEEP_DELAY_MS + 1)
    assert sweeper.rung == [("turns", conversation_id, 2, newest.correlation_id)]

    sweeper.run(after_ms=SWEEP_DELAY_MS + 60_000)
    assert sweeper.rung == []

    sweeper.run(after_ms=SWEEP_DELAY_MS + AGAIN_AFTER_MS + 2_000)
    assert sweeper.rung == [("turns", conversation_id, 2, newest.correlation_id)]


def test_what_was_handled_is_forgotten(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    accept(message(tenant))
    # The turn committed and died before it could tidy up.
    store.conversation(tenant).update(actions=[ConversationItem.handled_seq.set(1)])

    sweeper.run(after_ms=SWEEP_DELAY_MS + 1)

    assert sweeper.rung == []
    assert store.conversation(tenant).sweep_at is None


def test_a_business_without_assistant_is_rung_for_nothing(
    store: Store, tenant: TenantId, business: BusinessProfile, sweeper: Sweeper
) -> None:
    accept(message(tenant))
    save_profile(business.model_copy(update={"ai_enabled": False}))

    sweeper.run(after_ms=SWEEP_DELAY_MS + 1)

    assert sweeper.rung == []
    conversation = store.conversation(tenant)
    assert (conversation.sweep_at, conversation.last_seq, conversation.handled_seq) == (None, 1, 0)


def conversation_of(row: OutboxItem) -> ConversationId:
    return parse_conversation_pk(row.pk)[1]


def rounds(sweeper: Sweeper, count: int, *, first: int = 0) -> list[Rung]:
    """What the sweeper rings in its rounds number `first` and on."""
    rung: list[Rung] = []
    for number in range(first, first + count):
        sweeper.run(after_ms=SWEEP_DELAY_MS + number * (AGAIN_AFTER_MS + 1_000) + 1)
        rung += sweeper.rung
    return rung


@pytest.mark.parametrize(("text", "language"), [("are you open?", "en"), ("אתם פתוחים?", "he")])
def test_when_the_agent_dies_each_time_a_person_is_called_and_the_ringing_ends(
    store: Store, tenant: TenantId, sweeper: Sweeper, text: str, language: Language
) -> None:
    accept(message(tenant, text))
    assert [queue for queue, *_ in rounds(sweeper, MAX_RINGS)] == ["turns"] * MAX_RINGS

    [(queue, _, seq, _)] = rounds(sweeper, 1, first=MAX_RINGS)

    assert (queue, seq) == ("outgoing", 1)
    [reply] = store.outbox(tenant)
    assert A_PERSON_WILL_ANSWER[language] in reply.content
    conversation = store.conversation(tenant)
    assert (conversation.handled_seq, conversation.needs_attention) == (1, REASON)
    assert (
        rounds(sweeper, 3, first=MAX_RINGS + 1) == [("outgoing", conversation_of(reply), 1, reply.correlation_id)] * 3
    )


def test_who_opted_out_is_not_written_to_even_then(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    accept(message(tenant))
    store.conversation(tenant).update(actions=[ConversationItem.opted_out_at.set(1)])
    rounds(sweeper, MAX_RINGS + 1)
    assert store.outbox(tenant) == []
    assert store.conversation(tenant).needs_attention == REASON


def test_whom_the_owner_saved_is_not_written_to_even_then(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    profile = load_profile(tenant)
    assert profile is not None
    save_profile(profile.model_copy(update={"audience": "unsaved_contacts"}))
    accept(message(tenant))
    contact = Contact(jid=PHONE, saved=True)
    accept(
        ContactsUpdated(tenant_id=tenant, correlation_id="c", book_at=1, revision=1, contacts=(contact,), complete=True)
    )
    rounds(sweeper, MAX_RINGS + 1)
    assert store.outbox(tenant) == []
    conversation = store.conversation(tenant)
    assert (conversation.handled_seq, conversation.needs_attention) == (1, None)


def test_an_answer_in_between_begins_a_new_count(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    turn = accept_and_begin(tenant, "hi")
    rounds(sweeper, MAX_RINGS)
    answer_with(turn)
    accept(message(tenant, "and tomorrow?"))
    assert [queue for queue, *_ in rounds(sweeper, 1, first=MAX_RINGS)] == ["turns"]


def queue(tenant: TenantId, *texts: str) -> Turn:
    turn = accept_and_begin(tenant, "hi")
    answer_with(turn, *texts)
    return turn


def test_queued_answers_whose_doorbell_was_dropped_are_rung_once(
    store: Store, tenant: TenantId, sweeper: Sweeper
) -> None:
    turn = queue(tenant, "one", "two", "three")

    sweeper.run(after_ms=outbox.SWEEP_DELAY_MS // 2)
    assert sweeper.rung == []

    sweeper.run(after_ms=outbox.SWEEP_DELAY_MS + 1_000)
    assert sweeper.rung == [("outgoing", turn.conversation_id, 1, "test-turn")]

    sweeper.run(after_ms=outbox.SWEEP_DELAY_MS + 60_000)
    assert sweeper.rung == []


def test_a_sender_that_died_is_noticed_when_its_lease_is_over(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    turn = queue(tenant, "one")
    [row] = outbox.unfinished(tenant, turn.conversation_id)
    outbox.claim(row, now_ms=clock.now_ms(), lease_ms=45_000)

    sweeper.run(after_ms=44_000)
    assert sweeper.rung == []

    sweeper.run(after_ms=46_000)
    assert [queue for queue, *_ in sweeper.rung] == ["outgoing"]


def test_a_postponed_answer_is_rung_when_it_is_due(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    turn = queue(tenant, "one")
    [row] = outbox.unfinished(tenant, turn.conversation_id)
    claimed = outbox.claim(row, now_ms=clock.now_ms(), lease_ms=1_000)
    outbox.postpone(claimed, next_attempt_at=clock.now_ms() + 50_000, error="no session")

    sweeper.run(after_ms=49_000)
    assert sweeper.rung == []

    sweeper.run(after_ms=51_000)
    assert [queue for queue, *_ in sweeper.rung] == ["outgoing"]


def test_finished_answers_are_not_in_the_index(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    turn = queue(tenant, "one", "two")
    first, second = outbox.unfinished(tenant, turn.conversation_id)
    outbox.record_evidence(tenant, turn.conversation_id, first.sk, "SENT", at=1)
    outbox.give_up(second, "FAILED", error="refused")

    sweeper.run(after_ms=3_600_000)

    assert sweeper.rung == []


def test_a_run_without_time_leaves_the_rest_for_the_next(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    accept(message(tenant))

    assert sweeper.run(after_ms=SWEEP_DELAY_MS + 1, chunks=0).looked_at == 0
    assert sweeper.rung == []

    sweeper.run(after_ms=SWEEP_DELAY_MS + 1)
    assert [queue for queue, *_ in sweeper.rung] == ["turns"]


def test_many_conversations_are_all_found(store: Store, tenant: TenantId, sweeper: Sweeper) -> None:
    """More than one chunk of a shard."""
    conversations = set()
    for number in range(60):
        phone = f"97250{secrets.randbelow(10**7):07d}{number:02d}@s.whatsapp.net"
        chat = direct(lid=None).model_copy(update={"jid": phone, "phone_jid": phone})
        conversations.add(accept(message(tenant, chat=chat)).rings[0].conversation_id)

    sweeper.run(after_ms=SWEEP_DELAY_MS + 60_000)

    assert {conversation_id for _, conversation_id, *_ in sweeper.rung} == conversations
    shards = {entry.sweep_shard for entry in AppItem.scan() if entry.sweep_shard is not None}
    assert len(shards) == 8


def test_the_function_rings_with_an_id_of_its_own_so_that_sqs_drops_nothing(
    store: Store, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(tenant, "one")
    later = clock.now_ms() + outbox.SWEEP_DELAY_MS + 1_000
    for round_number in range(2):
        monkeypatch.setattr(clock, "now_ms", lambda: later + round_number * (AGAIN_AFTER_MS + 1_000))  # noqa: B023
        answer = handler.handle({}, cast("LambdaContext", LambdaContextDouble()))
        assert answer["outgoing_rung"] >= 1
        assert [bell.seq for bell in store.rings("outgoing") if bell.tenant_id == tenant] == [1]
