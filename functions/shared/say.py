"""A person's answer through us: the same as the owner's reply by phone, only that we send it."""

from __future__ import annotations

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared import ids, outbox
from functions.shared.chats import family
from functions.shared.contracts import ConversationId, Jid, MessageId, TenantId, TextContent
from functions.shared.conversation import ConversationNotFoundError
from functions.shared.keys import CONVERSATION, conversation_pk, message_sk
from functions.shared.queues import Ring
from functions.shared.tables import ConversationItem, MessageItem, find, not_exists
from functions.shared.takeover import taken_over
from functions.shared.transactions import ContentionError, LabelledWrite, RefusedError, transact

ATTEMPTS = 12
"""Customers who write at this moment take the next number first."""


class NobodyToAnswerError(Exception):
    """The customer of this conversation never wrote, so there is no address to answer to."""


def say(
    tenant_id: TenantId, conversation_id: ConversationId, text: str, *, pause_minutes: int, now_ms: int, ring: Ring
) -> MessageId:
    """Answer the customer in a person's name, and silence the assistant for `pause_minutes`. The message's id.

    Raises ConversationNotFoundError, NobodyToAnswerError, or transactions.ContentionError: nothing is sent then.
    """
    root, *merged = family(tenant_id, conversation_id)
    message_id = ids.new_message_id()
    for _ in range(ATTEMPTS):
        seq = _write(tenant_id, root, message_id, text, pause_minutes=pause_minutes, now_ms=now_ms)
        if seq is not None:
            break
    else:
        raise ContentionError("the customer writes faster than the answer could be stored; say it again")
    for one in merged:
        ConversationItem(conversation_pk(tenant_id, one), CONVERSATION).update(actions=taken_over())
    for one in (root, *merged):
        ring("outgoing", tenant_id, one, seq, f"say-{message_id}")
    return message_id


def _write(
    tenant_id: TenantId, root: ConversationId, message_id: MessageId, text: str, *, pause_minutes: int, now_ms: int
) -> int | None:
    """The number that the answer got, or None if somebody wrote in the chat since it was read."""
    pk = conversation_pk(tenant_id, root)
    item = find(ConversationItem, (pk, CONVERSATION))
    if item is None:
        raise ConversationNotFoundError(f"{tenant_id} has no conversation {root}")
    if item.reply_jid is None:
        raise NobodyToAnswerError("this customer never wrote, so there is nobody to answer")
    seq, content, correlation_id = item.last_seq + 1, TextContent(text=text), f"say-{message_id}"
    message = MessageItem(
        pk,
        message_sk(seq),
        seq=seq,
        message_id=message_id,
        author="owner",
        content=content.to_json(),
        sent_at=now_ms,
        received_at=now_ms,
        stored_at=now_ms,
        correlation_id=correlation_id,
    )
    row = outbox.Queued(
        tenant_id=tenant_id,
        conversation_id=root,
        hi=seq,
        part=0,
        message_id=message_id,
        author="person",
        chat_jid=Jid(item.reply_jid),
        content=content,
        epoch=item.epoch + 1,
        correlation_id=correlation_id,
        queued_at=now_ms,
    )
    actions: list[Action] = [
        ConversationItem.last_seq.set(seq),
        ConversationItem.handled_seq.set(seq),
        ConversationItem.paused_until.set(max(item.paused_until or 0, now_ms + pause_minutes * 60_000)),
        *taken_over(),
    ]
    as_read: Condition = (ConversationItem.last_seq == item.last_seq) & (ConversationItem.epoch == item.epoch)

    def write(transaction: LabelledWrite) -> None:
        transaction.update(ConversationItem(pk, CONVERSATION), actions, condition=as_read)
        transaction.save(message, condition=not_exists(MessageItem))
        outbox.write_queued(transaction, [row])

    try:
        transact(write)
    except RefusedError:
        return None
    return seq
