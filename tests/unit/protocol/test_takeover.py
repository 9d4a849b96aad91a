"""A person wins, whenever they come: between model call, commit, claim and the POST to the gateway.

The protocol of test_protocol.py, with a person who answers, pauses and switches more often, and the promise checked at
each claim: nothing that the assistant had said or was about to say when the person came is claimed after that.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from functions.shared import outbox, say, takeover
from functions.shared.contracts import MessageReceived, MessageStatus
from functions.shared.conversation import load_conversation
from functions.shared.inbox import Reply, Turn, TurnOvertakenError, TurnRecord, commit_turn
from functions.webhook.accept import Acceptance
from tests.unit.protocol.test_protocol import PAUSE_MS, TENANT, Action, Protocol

PERSON = {
    "owner_answers_by_phone",
    "person_answers_through_us",
    "person_pauses",
    "person_switches_the_chat_off",
    "person_switches_the_business_off",
}


class Takeover(Protocol):
    """The same conversation, with people at its switches."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.void_turns: set[str] = set()
        self.came_between: Counter[str] = Counter()

    def possible(self) -> dict[Action, int]:
        actions = super().possible()
        if self.conversation is not None:
            actions |= {getattr(self, name): 2 for name in sorted(PERSON)}
            actions |= {self.person_gives_the_word_back: 8}
        return actions

    # ---- what a person does

    def owner_answers_by_phone(self) -> None:
        """The webhook takes the event at once; test_protocol.py has it wait."""
        self.write(from_me=True)
        event = self.journal.pop()
        self.ring(self.accept(event))
        self.forwarded.append(event)

    def person_answers_through_us(self) -> None:
        assert self.conversation is not None
        if load_conversation(TENANT, self.conversation).reply_jid is not None:
            say.say(TENANT, self.conversation, "me", pause_minutes=1, now_ms=self.now, ring=self.swept)
            self.person_came()
            self.owner_wrote = True

    def person_pauses(self) -> None:
        assert self.conversation is not None
        takeover.pause(TENANT, self.conversation, until=self.now + PAUSE_MS, ring=self.swept)
        self.person_came()
        self.owner_wrote = True

    def person_switches_the_chat_off(self) -> None:
        assert self.conversation is not None
        takeover.switch_off(TENANT, self.conversation, now_ms=self.now, ring=self.swept)
        self.person_came()

    def person_switches_the_business_off(self) -> None:
        takeover.switch_business_off(TENANT)
        self.person_came()

    def person_gives_the_word_back(self) -> None:
        assert self.conversation is not None
        takeover.switch_on(TENANT, self.conversation, now_ms=self.now, ring=self.swept)
        takeover.switch_business_on(TENANT, now_ms=self.now, ring=self.swept)

    def accept(self, event: MessageReceived | MessageStatus) -> Acceptance:
        acceptance = super().accept(event)
        if isinstance(event, MessageReceived) and event.from_me and acceptance.answer.result == "accepted":
            self.person_came()
        return acceptance

    def person_came(self) -> None:
        open_rows = [row for row in self.rows() if row.author == "assistant" and row.state == "QUEUED"]
        self.void_turns |= {turn.turn_id for turn in self.turns}
        seen = {row.message_id for row, _ in self.looked_at}
        self.came_between["model call and commit"] += bool(self.turns)
        self.came_between["commit and claim"] += bool(open_rows)
        self.came_between["look and claim"] += any(row.message_id in seen for row in open_rows)
        self.came_between["claim and POST"] += bool(self.claimed)

    # ---- and what must not follow

    def commit(self, turn: Turn) -> None:
        if turn.turn_id not in self.void_turns:
            super().commit(turn)
            return
        business_is_off = not load_conversation(TENANT, turn.conversation_id).business_ai_enabled
        before = len(self.rows())
        try:
            commit_turn(turn, replies=[Reply("too late")], record=TurnRecord(items=[]), now_ms=self.now)
        except TurnOvertakenError:
            return
        # The business was switched off and on again, and nobody else handled the customer: the answer is still wanted.
        assert not business_is_off
        assert len(self.rows()) == before + 1
        assert load_conversation(TENANT, turn.conversation_id).epoch == turn.epoch
        self.answered = True

    def claim(self, row: outbox.Row) -> None:
        known = len(self.claimed)
        super().claim(row)
        if len(self.claimed) > known and row.author == "assistant":
            snapshot = load_conversation(TENANT, row.conversation_id)
            assert snapshot.business_ai_enabled, "claimed while the business is switched off"
            assert snapshot.ai_enabled, "claimed while the chat is switched off"
            assert row.epoch == snapshot.epoch, "claimed after a person came"

    def peace(self) -> None:
        """Of every fifth example: that nothing is forgotten either. It costs more than all the accidents."""
        if self.random.random() < 0.2:
            if self.conversation is not None:
                self.person_gives_the_word_back()
            super().peace()


HAPPENED: Counter[str] = Counter()


@given(st.randoms(use_true_random=True), st.integers(12, 36))
@settings(
    max_examples=int(os.environ.get("TAKEOVER_EXAMPLES", "500")), deadline=None, suppress_health_check=list(HealthCheck)
)
def a_person_wins(random: Random, steps: int) -> None:
    takes = Takeover(random)
    try:
        takes.run(steps)
    finally:
        note("\n".join(takes.history))
    HAPPENED.update(takes.history)
    HAPPENED.update({f"between {place}": times for place, times in takes.came_between.items() if times})


def test_no_message_of_the_assistant_is_claimed_after_a_person_came(table: None) -> None:
    HAPPENED.clear()

    a_person_wins()

    gates = ("model call and commit", "commit and claim", "look and claim", "claim and POST")
    wanted = PERSON | {f"between {gate}" for gate in gates} | {"person_gives_the_word_back"}
    assert wanted <= HAPPENED.keys(), wanted - HAPPENED.keys()
