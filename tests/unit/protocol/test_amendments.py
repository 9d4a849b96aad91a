"""Edits, deletions, reactions, messages that could not be read at first: in any order, doubled, between steps of turns.

The real webhook on a real table. Whatever happens when: each event is stored once, nothing waits for ever, what the
assistant was shown last of a message is what the customer wrote last, and nothing deleted is shown in a later turn.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from functions.shared.amendments import amended, needs_no_answer
from functions.shared.contracts import (
    Content,
    ConversationId,
    DeletionContent,
    EditContent,
    MessageId,
    MessageReceived,
    ReactionContent,
    TextContent,
    UnsupportedContent,
)
from functions.shared.conversation import Message, load_conversation, load_messages
from functions.shared.endings import NothingAsked, end
from functions.shared.examples import barber_shop
from functions.shared.inbox import Reply, RunTurn, Turn, TurnOvertakenError, TurnRecord, begin_turn, commit_turn, decide
from functions.shared.profile import save_profile
from functions.shared.tables import ChatItem
from functions.webhook.accept import accept
from tests.unit.protocol.table import begin_empty
from tests.unit.protocol.test_protocol import CHAT, TENANT

HAPPENED: Counter[str] = Counter()


class Chat:
    """One customer who changes their mind, and an assistant whose turns may begin and end at any time."""

    def __init__(self, random: Random) -> None:
        begin_empty()
        save_profile(barber_shop(TENANT))
        self.random = random
        self.now = 1_800_000_000_000
        self.conversation: ConversationId | None = None
        self.texts: dict[str, str] = {}
        """What each message says now, on the customer's phone; without the deleted ones."""
        self.on_the_way: list[MessageReceived] = []
        self.taken: list[MessageReceived] = []
        self.turn: tuple[Turn, list[Message]] | None = None
        self.shown: dict[str, str] = {}
        self.deleted: set[str] = set()
        """Whose deletion the webhook had."""
        self.count = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            name = self.random.choice(self.possible())
            HAPPENED[name] += 1
            note(name)
            getattr(self, name)()
        self.peace()

    def possible(self) -> list[str]:
        names = ["customer_writes", "customer_writes"]
        if self.texts:
            names += ["customer_edits", "customer_edits", "customer_deletes", "customer_reacts"]
        if self.on_the_way:
            names += ["webhook_takes_one"] * 4
        if self.taken:
            names.append("gateway_repeats_one")
        if self.conversation is not None:
            names += ["turn_begins", "turn_commits", "turn_dies"] if self.turn else ["turn_begins"] * 2
        return names

    # ---- the customer

    def customer_writes(self) -> None:
        event = self.event(TextContent(text="first"))
        self.texts[event.message_id] = "first"
        if self.random.random() < 0.2:
            unread = UnsupportedContent(what="undecryptable")
            self.on_the_way.append(self.event(unread, message_id=f"{event.message_id}.undecryptable"))
        self.on_the_way.append(event)

    def customer_edits(self) -> None:
        target = self.random.choice(list(self.texts))
        event = self.event(EditContent(target_id=MessageId(target), text=f"edit {self.count}"))
        self.texts[target] = f"edit {self.count - 1}"
        self.on_the_way.append(event)

    def customer_deletes(self) -> None:
        target = self.random.choice(list(self.texts))
        del self.texts[target]
        self.on_the_way.append(self.event(DeletionContent(target_id=MessageId(target))))

    def customer_reacts(self) -> None:
        target = MessageId(self.random.choice(list(self.texts)))
        self.on_the_way.append(self.event(ReactionContent(target_id=target, target_from_me=False, emoji="+")))

    def event(self, content: Content, message_id: str | None = None) -> MessageReceived:
        self.count += 1
        self.now += 1_000
        return MessageReceived(
            tenant_id=TENANT, correlation_id="c", chat=CHAT, message_id=MessageId(message_id or f"M{self.count}"),
            from_me=False, sent_at=self.now, received_at=self.now, backlog=False, content=content,
        )  # fmt: skip

    # ---- the way

    def webhook_takes_one(self) -> None:
        """Often the oldest: only what could not be read at first comes out of order."""
        at = 0 if self.random.random() < 0.7 else self.random.randrange(len(self.on_the_way))
        event = self.on_the_way.pop(at)
        accept(event, now_ms=lambda: self.now)
        self.taken.append(event)
        if isinstance(event.content, DeletionContent):
            self.deleted.add(event.content.target_id)
        if self.conversation is None:
            self.conversation = ConversationId(_only_conversation())

    def gateway_repeats_one(self) -> None:
        assert accept(self.random.choice(self.taken), now_ms=lambda: self.now).answer.result in ("duplicate", "ignored")

    # ---- the assistant

    def turn_begins(self) -> None:
        assert self.conversation is not None
        snapshot = load_conversation(TENANT, self.conversation)
        decision = decide(snapshot, snapshot.last_seq, self.now)
        if not isinstance(decision, RunTurn):
            return
        turn = begin_turn(snapshot, decision, correlation_id="turn", now_ms=self.now)
        known = load_messages(TENANT, self.conversation, 1, turn.hi)
        seen = amended([m for m in known if m.seq >= turn.lo], handled=[m for m in known if m.seq < turn.lo])
        for message in seen:
            assert message.message_id not in self.deleted, "shown after it was deleted"
        if all(needs_no_answer(message.content) for message in seen):
            HAPPENED["nothing asked"] += 1
            end(turn, NothingAsked(), now_ms=self.now)
        else:
            self.turn = (turn, seen)

    def turn_commits(self) -> None:
        assert self.turn is not None
        turn, seen = self.turn
        self.turn = None
        try:
            commit_turn(turn, replies=[Reply("yes")], record=TurnRecord(items=[]), now_ms=self.now)
        except TurnOvertakenError:
            return
        for message in seen:
            if isinstance(message.content, EditContent):
                HAPPENED["an edit seen as an event"] += 1
                self.shown[message.content.target_id] = message.content.text
            elif isinstance(message.content, TextContent):
                HAPPENED["an edit seen in place"] += message.content.text != "first"
                self.shown[message.message_id] = message.content.text

    def turn_dies(self) -> None:
        self.turn = None

    # ---- and in the end

    def peace(self) -> None:
        while self.on_the_way:
            self.webhook_takes_one()
        for _ in range(3):
            if self.turn:
                self.turn_commits()
            if self.conversation is not None:
                self.turn_begins()
        if self.conversation is None:
            return
        snapshot = load_conversation(TENANT, self.conversation)
        assert snapshot.handled_seq == snapshot.last_seq, "something waits for ever"
        stored = [m.message_id for m in load_messages(TENANT, self.conversation, 1, snapshot.last_seq)]
        expected = {event.message_id for event in self.taken}
        assert len(stored) == len(set(stored)), "stored twice"
        assert {i for i in expected if not i.endswith(".undecryptable")} <= set(stored) <= expected
        for message_id, text in self.texts.items():
            assert self.shown.get(message_id) == text, f"the assistant knows another {message_id}"


def _only_conversation() -> str:

    [row] = ChatItem.query(f"T#{TENANT}", ChatItem.sk.startswith("CHAT#"))
    return row.conversation_id


@given(st.randoms(use_true_random=True), st.integers(5, 30))
@settings(
    max_examples=int(os.environ.get("AMENDMENT_EXAMPLES", "40")), deadline=None, suppress_health_check=list(HealthCheck)
)
def the_last_word_counts(random: Random, steps: int) -> None:
    Chat(random).run(steps)


def test_the_customers_last_word_counts_whatever_comes_when(table: None) -> None:
    HAPPENED.clear()

    the_last_word_counts()

    assert {"nothing asked", "an edit seen as an event", "an edit seen in place"} <= HAPPENED.keys()
