"""Words for the unit tests of the agent: a business, a world in memory, and whole conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from agents import Agent, Model

from functions.agent import turn
from functions.agent.assistant import AgentCache, create_agent
from functions.agent.context import ToolContext
from functions.agent.turn import Outcome, World
from functions.shared.contracts import ConversationId, Doorbell, TenantId
from functions.shared.conversation import Facts, TurnId
from functions.shared.examples import barber_shop
from functions.shared.leads import Lead
from functions.shared.profile import BusinessProfile, Language
from tests.unit.agent.fakes import NOON, Clock, MemoryCalendar, MemoryStore, Rows

BARBER = barber_shop().model_copy(update={"config_version": 1})
JERUSALEM = BARBER.zone
NO_FACTS = Facts()
NO_LEAD = Lead()


def context_of(
    profile: BusinessProfile = BARBER,
    *,
    now: datetime = NOON,
    rows: Rows | None = None,
    conversation_id: str = "c1",
    turn_id: str = "t1",
    language: Language = "en",
    facts: Facts = NO_FACTS,
    lead: Lead = NO_LEAD,
) -> ToolContext:
    """What a tool gets; contexts that share `rows` share the business's calendar."""
    conversation = ConversationId(conversation_id)
    return ToolContext(
        tenant_id=profile.tenant_id,
        conversation_id=conversation,
        turn_id=TurnId(turn_id),
        customer_name="Dana",
        language=language,
        profile=profile,
        now=now.astimezone(profile.zone),
        understood_dates=(),
        calendar=MemoryCalendar(rows if rows is not None else Rows(), conversation),
        facts=facts,
        lead=lead,
        customer_phone="+972501234567",
        upto=1,
    )


def agents_with(model: Model) -> AgentCache:
    """A cache whose agents all use `model`."""

    def create(profile: BusinessProfile) -> Agent[ToolContext]:
        agent = create_agent(profile)
        agent.model = model
        return agent

    return AgentCache(create)


class Phone:
    """A customer's phone: writes to the business and shows what came back."""

    def __init__(self, profile: BusinessProfile = BARBER, *, model: Model | None = None, limit_s: float = 30.0) -> None:
        self.clock = Clock()
        # Who brings a model of their own tests its words; the introduction before them has tests of its own.
        self.store = MemoryStore(profile, self.clock, introduced=model is not None)
        self.agents = agents_with(model) if model else AgentCache()
        self.limit_s = limit_s

    @property
    def world(self) -> World:
        return World(self.store, self.agents, self.clock.ms, self.limit_s)

    def doorbell(self, seq: int, conversation_id: str = "c1") -> Doorbell:
        return Doorbell(
            tenant_id=TenantId(self.store.business.tenant_id),
            conversation_id=ConversationId(conversation_id),
            seq=seq,
            correlation_id="test",
        )

    def ring(self, seq: int, conversation_id: str = "c1") -> Outcome:
        return asyncio.run(turn.answer(self.doorbell(seq, conversation_id), self.world))

    def send(self, *texts: str | None, conversation_id: str = "c1") -> str:
        """Write all of `texts` (None: a picture), then wait for the one answer."""
        seqs = [self.store.receive(text, conversation_id) for text in texts]
        assert self.ring(seqs[-1], conversation_id) == "answered"
        return self.store.chat(conversation_id).replies[-1]

    def talk(self, *texts: str) -> list[str]:
        """Each message answered before the next."""
        return [self.send(text) for text in texts]

    def booked(self, conversation_id: str = "c1") -> Sequence[str]:
        """The customer's appointments as local times."""
        calendar = self.store.calendar(self.store.business.tenant_id, ConversationId(conversation_id))
        found = calendar.appointments(self.clock.now)
        return [f"{a.service_id} {a.start.astimezone(JERUSALEM):%Y-%m-%dT%H:%M}" for a in found]
