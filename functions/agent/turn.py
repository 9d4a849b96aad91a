"""One turn: what a doorbell asks for, one run over everything that waits, one commit.

Nothing here touches AWS: the store is a port, the clock an argument. What a run stages exists only if the commit
succeeds; a turn that fails or is overtaken at any point leaves nothing but holds that expire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from agents import MaxTurnsExceeded
from pydantic import JsonValue

from functions.agent import briefing, consequences, guardrails, intents, refusals
from functions.agent.assistant import AgentCache
from functions.agent.calendar import file as calendar_file
from functions.agent.knowledge import questions
from functions.agent.language import phrases, wording
from functions.agent.language.introduction import introduction
from functions.agent.memory import history
from functions.agent.memory.summary import Renewal, overflow
from functions.agent.routing import Intent
from functions.agent.run import Answer, run
from functions.agent.store import Store
from functions.agent.triage import ForModel, triage
from functions.shared import inbox, owner_notices
from functions.shared.amendments import amended
from functions.shared.contracts import Doorbell
from functions.shared.conversation import Message, PastTurn, Snapshot, Summary
from functions.shared.endings import (
    ConsentChange,
    Ending,
    FromTheOwner,
    HandOver,
    LeftToOwner,
    NothingAsked,
    PutAside,
    Silence,
    unanswered,
)
from functions.shared.inbox import Effect, EffectRefusedError, Reply, Turn, TurnOvertakenError, TurnRecord
from functions.shared.observability import count, logger
from functions.shared.profile import BusinessProfile, Language
from functions.shared.scheduled import Schedule

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
    "left_to_owner",
]


_WITHOUT_A_WORD: dict[type[PutAside | Silence | FromTheOwner | LeftToOwner | NothingAsked], Outcome] = {
    PutAside: "put_aside",
    Silence: "silent",
    NothingAsked: "silent",
    FromTheOwner: "from_the_owner",
    LeftToOwner: "left_to_owner",
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
class Case:
    """A turn and everything that was read for it."""

    turn: Turn
    snapshot: Snapshot
    profile: BusinessProfile
    before: Sequence[Message]
    """The newest messages that were handled before this turn."""
    pending: Sequence[Message]
    """Those of this turn, as their writers left them."""
    past: Sequence[PastTurn]
    language: Language


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
    if apart := unanswered(snapshot, reason):
        return _end(turn, apart, world)
    known = world.store.messages(turn.tenant_id, turn.conversation_id, max(1, turn.lo - RECENT_MESSAGES), turn.hi)
    turn = inbox.answering(turn, (message for message in known if message.seq >= turn.lo))
    language = briefing.language(world.store.profile(turn.tenant_id), known)
    return _end(turn, failed(reason, language), world)


async def _answer(doorbell: Doorbell, world: World, *, slot_was_lost: bool) -> Outcome:
    store = world.store
    snapshot = store.conversation(doorbell.tenant_id, doorbell.conversation_id)
    decision = inbox.decide(snapshot, doorbell.seq, world.now_ms())
    if not isinstance(decision, inbox.RunTurn):
        return _nothing_to_run(doorbell, snapshot, decision, world)
    turn = inbox.begin_turn(snapshot, decision, correlation_id=doorbell.correlation_id, now_ms=world.now_ms())
    logger.append_keys(turn_id=turn.turn_id)
    case = _case(turn, snapshot, store)
    sorted_out = triage(case.pending, case.past, snapshot, case.language, now_ms=turn.started_at)
    if not isinstance(sorted_out, ForModel):
        outcome = _end(case.turn, sorted_out, world)
        behind = outcome == "put_aside" and isinstance(sorted_out, PutAside) and sorted_out.hi < turn.hi
        return await _answer(doorbell, world, slot_was_lost=False) if behind else outcome
    try:
        return await _by_model(case, sorted_out.intent, world, last_try=slot_was_lost)
    except EffectRefusedError:
        return await _answer(doorbell, world, slot_was_lost=True)


def _case(turn: Turn, snapshot: Snapshot, store: Store) -> Case:
    profile = store.profile(turn.tenant_id)
    known = store.messages(turn.tenant_id, turn.conversation_id, max(1, turn.lo - RECENT_MESSAGES), turn.hi)
    before = [message for message in known if message.seq < turn.lo]
    pending = amended([message for message in known if message.seq >= turn.lo], handled=before)
    return Case(
        turn=inbox.answering(turn, pending),
        snapshot=snapshot,
        profile=profile,
        before=before,
        pending=pending,
        past=store.history(turn.tenant_id, turn.conversation_id, history.MAX_TURNS),
        language=briefing.language(profile, [*before, *pending]),
    )


async def _by_model(case: Case, intent: Intent, world: World, *, last_try: bool) -> Outcome:
    """Run the agent and commit. Raises EffectRefusedError, with nothing written, unless this is the last try."""
    turn, profile, store = case.turn, case.profile, world.store
    calendar = store.calendar(turn.tenant_id, turn.conversation_id)
    known = [*case.before, *case.pending]
    context = briefing.context(turn, case.snapshot, profile, known, calendar, intent=intent)
    asked = Asked(
        intent,
        history.user_items(guardrails.shortened(case.pending)),
        briefing.texts(case.pending),
        {"messages": [message.message_id for message in case.pending], "config_version": profile.config_version},
    )
    agent = world.agents.get(profile)
    spare = partial(world.agents.spare, profile, agent)
    try:
        items = history.as_input(history.recall(case.past, case.before), asked.items)
        async with Renewal(agent, overflow(case.past, case.before)) as renewal:
            answered = await run(agent, items, context, limit_s=world.limit_s, spare=spare)
        summary = await renewal.result() or history.newest_summary(case.past)
        answered = replace(answered, usage={**answered.usage, **renewal.usage})
    except MaxTurnsExceeded:
        return _end(turn, failed("the assistant went in circles and was stopped", context.language), world)
    intro = introduction(case.snapshot, case.past, agent, profile, case.language)
    commit = partial(_commit, turn, asked, summary=summary, intro=intro, world=world)
    replies = wording.worded(answered.text, profile, asked.texts, context.language)
    effects = consequences.effects(context)
    commit = partial(commit, attention=questions.attention(context), handed_over=context.staging.handed_over)
    try:
        return commit(
            answered,
            replies=replies,
            effects=effects,
            attachments=[*context.staging.attachments.values(), *calendar_file.replies(context, store.keep_file)],
        )
    except EffectRefusedError as refused:
        logger.warning("an effect was refused", extra={"effect": refused.name, "again": last_try})
        if not last_try:
            raise
        text = refusals.words(context, effects, refused.name)
    # Whoever is called or told something is so all the same.
    return commit(_admitting(text, answered), replies=[text], effects=consequences.calls(context))


def _nothing_to_run(doorbell: Doorbell, snapshot: Snapshot, decision: inbox.Decision, world: World) -> Outcome:
    if isinstance(decision, inbox.NewerComing):
        return "newer_coming"
    if isinstance(decision, inbox.AssistantOff):
        return "assistant_off"
    _ring_if_replies_wait(doorbell, snapshot.handled_seq, world)
    return "nothing_to_do"


def _commit(
    turn: Turn,
    asked: Asked,
    answered: Answer,
    *,
    replies: Sequence[str],
    effects: Sequence[Effect],
    summary: Summary | None,
    intro: str | None,
    world: World,
    attention: str | None = None,
    handed_over: str | None = None,
    attachments: Sequence[Reply] = (),
) -> Outcome:
    intent = intents.settled(asked.intent, answered.intent, [str(call["name"]) for call in answered.tools])
    record = TurnRecord(
        items=[*asked.items, *answered.items],
        tools=list(answered.tools),
        usage=answered.usage,
        intent=intent,
        saw={**asked.saw, **answered.saw},
        summary=summary,
        attention=attention,
        outcome="answered" if handed_over is None else "person",
        reason=handed_over,
    )
    texts = [f"{intro}\n\n{replies[0]}", *replies[1:]] if intro else replies
    try:
        world.store.commit(turn, [*map(Reply, texts), *attachments], effects, record, world.now_ms())
    except TurnOvertakenError:
        return _overtaken(turn, world)
    _count_intent(intent)
    _ring(turn, world)
    return "answered" if handed_over is None else "person_called"


def failed(reason: str, language: Language) -> HandOver:
    """The hand-over of an assistant that cannot go on."""
    return HandOver(phrases.A_PERSON_WILL_ANSWER[language], reason, "failed")


def _end(turn: Turn, ending: Ending, world: World) -> Outcome:
    """Commit a turn that ends without the model's answer."""
    if isinstance(ending, HandOver) and ending.outcome == "failed":
        logger.error("turn given up, a person is called", extra={"reason": ending.reason})
    if isinstance(ending, HandOver):
        ending = replace(ending, effects=_told(turn, ending, world))
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
        case PutAside() | Silence() | FromTheOwner() | LeftToOwner() | NothingAsked():
            return _WITHOUT_A_WORD[type(ending)]


def _told(turn: Turn, ending: HandOver, world: World) -> list[Effect]:
    """The owner hears of it in the same commit."""
    snapshot = world.store.conversation(turn.tenant_id, turn.conversation_id)
    notice = owner_notices.about(
        world.store.profile(turn.tenant_id),
        turn.conversation_id,
        ending.outcome,
        name=f"person#{turn.turn_id}",
        customer_name=snapshot.customer_name,
        customer_phone=snapshot.customer_phone,
        now_ms=world.now_ms(),
    )
    return [Schedule(notice)] if notice else []


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


def _admitting(text: str, answered: Answer) -> Answer:
    """The run believed in what is not so: none of its words may stay, its calls neither."""
    return Answer(
        text=text,
        items=[{"role": "assistant", "content": text}],
        tools=answered.tools,
        usage=answered.usage,
        saw=answered.saw,
    )
