"""Doorbells. DynamoDB is the truth, SQS rings: every message here may be lost or doubled without harm."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Literal

from functions.shared import aws, settings
from functions.shared.contracts import ConversationId, Doorbell, TenantId

Queue = Literal["turns", "outgoing"]
Ring = Callable[[Queue, TenantId, ConversationId, int, str], None]
"""(queue, tenant, conversation, number of the message, correlation id)"""


def ring_again(
    queue: Queue, tenant_id: TenantId, conversation_id: ConversationId, seq: int, correlation_id: str
) -> None:
    """Ring either queue, outside the first way of a message."""
    ring = ring_turns if queue == "turns" else ring_outgoing
    ring(tenant_id, conversation_id, seq, correlation_id, again=True)


def ring_turns(
    tenant_id: TenantId, conversation_id: ConversationId, seq: int, correlation_id: str, *, again: bool = False
) -> None:
    """Tell the agent that message `seq` waits. `again`: a repetition, which SQS must not drop as one."""
    doorbell = Doorbell(tenant_id=tenant_id, conversation_id=conversation_id, seq=seq, correlation_id=correlation_id)
    _ring(settings.turns_queue_url(), doorbell, again=again)


def ring_outgoing(
    tenant_id: TenantId, conversation_id: ConversationId, seq: int, correlation_id: str, *, again: bool = False
) -> None:
    """Tell the send function to drain a conversation; `seq` is the last message that the turn covered.

    `again`: a repetition, which SQS must not drop as one.
    """
    doorbell = Doorbell(tenant_id=tenant_id, conversation_id=conversation_id, seq=seq, correlation_id=correlation_id)
    _ring(settings.outgoing_queue_url(), doorbell, again=again)


def group_id(tenant_id: str, conversation_id: str) -> str:
    """The FIFO group of a conversation; hashed, because SQS takes no more than 128 characters."""
    return hashlib.sha256(f"{tenant_id}#{conversation_id}".encode()).hexdigest()


def deduplication_id(conversation_id: str, seq: int, *, again: bool) -> str:
    """SQS forgets it after five minutes and drops what repeats it before, so a re-ring has one of its own."""
    first = f"{conversation_id}:{seq}"
    return f"{first}:{secrets.token_hex(8)}" if again else first


def _ring(queue_url: str, doorbell: Doorbell, *, again: bool) -> None:
    aws.sqs().send_message(
        QueueUrl=queue_url,
        MessageBody=doorbell.to_json(),
        MessageGroupId=group_id(doorbell.tenant_id, doorbell.conversation_id),
        MessageDeduplicationId=deduplication_id(doorbell.conversation_id, doorbell.seq, again=again),
    )
