"""Which conversation a chat belongs to. A customer may be known by a LID, by a phone, or by both.

Each name is an alias row that is created once and never moves. When two names of one person already lead to two
conversations, the later one gets `merged_into` and nothing moves; who comes by its name is led on to the earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from functions.shared import ids
from functions.shared.audience import leaves_to_owner
from functions.shared.contacts import saved_among
from functions.shared.contracts import Chat, ConversationId, Jid, MessageId, TenantId
from functions.shared.keys import CONVERSATION, alias_key, book_key, conversation_pk, id_sk, profile_key
from functions.shared.tables import AliasItem, BookItem, ConversationItem, IdItem, ProfileItem, get_together


class UnknownTenantError(Exception):
    """No business has this id."""


class DanglingAliasError(Exception):
    """An alias row without its conversation: both are written in one transaction, so somebody deleted one by hand."""


@dataclass(frozen=True)
class Seen:
    """A message id that the table knows already."""

    conversation: ConversationItem
    conversation_id: ConversationId
    seq: int | None
    """Its number, if it is a message of the chat."""
    outbox_sk: str | None
    """Its row, if we sent it."""


@dataclass(frozen=True)
class ChatState:
    """A chat as it was read; every write that follows from it is conditional on that."""

    profile: ProfileItem
    conversation_id: ConversationId
    conversation: ConversationItem | None
    """None: nobody has written in this chat yet."""
    unnamed: tuple[Jid, ...]
    """Names of the chat without an alias row."""
    to_merge: Mapping[ConversationId, ConversationItem]
    """Conversations that turned out to be this one, to be merged into it."""
    merged: Mapping[ConversationId, ConversationItem]
    """Conversations that were merged into this one before."""
    seen: Seen | None
    book_known: bool = False
    """Whether the phone's address book is known, so that it says whom the assistant may answer."""
    left_to_owner: bool = False
    """Whether names that are new to the conversation tell that the owner saved this person, and answers them alone."""


def read_chat(tenant_id: TenantId, chat: Chat, message_id: MessageId) -> ChatState:
    """Find the chat's conversation and whether `message_id` is known in it, in two reads for nearly every message.

    Raises UnknownTenantError.
    """
    names = names_of(chat)
    found = get_together([profile_key(tenant_id), book_key(tenant_id), *(alias_key(tenant_id, name) for name in names)])
    profile = found.get(ProfileItem, profile_key(tenant_id))
    if profile is None:
        raise UnknownTenantError(f"there is no business {tenant_id}")
    book_known = found.get(BookItem, book_key(tenant_id)) is not None
    aliases = {name: found.get(AliasItem, alias_key(tenant_id, name)) for name in names}
    unnamed = tuple(name for name, alias in aliases.items() if alias is None)
    targets = [ConversationId(alias.conversation_id) for alias in aliases.values() if alias is not None]
    if not targets:
        return ChatState(profile, ids.new_conversation_id(), None, unnamed, {}, {}, None, book_known)

    conversations, seen = _read_conversations(tenant_id, targets, message_id)
    roots = {root_of(target, conversations) for target in targets}
    root = min(roots, key=lambda one: (conversations[one].created_at, one))
    # Of names known before, every turn has asked.
    asks = (bool(unnamed) or len(roots) > 1) and leaves_to_owner(profile.audience, saved=True)
    return ChatState(
        profile=profile,
        conversation_id=root,
        conversation=conversations[root],
        unnamed=unnamed,
        to_merge={one: conversations[one] for one in roots - {root}},
        merged={one: item for one, item in conversations.items() if item.merged_into is not None},
        seen=seen,
        book_known=book_known,
        left_to_owner=asks and bool(saved_among(tenant_id, {"person": names})),
    )


def names_of(chat: Chat) -> tuple[Jid, ...]:
    """The addresses of the person in a direct chat, LID first, each once."""
    names = (chat.lid, chat.phone_jid, chat.jid)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def lid_of(chat: Chat) -> Jid | None:
    return next((name for name in names_of(chat) if name.endswith("@lid")), None)


def phone_of(chat: Chat) -> Jid | None:
    return next((name for name in names_of(chat) if name.endswith("@s.whatsapp.net")), None)


def root_of(
    conversation_id: ConversationId, conversations: Mapping[ConversationId, ConversationItem]
) -> ConversationId:
    """Where `merged_into` leads. It always leads to an earlier conversation, so it ends."""
    while (into := conversations[conversation_id].merged_into) is not None:
        conversation_id = ConversationId(into)
    return conversation_id


def _read_conversations(
    tenant_id: TenantId, targets: Iterable[ConversationId], message_id: MessageId
) -> tuple[dict[ConversationId, ConversationItem], Seen | None]:
    """The conversations of `targets` with all that they were merged with, and the message id in any of them."""
    conversations: dict[ConversationId, ConversationItem] = {}
    seen: Seen | None = None
    wanted = set(targets)
    while wanted:
        pks = {one: conversation_pk(tenant_id, one) for one in wanted}
        keys = [key for pk in pks.values() for key in ((pk, CONVERSATION), (pk, id_sk(message_id)))]
        found = get_together(keys)
        for one, pk in pks.items():
            item = found.get(ConversationItem, (pk, CONVERSATION))
            if item is None:
                raise DanglingAliasError(f"an alias of {tenant_id} leads to {one}, which does not exist")
            conversations[one] = item
            known = found.get(IdItem, (pk, id_sk(message_id)))
            if known is not None:
                seen = Seen(item, one, known.seq, known.outbox_sk)
        linked = {name for item in conversations.values() for name in _linked(item)}
        wanted = linked - conversations.keys()
    return conversations, seen


def _linked(item: ConversationItem) -> list[ConversationId]:
    names = [*(item.merged_from or []), *([item.merged_into] if item.merged_into else [])]
    return [ConversationId(name) for name in names]
