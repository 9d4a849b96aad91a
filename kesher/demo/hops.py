"""When a message and its answer were where, from the stamps that each part writes into the app table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from functions.shared import keys
from functions.shared.contracts import TenantId
from functions.shared.tables import AliasItem, IdItem, MessageItem, OutboxItem, TurnItem, find


@dataclass(frozen=True)
class Hop:
    title: str
    meaning: str


HOPS = (
    Hop("gateway", "phone to journal, decrypted"),
    Hop("webhook", "posted, verified, stored"),
    Hop("wait", "debounce of 1 s, queue"),
    Hop("agent", "model, tools, commit"),
    Hop("queue", "until send claims the answer"),
    Hop("send", "through WhatsApp to the phone"),
)


@dataclass(frozen=True)
class Hops:
    """Unix milliseconds, in the order of the way; `moments[i]` to `moments[i + 1]` is `HOPS[i]`."""

    written: int
    journalled: int
    stored: int
    turn_began: int
    committed: int
    claimed: int
    on_phone: int

    @property
    def moments(self) -> tuple[int, ...]:
        return (
            self.written, self.journalled, self.stored, self.turn_began, self.committed, self.claimed, self.on_phone,
        )  # fmt: skip

    @property
    def durations(self) -> tuple[int, ...]:
        """Milliseconds of each of `HOPS`."""
        return tuple(later - earlier for earlier, later in pairwise(self.moments))

    @property
    def total(self) -> int:
        return self.on_phone - self.written


class HopsError(Exception):
    """A row that the hops are read from is missing: the answer did not come the usual way."""


@dataclass(frozen=True)
class Answered:
    """A customer's message and our answer as the customer's phone knows them; `_at` in Unix milliseconds."""

    phone: str
    message_id: str
    written_at: int
    answer_id: str
    answered_at: int


def read_hops(tenant_id: TenantId, answered: Answered) -> Hops:
    """The stamps of a message and its answer; phones and pipeline run on one clock here.

    Raises HopsError.
    """
    alias = find(AliasItem, keys.alias_key(tenant_id, f"{answered.phone}@s.whatsapp.net"))
    if alias is None:
        raise HopsError(f"the app table knows no customer with the phone {answered.phone}")
    pk = keys.conversation_pk(tenant_id, alias.conversation_id)
    message_row = find(IdItem, (pk, keys.id_sk(answered.message_id)))
    answer_row = find(IdItem, (pk, keys.id_sk(answered.answer_id)))
    if message_row is None or message_row.seq is None or answer_row is None or answer_row.outbox_sk is None:
        raise HopsError(f"the app table lacks the message {answered.message_id} or its answer {answered.answer_id}")
    message = find(MessageItem, (pk, keys.message_sk(message_row.seq)))
    outgoing = find(OutboxItem, (pk, answer_row.outbox_sk))
    turns = TurnItem.query(pk, TurnItem.sk.between(keys.turn_sk(message_row.seq), keys.turn_sk(10**12 - 1)), limit=1)
    turn = next(iter(turns), None)
    if message is None or outgoing is None or turn is None or outgoing.sending_at is None:
        raise HopsError(f"the app table lacks the rows of the turn that answered {answered.message_id}")
    return Hops(
        written=answered.written_at,
        journalled=message.received_at,
        stored=message.stored_at,
        turn_began=turn.started_at,
        committed=turn.committed_at,
        claimed=outgoing.sending_at,
        on_phone=answered.answered_at,
    )
