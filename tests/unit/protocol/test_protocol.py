"""The whole protocol of inbox and outbox, the real code on a real table, under every kind of accident.

Hypothesis chooses what happens next: messages come, doubled and repeated; functions die between any two steps;
doorbells are doubled, dropped and reordered; the owner answers in the middle; attempts to send end in every way;
receipts come when they like. Then all is left to itself, with nothing but the sweeper, and must come to rest with
everything answered.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from functions.send.drain import LEASE_MS, Surroundings, drain, record
from functions.send.outcome import Due, Result, TooLate, Void, next_step, outcome_of
from functions.shared import outbox
from functions.shared.contracts import (
    Chat,
    ConversationId,
    Jid,
    MessageId,
    MessageReceived,
    MessageStatus,
    NotOwner,
    Refused,
    Sent,
    Superseded,
    TenantId,
    TextContent,
    Unavailable,
    Unknown,
)
from functions.shared.conversation import load_conversation, load_history
from functions.shared.examples import barber_shop
from functions.shared.inbox import (
    Answered,
    Reply,
    RunTurn,
    Turn,
    TurnOvertakenError,
    TurnRecord,
    begin_turn,
    commit_turn,
    decide,
)
from functions.shared.keys import conversation_pk
from functions.shared.outbox import RANK, State
from functions.shared.profile import save_profile
from functions.shared.tables import MessageItem, OutboxItem
from functions.sweeper.sweep import sweep
from functions.webhook.accept import Acceptance, accept
from tests.unit.protocol.table import begin_empty, in_process_table

TENANT = TenantId("business_1")
CHAT = Chat(kind="direct", jid=Jid("1@lid"), lid=Jid("1@lid"), phone_jid=Jid("972501234567@s.whatsapp.net"))
PAUSE_MS = 60_000
LONG_ENOUGH_MS = 130_000
"""Longer than any delay of the sweeper, any lease and any backoff."""

index = st.integers(0, 20)
Item = TypeVar("Item", OutboxItem, MessageItem)


class Protocol(RuleBasedStateMachine):
    """One conversation, its two queues, the gateway and the phones."""

    def __init__(self) -> None:
        super().__init__()
        begin_empty()
        profile = barber_shop(TENANT).model_copy(update={"takeover_pause_minutes": PAUSE_MS // 60_000})
        save_profile(profile)
        self.now = 1_790_000_000_000
        self.numbers = itertools.count(1)
        self.journal: list[MessageReceived] = []
        self.forwarded: list[MessageReceived] = []
        self.conversation: ConversationId | None = None
        self.turns_queue: list[int] = []
        self.outgoing_queue: list[int] = []
        self.turns: list[Turn] = []
        self.claimed: list[outbox.Row] = []
        self.wire: list[tuple[str, MessageId]] = []
        self.ids: dict[str, set[MessageId]] = {}
        self.states: dict[str, State] = {}
        self.owner_wrote = False

    # ---- phones and gateway

    @rule(from_me=st.sampled_from([False, False, False, True]))
    def somebody_writes(self, *, from_me: bool) -> None:
        number = next(self.numbers)
        self.journal.append(
            MessageReceived(
                tenant_id=TENANT,
                correlation_id=f"wa-{number}",
                chat=CHAT,
                message_id=MessageId(f"3A{number:06X}"),
                from_me=from_me,
                sent_at=self.now,
                received_at=self.now,
                backlog=False,
                content=TextContent(text=f"text {number}"),
            )
        )

    @precondition(lambda self: self.journal)
    @rule(dies=st.booleans())
    def webhook_takes_the_next_event(self, *, dies: bool) -> None:
        """`dies`: between its transaction and the doorbells; without a 2xx the gateway repeats."""
        acceptance = self.accept(self.journal[0])
        if dies:
            return
        self.ring(acceptance)
        self.forwarded.append(self.journal.pop(0))

    @precondition(lambda self: self.forwarded)
    @rule(which=index)
    def gateway_repeats_an_event_whose_answer_was_lost(self, which: int) -> None:
        acceptance = self.accept(self.forwarded[which % len(self.forwarded)])
        assert acceptance.answer.result == "duplicate"
        self.ring(acceptance)

    def accept(self, event: MessageReceived | MessageStatus) -> Acceptance:
        acceptance = accept(event, now_ms=lambda: self.now, sleep=lambda _: None)
        if isinstance(event, MessageReceived) and event.from_me:
            self.owner_wrote = True
        for bell in acceptance.rings:
            self.conversation = bell.conversation_id
        return acceptance

    def ring(self, acceptance: Acceptance) -> None:
        for bell in acceptance.rings:
            (self.turns_queue if bell.queue == "turns" else self.outgoing_queue).append(bell.seq)

    # ---- doorbells

    @precondition(lambda self: self.turns_queue)
    @rule(which=index)
    def sqs_drops_a_doorbell(self, which: int) -> None:
        self.turns_queue.pop(which % len(self.turns_queue))

    @precondition(lambda self: self.outgoing_queue)
    @rule()
    def sqs_drops_the_outgoing_doorbells(self) -> None:
        self.outgoing_queue.clear()

    @precondition(lambda self: self.turns_queue)
    @rule(which=index, doubled=st.booleans())
    def agent_hears_a_doorbell(self, which: int, *, doubled: bool) -> None:
        """Any of them, in any order; `doubled`: it will be heard once more."""
        which %= len(self.turns_queue)
        seq = self.turns_queue[which] if doubled else self.turns_queue.pop(which)
        assert self.conversation is not None
        snapshot = load_conversation(TENANT, self.conversation)
        match decide(snapshot, seq, self.now):
            case RunTurn() as run:
                self.turns.append(begin_turn(snapshot, run, correlation_id="turn", now_ms=self.now))
            case Answered() if outbox.has_unfinished(TENANT, self.conversation):
                self.outgoing_queue.append(seq)
            case _:
                pass

    @precondition(lambda self: self.turns)
    @rule(which=index, parts=st.integers(0, 2), again=st.booleans(), rings=st.booleans())
    def agent_commits(self, which: int, parts: int, *, again: bool, rings: bool) -> None:
        """`again`: it never hears that it committed and tries once more. Not `rings`: it dies behind the commit."""
        which %= len(self.turns)
        turn = self.turns[which] if again else self.turns.pop(which)
        self.commit(turn, parts)
        if rings:
            self.outgoing_queue.append(turn.hi)

    @precondition(lambda self: self.turns)
    @rule(which=index)
    def agent_dies_before_its_commit(self, which: int) -> None:
        self.turns.pop(which % len(self.turns))

    def commit(self, turn: Turn, parts: int) -> None:
        replies = [Reply(f"answer to {turn.lo}..{turn.hi}, part {part}") for part in range(parts)]
        try:
            commit_turn(turn, replies=replies, record=TurnRecord(items=[]), now_ms=self.now)
        except TurnOvertakenError:
            return

    # ---- sending

    @precondition(lambda self: self.conversation)
    @rule()
    def send_function_looks_at_the_oldest_row(self) -> None:
        """Whether a doorbell rang or not: they may come at any time."""
        assert self.conversation is not None
        rows = outbox.unfinished(TENANT, self.conversation)
        if not rows:
            return
        epoch = load_conversation(TENANT, self.conversation).epoch
        match next_step(rows[0], epoch=epoch, assistant_on=True, now_ms=self.now):
            case Due():
                self.claimed.append(self.claim(rows[0]))
            case Void(reason):
                outbox.give_up(rows[0], "CANCELLED", error=reason)
            case TooLate(reason):
                outbox.give_up(rows[0], "FAILED", error=reason)
            case _:
                pass

    def claim(self, row: outbox.Row) -> outbox.Row:
        assert self.conversation is not None
        claimed = outbox.claim(row, now_ms=self.now, lease_ms=LEASE_MS)
        assert load_conversation(TENANT, self.conversation).epoch == claimed.epoch, "claimed after a person took over"
        return claimed

    @precondition(lambda self: self.claimed)
    @rule(
        which=index,
        on_the_wire=st.booleans(),
        ending=st.sampled_from(
            ["answered", "answered", "unknown", "away", "moved", "refused", "banned", "superseded", "dies"]
        ),
    )
    def gateway_is_asked(self, which: int, ending: str, *, on_the_wire: bool) -> None:
        """The post follows its claim at once, so within the lease; whoever is late has died in between."""
        row = self.claimed.pop(which % len(self.claimed))
        if row.lease_until is None or row.lease_until <= self.now:
            return
        if ending == "answered" or (on_the_wire and ending in ("unknown", "dies")):
            self.goes_out(row)
        if ending != "dies":
            record(row, outcome_of(self.result(row, ending), row, now_ms=self.now, uniform=lambda _, high: high))

    def goes_out(self, row: outbox.Row) -> None:
        """The gateway is idempotent by the id, and so is the customer's phone."""
        if row.message_id not in [message_id for _, message_id in self.wire]:
            self.wire.append((row.sk, row.message_id))

    def result(self, row: outbox.Row, ending: str) -> Result:
        one = row.message_id
        results: dict[str, Result] = {
            "answered": Sent(message_id=one, acknowledged_at=self.now),
            "unknown": Unknown(message_id=one, reason="no acknowledgement"),
            "moved": NotOwner(message_id=one, reason="moved"),
            "refused": Refused(message_id=one, code="479", reason="not now", permanent=False),
            "banned": Refused(message_id=one, code="463", reason="never", permanent=True),
            "superseded": Superseded(message_id=one, reason="a person wrote"),
            "away": Unavailable(message_id=one, reason="away", retry_after_ms=1_000),
        }
        return results[ending]

    @precondition(lambda self: self.wire)
    @rule(which=index, said=st.sampled_from(["sent", "delivered", "read"]), dies=st.booleans())
    def a_receipt_comes(self, which: int, said: str, *, dies: bool) -> None:
        _, message_id = self.wire[which % len(self.wire)]
        status = {"tenant_id": TENANT, "correlation_id": "status", "chat": CHAT, "message_id": message_id}
        acceptance = self.accept(MessageStatus.model_validate({**status, "status": said, "at": self.now}))
        if not dies:
            self.ring(acceptance)

    # ---- time

    @rule(wait=st.sampled_from([100, 2_000, 9_000, LEASE_MS + 1, LONG_ENOUGH_MS]))
    def time_passes(self, wait: int) -> None:
        self.now += wait

    @rule()
    def sweeper_runs(self) -> None:
        sweep(now_ms=self.now, ring=self.swept, has_time=lambda: True)

    def swept(self, queue: str, tenant: TenantId, conversation: ConversationId, seq: int, _: str) -> None:
        assert (tenant, conversation) == (TENANT, self.conversation)
        (self.turns_queue if queue == "turns" else self.outgoing_queue).append(seq)

    # ---- what must hold

    @invariant()
    def states_only_rise_and_ids_never_change(self) -> None:
        for row in self.rows():
            state = next(state for state in RANK if state == row.state)
            before = self.states.get(row.sk, "QUEUED")
            assert state == before or RANK[state] > RANK[before], f"{row.sk} fell from {before} to {state}"
            self.states[row.sk] = state
            self.ids.setdefault(row.sk, set()).add(MessageId(row.message_id))
        assert all(len(ids) == 1 for ids in self.ids.values()), "a row changed its WhatsApp id"
        assert all({message_id} == self.ids[sk] for sk, message_id in self.wire)

    @invariant()
    def order_is_kept_on_the_wire(self) -> None:
        keys = [sk for sk, _ in self.wire]
        assert keys == sorted(keys)

    @invariant()
    def every_message_has_its_own_number_and_at_most_one_turn(self) -> None:
        messages = self.messages()
        assert [item.seq for item in messages] == list(range(1, len(messages) + 1))
        assert len({item.message_id for item in messages}) == len(messages)
        owners = {item.seq for item in messages if item.author == "owner"}
        covered = [seq for lo, hi in self.committed() for seq in range(lo, hi + 1)]
        assert len(covered) == len(set(covered)), "a message is in two turns"
        assert not owners.intersection(covered), "a turn committed over a person's answer"

    def rows(self) -> list[OutboxItem]:
        return self.query(OutboxItem, "OUT#")

    def messages(self) -> list[MessageItem]:
        return self.query(MessageItem, "MSG#")

    def query(self, model: type[Item], prefix: str) -> list[Item]:
        if self.conversation is None:
            return []
        return list(model.query(conversation_pk(TENANT, self.conversation), model.sk.startswith(prefix)))

    def committed(self) -> list[tuple[int, int]]:
        if self.conversation is None:
            return []
        return [(past.lo, past.hi) for past in load_history(TENANT, self.conversation, 1_000)]

    # ---- and in the end

    def teardown(self) -> None:
        """Nothing goes wrong any more; whoever ran has died. Nothing but the sweeper knows what was lost."""
        self.turns.clear()
        self.claimed.clear()
        self.turns_queue.clear()
        self.outgoing_queue.clear()
        self.come_to_rest()
        if self.owner_wrote and self.conversation is not None:
            # Messages of a pause wait for a person, or for the customer's next one.
            self.somebody_writes(from_me=False)
            self.come_to_rest()
        if self.conversation is not None:
            self.everything_is_answered(self.conversation)

    def come_to_rest(self) -> None:
        for _ in range(6):
            while self.journal:
                self.webhook_takes_the_next_event(dies=False)
            while self.turns_queue:
                self.agent_hears_a_doorbell(0, doubled=False)
                while self.turns:
                    self.agent_commits(0, 1, again=False, rings=True)
            if self.outgoing_queue and self.conversation is not None:
                self.outgoing_queue.clear()
                drain(TENANT, self.conversation, self.surroundings())
            self.check()
            self.time_passes(LONG_ENOUGH_MS)
            self.sweeper_runs()

    def surroundings(self) -> Surroundings:
        return Surroundings(
            sender=self,
            now_ms=lambda: self.now,
            sleep_ms=self.time_passes,
            uniform=lambda _, high: high,
            remaining_ms=lambda: 10**9,
            max_wait_ms=0,
        )

    def send(self, row: outbox.Row) -> Result:
        """The Sender of the real drain: everything goes out."""
        self.goes_out(row)
        return self.result(row, "answered")

    def check(self) -> None:
        self.states_only_rise_and_ids_never_change()
        self.order_is_kept_on_the_wire()
        self.every_message_has_its_own_number_and_at_most_one_turn()

    def everything_is_answered(self, conversation: ConversationId) -> None:
        snapshot = load_conversation(TENANT, conversation)
        assert snapshot.handled_seq == snapshot.last_seq, "a message that nobody will answer"
        assert not outbox.unfinished(TENANT, conversation), "an answer that nobody will send"
        messages = self.messages()
        owners = [item.seq for item in messages if item.author == "owner"]
        covered = {seq for lo, hi in self.committed() for seq in range(lo, hi + 1)}
        for item in messages:
            by_a_person = any(seq >= item.seq for seq in owners)
            assert item.seq in covered or by_a_person, f"message {item.seq} was handled by nobody"
        on_the_wire = {message_id for _, message_id in self.wire}
        for row in self.rows():
            assert row.state in ("FAILED", "CANCELLED") or row.message_id in on_the_wire, "called sent, but it was not"


@pytest.fixture
def table() -> Iterator[None]:
    with in_process_table():
        yield


def test_everything_is_answered_once_whatever_goes_wrong(table: None) -> None:
    examples = int(os.environ.get("PROTOCOL_EXAMPLES", "60"))
    run_state_machine_as_test(
        Protocol,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
