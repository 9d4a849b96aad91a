"""Agents: built from a business's profile, kept for five minutes, and never served stale.

The key holds the version of the configuration, so the first turn after a change gets a new agent at once; the five
minutes bound only what the key cannot see, such as the model's key in Secrets Manager.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

from agents import Agent, RunContextWrapper

from functions.agent import intents, models, prompts
from functions.agent.context import ToolContext
from functions.agent.tools.all import TOOLS
from functions.shared.contracts import TenantId
from functions.shared.observability import logger
from functions.shared.profile import BusinessProfile

Channel = Literal["whatsapp"]
TTL_S = 300.0
_MAX_AGENTS = 256

Factory = Callable[[BusinessProfile], Agent[ToolContext]]
SpareFactory = Callable[[BusinessProfile, Agent[ToolContext]], "Agent[ToolContext] | None"]

_keys = models.KeyCache()


def create_agent(profile: BusinessProfile) -> Agent[ToolContext]:
    """An agent for this version of the profile. The tools are the process's; only prompt and model are its own."""
    about_the_business = prompts.business(profile)

    def instructions(run: RunContextWrapper[ToolContext], _agent: Agent[ToolContext]) -> str:
        context = run.context
        different = prompts.different_days(profile, context.now.date())
        now = prompts.moment(
            context.now,
            context.customer_name,
            context.understood_dates,
            different,
            facts=context.facts.noted,
            hint=intents.hint(context.intent),
        )
        return f"{about_the_business}\n\n{now}"

    server = models.server(_keys.get())
    return Agent(
        name=f"{profile.tenant_id} assistant",
        instructions=instructions,
        model=models.model_for(profile, server),
        model_settings=models.settings_for(profile, server),
        tools=list(TOOLS),
    )


def create_spare(profile: BusinessProfile, agent: Agent[ToolContext]) -> Agent[ToolContext] | None:
    """The same agent with the fallback model, or None if the business and the deployment have none."""
    server = models.server(_keys.get())
    spare = models.fallback_server(profile, server, _keys.named)
    name = models.fallback_name_for(profile, server, spare)
    if name is None or (server is not None and spare is None):
        return None
    return agent.clone(
        model=models.model_for(profile, spare, name), model_settings=models.settings_for(profile, spare, name)
    )


class AgentCache:
    """Agents by (business, channel, version of the configuration). `monotonic` is in seconds."""

    def __init__(
        self,
        create: Factory = create_agent,
        monotonic: Callable[[], float] = time.monotonic,
        spare: SpareFactory = create_spare,
    ) -> None:
        self._create = create
        self._monotonic = monotonic
        self._spare = spare
        self._agents: OrderedDict[tuple[TenantId, Channel, int], tuple[float, Agent[ToolContext]]] = OrderedDict()

    def get(self, profile: BusinessProfile, channel: Channel = "whatsapp") -> Agent[ToolContext]:
        key = (profile.tenant_id, channel, profile.config_version)
        where = {"business": profile.tenant_id, "channel": channel, "config_version": profile.config_version}
        known = self._agents.get(key)
        if known and self._monotonic() - known[0] < TTL_S:
            logger.info("CACHE HIT", extra=where)
            return known[1]
        began = self._monotonic()
        agent = self._create(profile)
        self._agents[key] = (self._monotonic(), agent)
        self._agents.move_to_end(key)
        while len(self._agents) > _MAX_AGENTS:
            self._agents.popitem(last=False)
        logger.info("Agent created", extra={**where, "ms": round((self._monotonic() - began) * 1000, 1)})
        return agent

    def spare(self, profile: BusinessProfile, agent: Agent[ToolContext]) -> Agent[ToolContext] | None:
        """`agent` with the fallback model, if there is one. Made for each turn: of ready tools, it costs 0.1 ms."""
        return self._spare(profile, agent)
