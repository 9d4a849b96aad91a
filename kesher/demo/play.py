"""Playing the demo's steps on the phones, and checking each one in the tables."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from functions.shared import aws, clock, queues, settings, takeover
from functions.shared.contracts import ConversationId
from functions.shared.profile import BusinessProfile
from kesher.chat_state import ChatState, find_chat, read_state
from kesher.demo.check import differences, facts
from kesher.demo.hops import Answered, Hops, read_hops
from kesher.demo.script import BUSINESS_PHONE, CUSTOMERS, Step
from kesher.local.simulator import PhoneMessage, SimulatorClient

ANSWER_SECONDS = 60.0
SETTLE_SECONDS = 15.0
"""For what follows an answer on the phone: WhatsApp's receipts, and rows that only then are final."""
_LOOK_EVERY_SECONDS = 0.1


class NoAnswerError(Exception):
    """An answer did not reach the customer's phone in time; the text says where to look."""


class UnexpectedError(Exception):
    """The phones or the tables hold something else than the step should have left."""


@dataclass(frozen=True)
class Played:
    """A step as it went. `hops` is of an answer that came at once."""

    step: Step
    answer: str | None
    state: ChatState
    hops: Hops | None
    seconds: float
    facts: int


class Player:
    """Plays steps, in order; each ends when its facts hold, or raises."""

    def __init__(self, client: SimulatorClient, business: BusinessProfile, log: Path, *, real_model: bool) -> None:
        self._client = client
        self._business = business
        self._log = log
        self._real_model = real_model
        self._answers: Counter[str] = Counter()
        self._on_phone: Counter[str] = Counter()
        self._today: date = datetime.now(UTC).astimezone(business.zone).date()

    def play(self, step: Step) -> Played:
        """Raises NoAnswerError, or UnexpectedError with everything that is not as it should be."""
        began = time.monotonic()
        after = self._client.inbox(step.customer.phone).next
        written_at, message_id = self._act(step)
        answer, hops = None, None
        if step.answered or step.who == "owner":
            message = self._next_message(step, after)
            self._on_phone[step.customer.phone] += 1
            if step.answered:
                answer = message.text or ""
                self._answers[step.customer.phone] += 1
            if step.answered and step.who == "customer":
                stamps = Answered(step.customer.phone, message_id, written_at, message.id, message.at)
                hops = read_hops(self._business.tenant_id, stamps)
        seconds = time.monotonic() - began
        state = self._settled(step)
        if not step.answered:
            self._await_silence(step)
            state = self._settled(step)
        self._compare_words(step, answer)
        return Played(step, answer, state, hops, seconds, facts(step))

    def count_phones(self) -> int:
        """The messages on all phones: each once, none unreadable. Raises UnexpectedError."""
        inboxes = [self._client.inbox(customer.phone) for customer in CUSTOMERS]
        messages = sum(len(inbox.messages) for inbox in inboxes)
        copies = sum(sum(inbox.copies.values()) for inbox in inboxes)
        unreadable = sum(inbox.undecryptable for inbox in inboxes)
        due, answers = self._on_phone.total(), self._answers.total()
        if (messages, copies, unreadable) != (due, answers, 0):
            raise UnexpectedError(
                f"{due} messages were due, {answers} of them ours; the phones hold {messages}, ours came in {copies} "
                f"stanzas, {unreadable} unreadable"
            )
        return messages

    def _act(self, step: Step) -> tuple[int, str]:
        """When the last message was written (Unix milliseconds), and its id."""
        written_at, message_id = clock.now_ms(), ""
        if step.who == "resume":
            takeover.resume(self._business.tenant_id, self._chat(step), now_ms=clock.now_ms(), ring=queues.ring_again)
        for text in step.texts:
            written_at = clock.now_ms()
            if step.who == "owner":
                self._client.owner_says(BUSINESS_PHONE, step.customer.phone, text)
            else:
                message_id = self._client.say(step.customer.phone, BUSINESS_PHONE, text)
        return written_at, message_id

    def _next_message(self, step: Step, after: int) -> PhoneMessage:
        inbox = self._client.inbox(step.customer.phone, after=after, wait_seconds=ANSWER_SECONDS)
        if not inbox.messages:
            raise NoAnswerError(
                f"{step.customer.name}'s phone got no answer within {ANSWER_SECONDS:.0f} s ({step.shows}). "
                f"Look into {self._log} first."
            )
        return inbox.messages[0]

    def _settled(self, step: Step) -> ChatState:
        """The chat once all its facts hold."""
        looked: list[tuple[ChatState, list[str]]] = []

        def look() -> bool:
            state = read_state(self._business.tenant_id, self._chat(step), self._business.zone, now_ms=clock.now_ms())
            wrong = differences(step, state, self._answers[step.customer.phone], self._today)
            looked.append((state, wrong))
            return not wrong

        if not _await(look, SETTLE_SECONDS):
            raise UnexpectedError(f"{step.customer.name}, {step.shows}: " + "; ".join(looked[-1][1]))
        return looked[-1][0]

    def _await_silence(self, step: Step) -> None:
        """Until no doorbell is left that could still bring an answer."""
        if not _await(_nobody_rings, ANSWER_SECONDS):
            raise UnexpectedError(f"{step.customer.name}, {step.shows}: the queues do not become empty")

    def _compare_words(self, step: Step, answer: str | None) -> None:
        if answer is None or self._real_model:
            return
        missing = [part for part in step.says if part not in answer]
        if missing:
            raise UnexpectedError(f"{step.customer.name}, {step.shows}: {missing} is not in the answer {answer!r}")

    def _chat(self, step: Step) -> ConversationId:
        found = find_chat(self._business.tenant_id, step.customer.phone)
        if found is None:
            raise UnexpectedError(f"the app table knows no customer with the phone {step.customer.phone}")
        return found


def _nobody_rings() -> bool:
    """Whether both queues are empty: no turn and no sending is on its way."""
    for url in (settings.turns_queue_url(), settings.outgoing_queue_url()):
        found = aws.sqs().get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )
        if any(int(number) for number in found["Attributes"].values()):
            return False
    return True


def _await(look: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True
