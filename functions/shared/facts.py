"""What the assistant noted about a customer: one row, written with the turn that noted it."""

from __future__ import annotations

from dataclasses import dataclass

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import Facts
from functions.shared.keys import FACTS, conversation_pk
from functions.shared.tables import FactsItem, not_exists

MAX_FACTS = 20
MAX_CHARACTERS = 200
"""Of one fact: all of them are in the instructions of every turn."""


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """An effect: the customer's facts are `noted` from now on, unless they changed since version `read`."""

    tenant_id: TenantId
    conversation_id: ConversationId
    noted: tuple[str, ...]
    read: int

    @property
    def name(self) -> str:
        return "facts"

    @property
    def writes(self) -> int:
        return 1

    @property
    def facts(self) -> Facts:
        return Facts(self.noted, self.read + 1)

    def write(self, transaction: TransactWrite) -> None:
        row = FactsItem(
            conversation_pk(self.tenant_id, self.conversation_id),
            FACTS,
            noted=list(self.noted),
            version=self.read + 1,
        )
        unchanged: Condition = FactsItem.version == self.read if self.read else not_exists(FactsItem)
        transaction.save(row, condition=unchanged)
