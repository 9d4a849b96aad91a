"""A message of ours that answers no turn: a person's, a reminder, a notice. It takes the next number of its chat.

With a number of its own it stands behind everything that was queued before (the unfinished rows of an outbox are its
newest), it is in the history that the model reads, and whoever writes at this moment makes the writer look again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared import outbox
from functions.shared.contracts import ConversationId, Jid, MessageId, TenantId, TextContent
from functions.shared.keys import CONVERSATION, conversation_pk, message_sk
from functions.shared.manner import PLAIN, Manner
from functions.shared.tables import ConversationItem, MessageItem, not_exists
from functions.shared.takeover import taken_over
from functions.shared.transactions import LabelledWrite


@dataclass(frozen=True, slots=True)
class Interjection:
    """What is said, and in whose name."""

    tenant_id: TenantId
    conversation_id: ConversationId
    message_id: MessageId
    chat_jid: Jid
    text: str
    author: outbox.Author
    correlation_id: str
    by_the_owner: bool = False
    """In the chat it stands as the owner's own; otherwise as the assistant's."""
    deadline: int | None = None
    """When it must have gone out; None: as long as any reply may take."""


def interject(
    transaction: LabelledWrite,
    message: Interjection,
    chat: ConversationItem,
    *,
    now_ms: int,
    takes_over: bool,
    changes: Sequence[Action] = (),
    condition: Condition | None = None,
) -> int:
    """Add the message and its outbox row to the transaction, and return its number.

    `chat` is the conversation as it was read; the transaction is refused if it has moved since. `takes_over`: what
    waits counts as answered and no turn that began before may commit. `changes` are more of the conversation.
    """
    pk, seq = conversation_pk(message.tenant_id, message.conversation_id), chat.last_seq + 1
    as_read: Condition = (ConversationItem.last_seq == chat.last_seq) & (ConversationItem.epoch == chat.epoch)
    actions: list[Action] = [
        ConversationItem.last_seq.set(seq),
        ConversationItem.handled_seq.set(seq),
        *changes,
        *(taken_over() if takes_over else ()),
    ]
    if not takes_over:
        # Otherwise the next turn would have to answer what came before this message, from behind it.
        as_read &= ConversationItem.handled_seq == ConversationItem.last_seq
    transaction.update(
        ConversationItem(pk, CONVERSATION), actions, condition=as_read if condition is None else as_read & condition
    )
    manner = Manner(disappearing_seconds=chat.disappearing_seconds)
    epoch = chat.epoch + (1 if takes_over else 0)
    write_message(transaction, message, seq, epoch=epoch, manner=manner, now_ms=now_ms)
    return seq


def write_message(
    transaction: LabelledWrite,
    message: Interjection,
    seq: int,
    *,
    epoch: int,
    now_ms: int,
    manner: Manner = PLAIN,
) -> None:
    """The message as number `seq` of its chat, and its outbox row."""
    content = TextContent(text=message.text)
    item = MessageItem(
        conversation_pk(message.tenant_id, message.conversation_id),
        message_sk(seq),
        seq=seq,
        message_id=message.message_id,
        author="owner" if message.by_the_owner else "assistant",
        content=content.to_json(),
        sent_at=now_ms,
        received_at=now_ms,
        stored_at=now_ms,
        correlation_id=message.correlation_id,
    )
    transaction.save(item, condition=not_exists(MessageItem))
    row = outbox.Queued(
        tenant_id=message.tenant_id,
        conversation_id=message.conversation_id,
        hi=seq,
        part=0,
        message_id=message.message_id,
        author=message.author,
        chat_jid=message.chat_jid,
        content=content,
        epoch=epoch,
        correlation_id=message.correlation_id,
        queued_at=now_ms,
        deadline=message.deadline,
        manner=manner,
    )
    outbox.write_queued(transaction, [row])
