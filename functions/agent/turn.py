"""One turn: what a doorbell asks for, one run over everything that waits, one commit.

Nothing here touches AWS: the store is a port, the clock an argument. What a run stages exists only if the commit
succeeds; a turn that fails or is overtaken at any point leaves nothing but holds that expire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from agents import MaxTurnsExceeded
from pydantic import JsonValue

from functions.agent import guardrails, memory, phrases, reminders, speech, wording
from functions.agent.assistant import AgentCache
from functions.agent.context import ToolContext
from functions.agent.dates import Resolved, resolve
from functions.agent.routing import Intent
from functions.agent.run import Answer, run
from functions.agent.store import Store
from functions.agent.triage import ForModel, triage
from functions.shared import inbox
from functions.shared.contracts import Doorbell
from functions.shared.conversation import Message, Snapshot
from functions.shared.endings import ConsentChange, Ending, FromTheOwner, HandOver, PutAside, Silence
from functions.shared.inbox import Effect, EffectRefusedError, Reply, Turn, TurnOvertakenError, TurnRecord
from functions.shared.observability import count, logger
from functions.shared.profile import BusinessProfile, Language

RECENT_MESSAGES = 60
"""How many messages before this turn are read, for those that a person answered."""

Outcome = Literal[
    "answered",
    "nothing_to_do",
    "newer_coming",
    "assistant_off",
    "overtaken",
    "handed_over",
    "person_called",
    "put_aside",
    "opted_out",
    "opted_in",
    "silent",
    "from_the_owner",
]


_WITHOUT_A_WORD: dict[type[PutAside | Silence | FromTheOwner], Outcome] = {
    PutAside: "put_aside",
    Silence: "silent",
    FromTheOwner: "from_the_owner",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the customer wants of this turn."""

    intent: Intent
    items: Sequence[dict[str, JsonValue]]
    """As the model sees it and the history keeps it."""
    texts: Sequence[str]
    saw: Mapping[str, JsonValue]
    """For the audit: the messages by their ids, and the version of the configuration."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything around a turn. `now_ms` is Unix time in milliseconds; `limit_s` bounds one run."""

    store: Store
    agents: AgentCache
    now_ms: Callable[[], int]
    limit_s: float


async def answer(doorbell: Doorbell, world: World) -> Outcome:
    """Do what the doorbell asks for, once.

    Raises what model, tools and stores raise, with nothing written: ring again, and `give_up` at the last time.
    """
    return await _answer(doorbell, world, slot_was_lost=False)


def give_up(doorbell: Doorbell, world: World, reason: str) -> Outcome:
    """Tell the customer that a person will answer, silence the assistant, and call that person with `reason`."""
    snapshot = world.store.conversation(doorbell.tenant_id, doorbell.conversation_id)
    decision = inbox.decide(snapshot, doorbell.seq, world.now_ms())
    if not isinstance(decision, inbox.RunTurn):
        return _nothing_to_run(doorbell, snapshot, decision, world)
    turn = inbox.begin_turn(snapshot, decision, correlation_id=doorbell.correlation_id, now_ms=world.now_ms())
    if snapshot.opted_out_at is not None:
        return _end(turn, Silence(reason), world)
    known = world.store.messages(turn.tenant_id, turn.conversation_id, max(1, turn.lo - RECENT_MESSAGES), turn.hi)
    return _hand_over(turn, _language(world.store.profile(turn.tenant_id), known), reason, world)


async def _answer(doorbell: Doorbell, world: World, *, slot_was_lost: bool) -> Outcome:
    store = world.store
    snapshot = store.conversation(doorbell.tenant_id, doorbell.conversation_id)
    decision = inbox.decide(snapshot, doorbell.seq, world.now_ms())
    if not isinstance(decision, inbox.RunTurn):
        return _nothing_to_run(doorbell, snapshot, decision, world)
    turn = inbox.begin_turn(snapshot, decision, correlation_id=doorbell.correlation_id, now_ms=world.now_ms())
    logger.append_keys(turn_id=turn.turn_id)
    profile = store.profile(turn.tenant_id)
    known = store.messages(turn.tenant_id, turn.conversation_id, max(1, turn.lo - RECENT_MESSAGES), turn.hi)
    pending = [message for message in known if message.seq >= turn.lo]
    past = store.history(turn.tenant_id, turn.conversation_id, memory.MAX_TURNS)
    sorted_out = triage(pending, past, snapshot, _language(profile, known), now_ms=turn.started_at)
    if not isinstance(sorted_out, ForModel):
        outcome = _end(turn, sorted_out, world)
        behind = outcome == "put_aside" and isinstance(sorted_out, PutAside) and sorted_out.hi < turn.hi
        return await _answer(doorbell, world, slot_was_lost=False) if behind else outcome
    context = _context(turn, snapshot, profile, known, world)
    history = memory.recall(past, [message for message in known if message.seq < turn.lo])
    asked = Asked(
        sorted_out.intent,
        memory.user_items(guardrails.shortened(pending)),
        _texts(pending),
        {"messages": [message.message_id for message in pending], "config_version": profile.config_version},
    )
    try:
        items = memory.as_input(history, asked.items)
        agent = world.agents.get(profile)
        spare = partial(world.agents.spare, profile, agent)
        answered = await run(agent, items, context, limit_s=world.limit_s, spare=spare)
    except MaxTurnsExceeded:
        return _hand_over(turn, context.language, "the assistant went in circles and was stopped", world)
    replies = wording.worded(answered.text, profile, asked.texts, context.language)
    try:
        effects = [*context.staging.all(), *reminders.effects(context)]
        return _commit(turn, asked, answered, replies=replies, effects=effects, world=world)
    except EffectRefusedError as refused:
        logger.warning("an effect was refused", extra={"effect": refused.name, "again": slot_was_lost})
        if not slot_was_lost:
            return await _answer(doorbell, world, slot_was_lost=True)
    admitted = _just_taken(context.language, answered)
    return _commit(turn, asked, admitted, replies=[admitted.text], effects=[], world=world)


def _texts(messages: Sequence[Message]) -> list[str]:
    return [m.content.text for m in messages if m.author == "customer" and m.content.kind == "text"]


def _nothing_to_run(doorbell: Doorbell, snapshot: Snapshot, decision: inbox.Decision, world: World) -> Outcome:
    if isinstance(decision, inbox.NewerComing):
        return "newer_coming"
    if isinstance(decision, inbox.AssistantOff):
        return "assistant_off"
    _ring_if_replies_wait(doorbell, snapshot.handled_seq, world)
    return "nothing_to_do"


def _commit(
    turn: Turn, asked: Asked, answered: Answer, *, replies: Sequence[str], effects: Sequence[Effect], world: World
) -> Outcome:
    items = [*asked.items, *answered.items]
    record = TurnRecord(
        items=items,
        tools=list(answered.tools),
        usage=answered.usage,
        intent=asked.intent,
        saw={**asked.saw, **answered.saw},
    )
    try:
        world.store.commit(turn, [Reply(text) for text in replies], effects, record, world.now_ms())
    except TurnOvertakenError:
        return _overtaken(turn, world)
    _count_intent(asked.intent)
    _ring(turn, world)
    return "answered"


def _hand_over(turn: Turn, language: Language, reason: str, world: World) -> Outcome:
    logger.error("turn given up, a person is called", extra={"reason": reason})
    return _end(turn, HandOver(phrases.A_PERSON_WILL_ANSWER[language], reason, "failed"), world)


def _end(turn: Turn, ending: Ending, world: World) -> Outcome:
    """Commit a turn that ends without the model's answer."""
    try:
        world.store.end(turn, ending, world.now_ms())
    except TurnOvertakenError:
        return _overtaken(turn, world)
    if isinstance(ending, HandOver | ConsentChange):
        _ring(turn, world)
    match ending:
        case HandOver(outcome="person"):
            _count_intent("person")
            return "person_called"
        case HandOver():
            return "handed_over"
        case ConsentChange(change=change):
            _count_intent("opt_out" if change == "opted_out" else "opt_in")
            return change
        case PutAside() | Silence() | FromTheOwner():
            return _WITHOUT_A_WORD[type(ending)]


def _count_intent(intent: Intent) -> None:
    count(f"Intent{intent.title().replace('_', '')}")


def _overtaken(turn: Turn, world: World) -> Outcome:
    """Whoever was first rings too; but it may have died before it did."""
    if world.store.replies_wait(turn.tenant_id, turn.conversation_id):
        world.store.ring_outgoing(turn.tenant_id, turn.conversation_id, turn.hi, turn.correlation_id, again=True)
    return "overtaken"


def _ring(turn: Turn, world: World) -> None:
    world.store.ring_outgoing(turn.tenant_id, turn.conversation_id, turn.hi, turn.correlation_id, again=False)


def _ring_if_replies_wait(doorbell: Doorbell, seq: int, world: World) -> None:
    if world.store.replies_wait(doorbell.tenant_id, doorbell.conversation_id):
        world.store.ring_outgoing(
            doorbell.tenant_id, doorbell.conversation_id, seq, doorbell.correlation_id, again=True
        )


def _context(
    turn: Turn, snapshot: Snapshot, profile: BusinessProfile, known: Sequence[Message], world: World
) -> ToolContext:
    now = datetime.fromtimestamp(turn.started_at / 1000, UTC).astimezone(profile.zone)
    return ToolContext(
        tenant_id=turn.tenant_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.turn_id,
        customer_name=snapshot.customer_name,
        language=_language(profile, known),
        profile=profile,
        now=now,
        understood_dates=_understood([message for message in known if message.seq >= turn.lo], now),
        calendar=world.store.calendar(turn.tenant_id, turn.conversation_id),
    )


def _language(profile: BusinessProfile, known: Sequence[Message]) -> Language:
    """What the customer wrote in last: "10:30" alone is in no language."""
    texts = [m.content.text for m in known if m.content.kind == "text" and m.author == "customer"]
    return speech.language_of(texts, profile.languages[0])


def _understood(pending: Sequence[Message], now: datetime) -> tuple[str, ...]:
    """What the grammar made of each message; never the customer's own words, which are no part of instructions."""
    lines = []
    for number, message in enumerate(pending, start=1):
        found = resolve(message.content.text, now) if message.content.kind == "text" else None
        if found:
            lines.append(f"message {number} of those that wait, if it stands alone: {_said(found)}")
    return tuple(lines)


def _said(found: Resolved) -> str:
    if found.has_time:
        return f"{speech.spoken_time(found.start, 'en')} ({found.start:%Y-%m-%dT%H:%M})"
    begins = f", from {found.start:%H:%M}" if found.start.hour else ""
    return f"{speech.spoken_day(found.start.date(), 'en')} ({found.start:%Y-%m-%d}){begins}, no exact time"


def _just_taken(language: Language, answered: Answer) -> Answer:
    """The run believed in a slot that is gone: none of its words may stay, its calls neither."""
    text = phrases.JUST_TAKEN[language]
    return Answer(
        text=text,
        items=[{"role": "assistant", "content": text}],
        tools=answered.tools,
        usage=answered.usage,
        saw=answered.saw,
    )
