"""The whole protocol of inbox and outbox, the real code on a real table, under every kind of accident.

Hypothesis chooses what happens next: messages come, doubled and repeated; functions die between any two steps;
doorbells are doubled, dropped and reordered; the owner answers in the middle; attempts to send end in every way;
receipts come when they like. Then all is left to itself, with nothing but the sweeper, and must come to rest with
everything answered.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from functions.agent.guardrails import YOUNG_MS, left_to_a_person
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
from functions.shared.conversation import Snapshot, load_conversation, load_history, load_messages
from functions.shared.endings import end
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
from functions.shared.keys import conversation_pk, parse_outbox_sk
from functions.shared.outbox import RANK, State
from functions.shared.profile import save_profile
from functions.shared.tables import MessageItem, OutboxItem
from functions.sweeper.sweep import sweep
from functions.webhook.accept import Acceptance, accept
from tests.unit.protocol.table import begin_empty, lying_under

TENANT = TenantId("business_1")
CHAT = Chat(kind="direct", jid=Jid("1@lid"), lid=Jid("1@lid"), phone_jid=Jid("972501234567@s.whatsapp.net"))
PAUSE_MS = 60_000
LONG_ENOUGH_MS = 130_000
"""Longer than any delay of the sweeper, any lease and any backoff."""

ENDINGS = ["answered", "answered", "unknown", "away", "moved", "refused", "banned", "superseded", "dies"]

Item = TypeVar("Item", OutboxItem, MessageItem)
Taken = TypeVar("Taken")
Action = Callable[[], None]


class Protocol:
    """One conversation, its two queues, the gateway and the phones. What may happen to them is listed in `possible`."""

    def __init__(self, random: Random) -> None:
        begin_empty()
        save_profile(barber_shop(TENANT).model_copy(update={"takeover_pause_minutes": PAUSE_MS // 60_000}))
        self.random = random
        self.now = 1_790_000_000_000
        self.numbers = itertools.count(1)
        self.journal: list[MessageReceived] = []
        self.forwarded: list[MessageReceived] = []
        self.conversation: ConversationId | None = None
        self.turns_queue: list[int] = []
        self.outgoing_queue: list[int] = []
        self.turns: list[Turn] = []
        self.looked_at: list[tuple[outbox.Row, int]] = []
        self.claimed: list[outbox.Row] = []
        self.wire: list[tuple[str, MessageId]] = []
        self.ids: dict[str, set[MessageId]] = {}
        self.states: dict[str, State] = {}
        self.owner_wrote = False
        self.answered = False
        self.history: list[str] = []

    def run(self, steps: int) -> None:
        """So many accidents, then peace."""
        for _ in range(steps):
            actions = self.possible()
            [action] = self.random.choices(list(actions), list(actions.values()))
            self.history.append(action.__name__)
            action()
            self.check()
        self.peace()

    def possible(self) -> dict[Action, int]:
        """What may happen now, and how likely it is."""
        actions: dict[Action, int] = {self.customer_writes: 3, self.time_passes: 3}
        if self.conversation is not None:
            actions |= {self.owner_writes: 1, self.sweeper_runs: 1}
        if self.answered:
            actions |= {self.send_function_looks: 6}
        if self.journal:
            actions |= {self.webhook_takes_the_next_event: 9, self.webhook_dies_before_it_rings: 2}
        if self.forwarded:
            actions |= {self.gateway_repeats_an_event: 1}
        if self.turns_queue:
            actions |= {self.agent_hears_a_doorbell: 9, self.agent_hears_a_doorbell_twice: 2}
            actions |= {self.sqs_drops_a_doorbell: 1}
        if self.turns:
            actions |= {self.agent_commits: 9, self.agent_commits_twice: 1}
            actions |= {self.agent_dies_behind_its_commit: 1, self.agent_dies_before_its_commit: 1}
        if self.looked_at:
            actions |= {self.send_function_acts: 12}
        if self.claimed:
            actions |= {self.gateway_is_asked: 12}
        if self.wire:
            actions |= {self.receipt_comes: 4}
        return actions

    def one_of(self, among: list[Taken]) -> Taken:
        """One of them, taken out: queues and functions keep no order here."""
        return among.pop(self.random.randrange(len(among)))

    # ---- phones and gateway

    def customer_writes(self) -> None:
        self.write(from_me=False)

    def owner_writes(self) -> None:
        self.write(from_me=True)

    def write(self, *, from_me: bool) -> None:
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

    def webhook_takes_the_next_event(self) -> None:
        self.ring(self.accept(self.journal[0]))
        self.forwarded.append(self.journal.pop(0))

    def webhook_dies_before_it_rings(self) -> None:
        """Behind its transaction; without a 2xx the gateway repeats the event."""
        self.accept(self.journal[0])

    def gateway_repeats_an_event(self) -> None:
        """It never got the 2xx."""
        acceptance = self.accept(self.random.choice(self.forwarded))
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

    # ---- doorbells and turns

    def sqs_drops_a_doorbell(self) -> None:
        self.one_of(self.turns_queue)

    def agent_hears_a_doorbell(self) -> None:
        self.hear(self.one_of(self.turns_queue))

    def agent_hears_a_doorbell_twice(self) -> None:
        self.hear(self.random.choice(self.turns_queue))

    def hear(self, seq: int) -> None:
        assert self.conversation is not None
        snapshot = load_conversation(TENANT, self.conversation)
        match decide(snapshot, seq, self.now):
            case RunTurn() as run:
                turn = begin_turn(snapshot, run, correlation_id="turn", now_ms=self.now)
                if not self.some_is_left_to_a_person(turn, snapshot):
                    self.turns.append(turn)
            case Answered() if outbox.has_unfinished(TENANT, self.conversation):
                self.outgoing_queue.append(seq)
            case _:
                pass

    def some_is_left_to_a_person(self, turn: Turn, snapshot: Snapshot) -> bool:
        """As the agent does it; what is behind those gets its turn with the next doorbell."""
        pending = load_messages(TENANT, turn.conversation_id, turn.lo, turn.hi)
        aside = left_to_a_person(pending, silent_until=snapshot.paused_until, now_ms=self.now)
        if aside is not None:
            end(turn, aside, now_ms=self.now)
            self.history.append(f"put aside up to {aside.hi}")
            if aside.hi < turn.hi:
                self.turns_queue.append(turn.hi)
        return aside is not None

    def agent_commits(self) -> None:
        turn = self.one_of(self.turns)
        self.commit(turn)
        self.outgoing_queue.append(turn.hi)

    def agent_commits_twice(self) -> None:
        """It never hears that it committed, so it will try once more."""
        self.commit(self.random.choice(self.turns))

    def agent_dies_behind_its_commit(self) -> None:
        self.commit(self.one_of(self.turns))

    def agent_dies_before_its_commit(self) -> None:
        self.one_of(self.turns)

    def commit(self, turn: Turn) -> None:
        replies = [Reply(f"part {part}") for part in range(self.random.randint(0, 2))]
        try:
            commit_turn(turn, replies=replies, record=TurnRecord(items=[]), now_ms=self.now)
        except TurnOvertakenError:
            return
        self.answered = True

    # ---- sending

    def send_function_looks(self) -> None:
        """Whether a doorbell rang or not: they may come at any time, and several at once."""
        assert self.conversation is not None
        rows = outbox.unfinished(TENANT, self.conversation)
        if rows:
            self.looked_at.append((rows[0], load_conversation(TENANT, self.conversation).epoch))

    def send_function_acts(self) -> None:
        """On what it saw, which may be old by now."""
        row, epoch = self.one_of(self.looked_at)
        match next_step(row, epoch=epoch, assistant_on=True, now_ms=self.now):
            case Due():
                self.claim(row)
            case Void(reason):
                outbox.give_up(row, "CANCELLED", error=reason)
            case TooLate(reason):
                outbox.give_up(row, "FAILED", error=reason)
            case _:
                pass

    def claim(self, row: outbox.Row) -> None:
        try:
            claimed = outbox.claim(row, now_ms=self.now, lease_ms=LEASE_MS)
        except outbox.RowMovedError:
            return
        except outbox.OvertakenError:
            outbox.give_up(row, "CANCELLED", error="superseded")
            return
        covered, _ = parse_outbox_sk(row.sk)
        later = [item for item in self.messages() if item.author == "owner" and item.seq > covered]
        assert not later or row.author == "person", "claimed after a person took over"
        self.claimed.append(claimed)

    def gateway_is_asked(self) -> None:
        """The post follows its claim at once, so within the lease; whoever is late has died in between."""
        row = self.one_of(self.claimed)
        if row.lease_until is None or row.lease_until <= self.now:
            return
        ending = self.random.choice(ENDINGS)
        if ending == "answered" or (ending in ("unknown", "dies") and self.random.random() < 0.5):
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

    def receipt_comes(self) -> None:
        _, message_id = self.random.choice(self.wire)
        said = self.random.choice(["sent", "delivered", "read"])
        status = {"tenant_id": TENANT, "correlation_id": "status", "chat": CHAT, "message_id": message_id}
        acceptance = self.accept(MessageStatus.model_validate({**status, "status": said, "at": self.now}))
        if self.random.random() < 0.5:
            self.ring(acceptance)

    # ---- time

    def time_passes(self) -> None:
        self.now += self.random.choice([100, 2_000, 9_000, LEASE_MS + 1, LONG_ENOUGH_MS])
        if self.random.random() < 0.05:
            self.now += YOUNG_MS

    def sweeper_runs(self) -> None:
        sweep(now_ms=self.now, ring=self.swept, has_time=lambda: True)

    def swept(self, queue: str, tenant: TenantId, conversation: ConversationId, seq: int, _: str) -> None:
        assert (tenant, conversation) == (TENANT, self.conversation)
        (self.turns_queue if queue == "turns" else self.outgoing_queue).append(seq)

    def states_only_rise_and_ids_never_change(self) -> None:
        for row in self.rows():
            state = next(state for state in RANK if state == row.state)
            before = self.states.get(row.sk, "QUEUED")
            assert state == before or RANK[state] > RANK[before], f"{row.sk} fell from {before} to {state}"
            self.states[row.sk] = state
            self.ids.setdefault(row.sk, set()).add(MessageId(row.message_id))
        assert all(len(ids) == 1 for ids in self.ids.values()), "a row changed its WhatsApp id"
        assert all({message_id} == self.ids[sk] for sk, message_id in self.wire)

    def order_is_kept_on_the_wire(self) -> None:
        keys = [sk for sk, _ in self.wire]
        assert keys == sorted(keys)

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
        return lying_under(model, conversation_pk(TENANT, self.conversation), prefix)

    def committed(self) -> list[tuple[int, int]]:
        if self.conversation is None:
            return []
        return [(past.lo, past.hi) for past in load_history(TENANT, self.conversation, 1_000)]

    # ---- and in the end

    def peace(self) -> None:
        """Nothing goes wrong any more. Whoever ran has died, and only the sweeper knows what was lost."""
        for lost in (self.turns, self.claimed, self.looked_at, self.turns_queue, self.outgoing_queue):
            lost.clear()
        self.come_to_rest()
        if self.owner_wrote:
            # The last pause may have to end first; the sweeper notices by itself.
            self.now += PAUSE_MS
            self.come_to_rest()
        self.every_message_has_its_own_number_and_at_most_one_turn()
        if self.conversation is not None:
            self.everything_is_answered(self.conversation)

    def come_to_rest(self) -> None:
        for _ in range(4):
            while self.journal:
                self.webhook_takes_the_next_event()
            while self.turns_queue:
                self.hear(self.turns_queue.pop(0))
                while self.turns:
                    turn = self.turns.pop()
                    commit_turn(turn, replies=[Reply("at last")], record=TurnRecord(items=[]), now_ms=self.now)
                    self.outgoing_queue.append(turn.hi)
            if self.outgoing_queue and self.conversation is not None:
                self.outgoing_queue.clear()
                drain(TENANT, self.conversation, self.surroundings())
            self.check()
            self.now += LONG_ENOUGH_MS
            self.sweeper_runs()

    def surroundings(self) -> Surroundings:
        return Surroundings(
            sender=self,
            now_ms=lambda: self.now,
            sleep_ms=lambda _: None,
            uniform=lambda _, high: high,
            remaining_ms=lambda: 10**9,
            max_wait_ms=0,
            came_up_since=lambda _tenant, _since: False,
        )

    def send(self, row: outbox.Row) -> Result:
        """The Sender of the real drain: everything goes out."""
        self.goes_out(row)
        return self.result(row, "answered")

    def check(self) -> None:
        self.states_only_rise_and_ids_never_change()
        self.order_is_kept_on_the_wire()

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


ACTORS = {"agent", "customer", "gateway", "owner", "receipt", "sqs", "sweeper", "webhook"}

HAPPENED: Counter[str] = Counter()
"""Of all examples: a protocol that nothing happens to would pass."""


@given(st.randoms(use_true_random=True), st.integers(1, 100))
@settings(
    max_examples=int(os.environ.get("PROTOCOL_EXAMPLES", "40")), deadline=None, suppress_health_check=list(HealthCheck)
)
def everything_is_answered_once(random: Random, steps: int) -> None:
    # True randomness, because Hypothesis' own draws prefer small numbers, and with them few runs reach the gateway.
    protocol = Protocol(random)
    try:
        protocol.run(steps)
    finally:
        note("\n".join(protocol.history))
    HAPPENED.update(protocol.history)
    HAPPENED.update(f"a row ends {state}" for state in protocol.states.values())
    HAPPENED["turns"] += len(protocol.committed())


def test_everything_is_answered_once_whatever_goes_wrong(table: None) -> None:
    HAPPENED.clear()

    everything_is_answered_once()

    accidents = {name for name in vars(Protocol) if name.split("_")[0] in ACTORS}
    ends = {f"a row ends {state}" for state in ("CANCELLED", "SENT", "READ")}
    assert accidents | ends <= HAPPENED.keys(), (accidents | ends) - HAPPENED.keys()
    assert HAPPENED["turns"] > 30
