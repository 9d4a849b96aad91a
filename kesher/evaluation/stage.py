"""Where scenarios are played: the real turn, tools, Runner and tables, in this process, with a clock of its own.

The tables are those of a local AWS. Nothing is deployed, no queue rings and nothing is sent: a message goes through
the webhook's `accept`, the turn that it asks for is run at once, and what it queued is the answer.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

import functions.agent.lean_sdk  # noqa: F401 - before whatever imports the SDK
from functions.agent import settings, turn
from functions.agent.assistant import AgentCache
from functions.agent.store import AppStore
from functions.shared import ids, takeover
from functions.shared.contracts import Chat, ConversationId, Doorbell, Jid, MessageId, MessageReceived, TenantId
from functions.shared.contracts.contents import Content, DeletionContent, EditContent, MediaContent, TextContent
from functions.shared.conversation import ConversationNotFoundError, PastTurn, load_conversation, load_history
from functions.shared.observability import logger, metrics
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.tables import AppItem
from functions.webhook.accept import accept
from kesher.chat_state import ChatState, Outgoing, find_chat, read_state
from kesher.evaluation.scenario import Said, Step
from kesher.local.emulator import Emulator
from kesher.local.environment import speaking_to

TURN_LIMIT_S = 60.0
_MEDIA_TYPES = {
    "image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg", "document": "application/pdf",
    "sticker": "image/webp",
}  # fmt: skip
_BETWEEN_MESSAGES = timedelta(seconds=1)
_BETWEEN_STEPS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call of the model, in the order of the calls."""

    name: str
    arguments: str
    result: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a step. `tokens` counts input and output of all model calls, `seconds` is how long the turn took."""

    texts: Sequence[str]
    outcome: str | None = None
    intent: str | None = None
    tools: Sequence[Called] = ()
    tokens: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class _Store(AppStore):
    def ring_outgoing(
        self, tenant_id: TenantId, conversation_id: ConversationId, seq: int, correlation_id: str, *, again: bool
    ) -> None:
        """Nothing is sent."""


def _no_bell(_queue: object, _tenant: object, _conversation: object, _seq: object, _correlation: object) -> None:
    pass


class Stage:
    """Plays conversations, each with a business of its own. One event loop: the model's client belongs to it."""

    def __init__(self, agents: AgentCache, loop: asyncio.AbstractEventLoop) -> None:
        self.agents = agents
        self.loop = loop
        self._numbers = itertools.count(1)

    def open(self, profile: BusinessProfile, now: datetime) -> Play:
        """A fresh business of this profile; `now` is aware."""
        tenant = f"eval_{next(self._numbers)}_{secrets.token_hex(3)}"
        wanted = profile.model_copy(update={"tenant_id": TenantId(tenant), "config_version": 0})
        return Play(self, save_profile(wanted), now)


class Play:
    """One business and its customers, step by step."""

    def __init__(self, stage: Stage, profile: BusinessProfile, now: datetime) -> None:
        self._stage = stage
        self.profile = profile
        self.now = now
        self._phones: dict[str, str] = {}
        self._last: dict[str, MessageId] = {}

    def step(self, step: Step) -> Answered:
        """Do it, and give the turn that follows."""
        self.now += _BETWEEN_STEPS
        if step.later is not None:
            self.now += step.later
        elif step.owner is not None:
            self._receive(step.by, TextContent(text=step.owner), from_me=True)
            return Answered(())
        elif step.does is not None:
            self._do(step)
        for number, said in enumerate(step.customer):
            if number:
                self.now += _BETWEEN_MESSAGES
            self._receive(step.by, self._content(step.by, said), age=step.age)
        return self._turn(step.by)

    def state(self, customer: str) -> ChatState | None:
        """What the tables hold of a customer's chat; None if they never wrote."""
        chat = find_chat(self.profile.tenant_id, self._phone(customer))
        if chat is None:
            return None
        return read_state(self.profile.tenant_id, chat, self.profile.zone, now_ms=self._ms())

    # ---- what people do

    def _receive(self, customer: str, content: Content, *, from_me: bool = False, age: timedelta = timedelta()) -> None:
        message_id = MessageId(ids.new_message_id())
        phone = Jid(f"{self._phone(customer)}@s.whatsapp.net")
        sent_at = self._ms() - int(age.total_seconds() * 1000)
        event = MessageReceived(
            tenant_id=self.profile.tenant_id,
            correlation_id=f"eval-{message_id}",
            chat=Chat(kind="direct", jid=phone, phone_jid=phone),
            message_id=message_id,
            from_me=from_me,
            sender_name=None if from_me else customer,
            sent_at=sent_at,
            received_at=sent_at,
            backlog=bool(age),
            content=content,
        )
        accept(event, now_ms=self._ms)
        if not from_me and not isinstance(content, EditContent | DeletionContent):
            self._last[customer] = message_id

    def _content(self, customer: str, said: Said) -> Content:
        if said.text is not None:
            return TextContent(text=said.text)
        if said.edit is not None:
            return EditContent(target_id=self._last[customer], text=said.edit)
        if said.media is not None:
            return MediaContent(
                kind=said.media,
                media_type=_MEDIA_TYPES[said.media],
                missing="scenarios have no files",
                caption=said.caption,
                voice=said.media == "audio",
            )
        return DeletionContent(target_id=self._last[customer])

    def _do(self, step: Step) -> None:
        tenant, now_ms = self.profile.tenant_id, self._ms()
        if step.does == "business off":
            takeover.switch_business_off(tenant)
        elif step.does == "business on":
            takeover.switch_business_on(tenant, now_ms=now_ms, ring=_no_bell)
        else:
            does = {"resume": takeover.resume, "off": takeover.switch_off, "on": takeover.switch_on}[step.does or "on"]
            does(tenant, self._chat(step.by), now_ms=now_ms, ring=_no_bell)

    # ---- the turn

    def _turn(self, customer: str) -> Answered:
        chat = self._chat(customer)
        tenant = self.profile.tenant_id
        before = load_conversation(tenant, chat)
        sent = len(self._outbox(customer))
        if before.handled_seq == before.last_seq:
            return Answered(())
        doorbell = Doorbell(tenant_id=tenant, conversation_id=chat, seq=before.last_seq, correlation_id="eval")
        world = turn.World(store=_Store(), agents=self._stage.agents, now_ms=self._ms, limit_s=TURN_LIMIT_S)
        began = time.monotonic()
        outcome = self._run(doorbell, world)
        seconds = time.monotonic() - began
        metrics.clear_metrics()
        done = [one for one in load_history(tenant, chat, 10) if one.lo > before.handled_seq]
        return Answered(
            texts=[row.text for row in self._outbox(customer)[sent:]],
            outcome=outcome,
            intent=done[-1].intent if done else None,
            tools=[call for one in done for call in _called(one)],
            tokens=_tokens(done),
            seconds=seconds,
        )

    def _run(self, doorbell: Doorbell, world: turn.World) -> turn.Outcome:
        """As the handler does: again after a failure, and at the last time a person is called."""
        for attempt in range(1, settings.max_receive_count() + 1):
            try:
                return self._stage.loop.run_until_complete(turn.answer(doorbell, world))
            except Exception as error:  # noqa: BLE001 - of model, server, store; nothing is written
                logger.exception("turn failed")
                if attempt == settings.max_receive_count():
                    reason = f"the assistant failed {attempt} times: {type(error).__name__}"
                    return turn.give_up(doorbell, world, reason)
        raise AssertionError

    def _outbox(self, customer: str) -> Sequence[Outgoing]:
        state = self.state(customer)
        return state.answers if state else []

    def _chat(self, customer: str) -> ConversationId:
        found = find_chat(self.profile.tenant_id, self._phone(customer))
        if found is None:
            raise ConversationNotFoundError(f"{customer} has not written yet")
        return found

    def _phone(self, customer: str) -> str:
        return self._phones.setdefault(customer, str(972_541_000_001 + len(self._phones)))

    def _ms(self) -> int:
        return int(self.now.timestamp() * 1000)


def _called(past: PastTurn) -> Iterator[Called]:
    for one in past.tools:
        if isinstance(one, dict):
            yield Called(str(one["name"]), str(one["arguments"]), str(one.get("result")))


def _tokens(turns: Sequence[PastTurn]) -> dict[str, int]:
    names = ("requests", "input_tokens", "cached_tokens", "output_tokens")
    return {name: sum(_number(one.usage.get(name)) for one in turns) for name in names}


def _number(value: JsonValue) -> int:
    return int(value) if isinstance(value, int | float) else 0


@contextmanager
def stage(folder: Path, model: Mapping[str, str]) -> Iterator[Stage]:
    """A stage on a local AWS that runs as long as the body; what the functions log is in `folder`.

    `model` holds the variables that name a model's server; empty: the stand-in answers.
    """
    chosen = dict.fromkeys(("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "MODEL_SECRET_ARN"), "") | dict(model)
    folder.mkdir(parents=True, exist_ok=True)
    with Emulator(folder / "aws") as emulator, logged_to(folder / "functions.log"):
        variables = {**emulator.environment, **chosen, "APP_TABLE": "eval", "NO_PROXY": "127.0.0.1,localhost"}
        with speaking_to(variables):
            AppItem.create_table(wait=True)
            loop = asyncio.new_event_loop()
            try:
                yield Stage(AgentCache(), loop)
            finally:
                loop.close()


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """What the functions log goes to a file."""
    handler = logger.registered_handler
    with path.open("w", encoding="utf-8") as file:
        before = handler.setStream(file) if isinstance(handler, logging.StreamHandler) else None
        try:
            yield
        finally:
            if isinstance(handler, logging.StreamHandler) and before is not None:
                handler.setStream(before)
