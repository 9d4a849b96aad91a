"""The chat with one of the owner's own numbers: a conversation like any other, in which nobody is answered."""

from __future__ import annotations

from dataclasses import dataclass

from functions.shared import ids
from functions.shared.contracts import ConversationId, Jid, MessageId, TenantId
from functions.shared.interjection import Interjection, interject, write_message
from functions.shared.keys import CONVERSATION, CUSTOMER, alias_key, chat_key, conversation_pk
from functions.shared.owners import jid_of
from functions.shared.tables import AliasItem, ChatItem, ConversationItem, CustomerItem, find, not_exists
from functions.shared.transactions import LabelledWrite


@dataclass(frozen=True, slots=True)
class OwnerChat:
    """As it was read; `item` is None if neither side has written yet."""

    tenant_id: TenantId
    conversation_id: ConversationId
    jid: Jid
    item: ConversationItem | None

    @property
    def last_seq(self) -> int:
        return 0 if self.item is None else self.item.last_seq


def read_owner_chat(tenant_id: TenantId, number: str) -> OwnerChat:
    """The chat with `number` (E.164), followed to where it was merged into."""
    jid = jid_of(number)
    alias = find(AliasItem, alias_key(tenant_id, jid))
    if alias is None:
        return OwnerChat(tenant_id, ids.new_conversation_id(), jid, None)
    conversation_id = ConversationId(alias.conversation_id)
    item = find(ConversationItem, (conversation_pk(tenant_id, conversation_id), CONVERSATION))
    while item is not None and item.merged_into is not None:
        conversation_id = ConversationId(item.merged_into)
        item = find(ConversationItem, (conversation_pk(tenant_id, conversation_id), CONVERSATION))
    reply = item.reply_jid if item is not None else None
    return OwnerChat(tenant_id, conversation_id, Jid(reply) if reply else jid, item)


def write_to_owner(
    transaction: LabelledWrite, chat: OwnerChat, text: str, message_id: MessageId, *, correlation_id: str, now_ms: int
) -> None:
    """Add a message to the owner; the transaction is refused if somebody wrote in the chat since it was read."""
    message = Interjection(
        tenant_id=chat.tenant_id,
        conversation_id=chat.conversation_id,
        message_id=message_id,
        chat_jid=chat.jid,
        text=text,
        # A switch that silences the assistant before customers must not silence what the owner has to know.
        author="person",
        correlation_id=correlation_id,
    )
    if chat.item is not None:
        interject(transaction, message, chat.item, now_ms=now_ms, takes_over=True)
        return
    pk = conversation_pk(chat.tenant_id, chat.conversation_id)
    conversation = ConversationItem(
        pk, CONVERSATION, last_seq=1, handled_seq=1, epoch=0, ai_enabled=True, created_at=now_ms
    )
    transaction.save(conversation, condition=not_exists(ConversationItem))
    alias_pk, alias_sk = alias_key(chat.tenant_id, chat.jid)
    alias = AliasItem(alias_pk, alias_sk, conversation_id=chat.conversation_id)
    transaction.save(alias, condition=not_exists(AliasItem))
    chat_pk, chat_sk = chat_key(chat.tenant_id, chat.conversation_id)
    listed = ChatItem(chat_pk, chat_sk, conversation_id=chat.conversation_id, created_at=now_ms)
    transaction.save(listed, condition=not_exists(ChatItem))
    transaction.save(CustomerItem(pk, CUSTOMER, phone_jid=chat.jid), condition=not_exists(CustomerItem))
    write_message(transaction, message, 1, epoch=0, now_ms=now_ms)
