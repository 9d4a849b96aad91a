"""One outgoing message, one WhatsApp id, for ever; its state only rises in rank.

A row is QUEUED by the commit of a turn. The send function claims it (SENDING, with a lease), posts it to the gateway
and writes what became of it. Rows of a conversation finish in order, so the unfinished ones are always the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from functions.shared import ids, settings
from functions.shared.contracts import ConversationId, Jid, MessageId, TenantId, TextContent
from functions.shared.keys import conversation_pk, id_sk, outbox_sk
from functions.shared.tables import IdItem, OutboxItem, not_exists
from functions.shared.transactions import LabelledWrite

State = Literal["QUEUED", "SENDING", "FAILED", "CANCELLED", "SENT", "DELIVERED", "READ"]

RANK: dict[State, int] = {
    "QUEUED": 0,
    "SENDING": 1,
    "FAILED": 2,
    "CANCELLED": 2,
    "SENT": 3,
    "DELIVERED": 4,
    "READ": 5,
}
"""WhatsApp's evidence beats our belief: a receipt lifts even a row that we gave up."""

UNFINISHED: tuple[State, ...] = ("QUEUED", "SENDING")

SWEEP_DELAY_MS = 30_000
"""How long after it was queued a row may wait for its doorbell before the sweeper rings."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message to send, as the commit of turn `hi` writes it; `part` counts its replies from 0."""

    tenant_id: TenantId
    conversation_id: ConversationId
    hi: int
    part: int
    message_id: MessageId
    author: Literal["assistant", "person"]
    chat_jid: Jid
    content: TextContent
    epoch: int
    correlation_id: str
    queued_at: int


def write_queued(transaction: LabelledWrite, rows: Sequence[Queued]) -> None:
    """Add the rows, and the way back from their ids, to the transaction that decides to send them."""
    for row in rows:
        pk = conversation_pk(row.tenant_id, row.conversation_id)
        sk = outbox_sk(row.hi, row.part)
        item = OutboxItem(
            pk,
            sk,
            message_id=row.message_id,
            state="QUEUED",
            epoch=row.epoch,
            author=row.author,
            chat_jid=row.chat_jid,
            content=row.content.to_json(),
            correlation_id=row.correlation_id,
            attempts=0,
            deadline=row.queued_at + settings.send_deadline_ms(),
            queued_at=row.queued_at,
            sweep_shard=ids.sweep_shard(row.conversation_id),
            sweep_at=row.queued_at + SWEEP_DELAY_MS,
        )
        transaction.save(item, condition=not_exists(OutboxItem))
        transaction.save(IdItem(pk, id_sk(row.message_id), outbox_sk=sk), condition=not_exists(IdItem))
