"""A person's answer through us: the same as the owner's reply by phone, only that we send it."""

from __future__ import annotations

from functions.shared import ids
from functions.shared.chats import family
from functions.shared.contracts import ConversationId, Jid, MessageId, TenantId
from functions.shared.conversation import ConversationNotFoundError
from functions.shared.interjection import Interjection, interject
from functions.shared.keys import CONVERSATION, conversation_pk
from functions.shared.queues import Ring
from functions.shared.tables import ConversationItem, find
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
    message = Interjection(
        tenant_id=tenant_id,
        conversation_id=root,
        message_id=message_id,
        chat_jid=Jid(item.reply_jid),
        text=text,
        author="person",
        correlation_id=f"say-{message_id}",
        by_the_owner=True,
    )
    pause = ConversationItem.paused_until.set(max(item.paused_until or 0, now_ms + pause_minutes * 60_000))

    def write(transaction: LabelledWrite) -> None:
        interject(transaction, message, item, now_ms=now_ms, takes_over=True, changes=[pause])

    try:
        transact(write)
    except RefusedError:
        return None
    return item.last_seq + 1
