"""The conversations of a business, for the people who look after them. Reading only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.shared.audience import leaves_to_owner
from functions.shared.contacts import addresses, saved_among
from functions.shared.contracts import ConversationId, Jid, TenantId
from functions.shared.conversation import ConversationNotFoundError, speaks_at
from functions.shared.keys import CHAT_PREFIX, CONVERSATION, CUSTOMER, conversation_pk, profile_key, tenant_pk
from functions.shared.tables import ChatItem, ConversationItem, CustomerItem, ProfileItem, find, get_together


@dataclass(frozen=True, slots=True)
class Overview:
    """A conversation in a list. Times in Unix milliseconds."""

    conversation_id: ConversationId
    name: str | None
    phone_jid: Jid | None
    last_contact: int | None
    last_seq: int
    waiting: int
    """Messages that nobody has handled."""
    ai_enabled: bool
    """The switch of this chat alone."""
    opted_out_at: int | None
    left_to_owner: bool
    """Whether the assistant leaves this person alone, because the owner saved them in the phone's address book."""
    speaks_at: int | None
    """When the assistant may answer; None while it is off for this chat or for the business."""
    needs_attention: str | None
    needs_attention_at: int | None


def list_chats(tenant_id: TenantId, *, now_ms: int) -> list[Overview]:
    """All conversations: those that need a person first, then the newest contact first.

    Raises ConversationNotFoundError if there is no such business.
    """
    business = _business(tenant_id)
    conversations = _all(tenant_id)
    keys = [(item.pk, CUSTOMER) for _, item in conversations]
    customers = get_together(keys)
    people = {one: customers.get(CustomerItem, (item.pk, CUSTOMER)) for one, item in conversations}
    left = _left_to_owner(tenant_id, business, people)
    found = [
        _overview(one, item, people[one], business, now_ms, left_to_owner=one in left) for one, item in conversations
    ]
    return sorted(found, key=lambda chat: (chat.needs_attention is None, -(chat.last_contact or 0)))


def load_chat(tenant_id: TenantId, conversation_id: ConversationId, *, now_ms: int) -> Overview:
    """One conversation, followed to where it was merged into. Raises ConversationNotFoundError."""
    business = _business(tenant_id)
    root, *_ = family(tenant_id, conversation_id)
    pk = conversation_pk(tenant_id, root)
    found = get_together([(pk, CONVERSATION), (pk, CUSTOMER)])
    item = found.get(ConversationItem, (pk, CONVERSATION))
    if item is None:
        raise ConversationNotFoundError(f"{tenant_id} has no conversation {root}")
    customer = found.get(CustomerItem, (pk, CUSTOMER))
    left = _left_to_owner(tenant_id, business, {root: customer})
    return _overview(root, item, customer, business, now_ms, left_to_owner=root in left)


def waiting(tenant_id: TenantId) -> list[tuple[ConversationId, ConversationItem]]:
    """The conversations with messages that nobody has handled."""
    return [(one, item) for one, item in _all(tenant_id) if item.handled_seq < item.last_seq]


def family(tenant_id: TenantId, conversation_id: ConversationId) -> list[ConversationId]:
    """The conversation that `conversation_id` was merged into, or itself, then all that were merged into that one.

    Raises ConversationNotFoundError.
    """
    item = _read(tenant_id, conversation_id)
    while item.merged_into is not None:
        conversation_id = ConversationId(item.merged_into)
        item = _read(tenant_id, conversation_id)
    found, wanted = [conversation_id], [*(item.merged_from or [])]
    while wanted:
        one = ConversationId(wanted.pop())
        if one not in found:
            found.append(one)
            wanted += _read(tenant_id, one).merged_from or []
    return found


def _read(tenant_id: TenantId, conversation_id: ConversationId) -> ConversationItem:
    item = find(ConversationItem, (conversation_pk(tenant_id, conversation_id), CONVERSATION))
    if item is None:
        raise ConversationNotFoundError(f"{tenant_id} has no conversation {conversation_id}")
    return item


def _business(tenant_id: TenantId) -> ProfileItem:
    business = find(ProfileItem, profile_key(tenant_id))
    if business is None:
        raise ConversationNotFoundError(f"there is no business {tenant_id}")
    return business


def _all(tenant_id: TenantId) -> list[tuple[ConversationId, ConversationItem]]:
    rows = ChatItem.query(tenant_pk(tenant_id), ChatItem.sk.startswith(CHAT_PREFIX), consistent_read=True)
    chats = [ConversationId(row.conversation_id) for row in rows]
    found = get_together([(conversation_pk(tenant_id, one), CONVERSATION) for one in chats])
    pairs = [(one, found.get(ConversationItem, (conversation_pk(tenant_id, one), CONVERSATION))) for one in chats]
    return [(one, item) for one, item in pairs if item is not None and item.merged_into is None]


def _left_to_owner(
    tenant_id: TenantId, business: ProfileItem, people: Mapping[ConversationId, CustomerItem | None]
) -> set[ConversationId]:
    if not leaves_to_owner(business.audience, saved=True):
        return set()
    return saved_among(tenant_id, {one: addresses(customer) for one, customer in people.items()})


def _overview(
    one: ConversationId,
    item: ConversationItem,
    customer: CustomerItem | None,
    business: ProfileItem,
    now_ms: int,
    *,
    left_to_owner: bool,
) -> Overview:
    return Overview(
        conversation_id=one,
        name=customer.name if customer else None,
        phone_jid=Jid(customer.phone_jid) if customer and customer.phone_jid else None,
        last_contact=customer.last_contact if customer else None,
        last_seq=item.last_seq,
        waiting=item.last_seq - item.handled_seq,
        ai_enabled=item.ai_enabled,
        opted_out_at=item.opted_out_at,
        left_to_owner=left_to_owner,
        speaks_at=speaks_at(business.ai_enabled, item.ai_enabled, item.paused_until, now_ms),
        needs_attention=item.needs_attention,
        needs_attention_at=item.needs_attention_at,
    )
