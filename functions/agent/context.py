"""What a tool may know of the turn that it works for, and where it puts what it wants done.

Tenant and customer are here and in no tool's parameters: they come from the stored conversation, so no prompt can name
another one. Nothing in here is secret: the SDK may serialise it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from functions.agent.calendar.store import Calendar
from functions.agent.routing import Intent
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import Facts, TurnId
from functions.shared.inbox import Effect, Reply
from functions.shared.leads import Lead
from functions.shared.profile import BusinessProfile, Language

_Effect = TypeVar("_Effect", bound=Effect)


class Staging:
    """The effects that this run's tools want; the turn's commit makes them real, and if there is none, nothing does."""

    def __init__(self) -> None:
        self._effects: dict[str, Effect] = {}
        self.all_tools = False
        """Whether the model asked for the tools that the turn's intent left out."""
        self._questions: list[str] = []
        self._unfound: str | None = None
        self.attachments: dict[str, Reply] = {}
        """What goes out behind the answer, by what it is: each at most once."""
        self.handed_over: str | None = None
        """Why a person takes over with this turn, if one does."""

    def add(self, effect: Effect) -> None:
        self._effects[effect.name] = effect

    def discard(self, effect: Effect) -> None:
        self._effects.pop(effect.name, None)

    def clear(self) -> None:
        """Forget everything: the run that staged it has failed, and another one begins from nothing."""
        self._effects.clear()
        self.attachments.clear()
        self.handed_over = None
        self.all_tools = False
        self._questions.clear()
        self._unfound = None

    def pass_on(self, question: str) -> None:
        """Let a person answer this, because the assistant cannot."""
        if question not in self._questions:
            self._questions.append(question)

    def searched(self, query: str, *, found: bool) -> None:
        """The last search of a run tells whether the business's own texts had an answer."""
        self._unfound = None if found else query

    @property
    def questions(self) -> list[str]:
        """What a person must answer: what was passed on, else what was looked for in vain."""
        return self._questions or ([self._unfound] if self._unfound else [])

    def of(self, kind: type[_Effect]) -> list[_Effect]:
        """The staged effects of one kind, oldest first."""
        return [effect for effect in self._effects.values() if isinstance(effect, kind)]

    def all(self) -> list[Effect]:
        return list(self._effects.values())


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Passed to every tool as `RunContextWrapper[ToolContext]`."""

    tenant_id: TenantId
    conversation_id: ConversationId
    turn_id: TurnId
    customer_name: str | None
    language: Language
    """What the customer writes in; results that are said back are in it."""
    profile: BusinessProfile
    now: datetime
    """When the turn began, in the business's time zone."""
    understood_dates: tuple[str, ...]
    """What the date grammar made of the pending messages, as lines for the instructions."""
    calendar: Calendar
    intent: Intent = "other"
    """What the customer wants, as far as the rules are sure."""
    facts: Facts = field(default_factory=Facts)
    """What is known about the customer."""
    lead: Lead = field(default_factory=Lead)
    """How the business sees them."""
    customer_phone: str | None = None
    """E.164; for the owner, never in a tool's parameters."""
    upto: int = 0
    """Number of the newest message of this turn."""
    staging: Staging = field(default_factory=Staging)
