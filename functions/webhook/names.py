"""What an event teaches about a person's two names, LID and phone, besides what it says.

The owner is known by phone (the profile's `owner_numbers`). Who writes by a LID alone may be the owner without anybody
knowing; the two names come together in a message that carries both, or in the receipt of a notice that we sent to the
owner's phone and their LID confirmed. From then on no turn that took them for a customer may commit, and what it had
queued is void. The same is true of a customer whom the owner saved by the name that was not known, where the business
leaves its saved contacts to the owner.
"""

from __future__ import annotations

from pynamodb.expressions.update import Action

from functions.shared.contracts import Chat, TenantId
from functions.shared.keys import CONVERSATION, CUSTOMER, alias_key, conversation_pk
from functions.shared.owners import is_owner
from functions.shared.tables import AliasItem, ConversationItem, CustomerItem, not_exists
from functions.shared.takeover import overtake
from functions.shared.transactions import LabelledWrite
from functions.webhook import merging
from functions.webhook.chats import ChatState, lid_of, phone_of
from functions.webhook.merging import Gates


def teaches(state: ChatState) -> bool:
    """Whether the chat's names were not known to be one person's; of somebody who never wrote, they are no news."""
    return state.conversation is not None and bool(state.unnamed or state.to_merge)


def voids(state: ChatState, chat: Chat) -> bool:
    """Whether somebody was taken for a customer of the assistant's, who turns out to be the owner or left to them.

    Asked of the address book and not of the audience alone: of everybody else, a queued answer must not get lost.
    """
    return teaches(state) and (state.left_to_owner or is_owner(phone_of(chat), state.profile.owner_numbers or []))


def names(chat: Chat) -> list[Action]:
    """The person's names, for their row."""
    found: list[Action] = []
    if (lid := lid_of(chat)) is not None:
        found.append(CustomerItem.lid.set(lid))
    if (phone := phone_of(chat)) is not None:
        found.append(CustomerItem.phone_jid.set(phone))
    return found


def write_aliases(transaction: LabelledWrite, tenant_id: TenantId, state: ChatState) -> None:
    """A row for each name that has none; refused if somebody was first."""
    for name in state.unnamed:
        pk, sk = alias_key(tenant_id, name)
        transaction.save(AliasItem(pk, sk, conversation_id=state.conversation_id), condition=not_exists(AliasItem))


def write_others(transaction: LabelledWrite, tenant_id: TenantId, state: ChatState, chat: Chat) -> None:
    """Who the person is, for the conversations that are led here: a turn may still run in one of them."""
    if not teaches(state) or not names(chat):
        return
    for other in {**state.to_merge, **state.merged}:
        transaction.update(CustomerItem(conversation_pk(tenant_id, other), CUSTOMER), names(chat))


def learn(tenant_id: TenantId, chat: Chat, state: ChatState, now_ms: int) -> None:
    """Keep what an event that is no message teaches. Raises as `LabelledWrite.commit`."""
    conversation = state.conversation
    if conversation is None or not teaches(state) or not names(chat):
        return
    pk, void = conversation_pk(tenant_id, state.conversation_id), voids(state, chat)
    gates = Gates.joined(state)
    transaction = LabelledWrite()
    write_aliases(transaction, tenant_id, state)
    transaction.update(CustomerItem(pk, CUSTOMER), names(chat))
    write_others(transaction, tenant_id, state, chat)
    overtaken = [overtake()] if void or gates.silence(conversation, now_ms) else []
    if changes := [*merging.merged_from(state), *gates.changes(conversation), *overtaken]:
        as_read = ConversationItem.merged_into.does_not_exist() & (ConversationItem.epoch == conversation.epoch)
        as_read &= ConversationItem.last_seq == conversation.last_seq
        transaction.update(ConversationItem(pk, CONVERSATION), changes, condition=as_read)
    merging.write_others(transaction, tenant_id, state, gates, now_ms=now_ms, void=void)
    transaction.commit()
