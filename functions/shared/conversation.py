"""A conversation as others see it: its counters, its messages, its past turns. Reading only; inbox.py writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal, NewType

from pydantic import JsonValue, TypeAdapter

from functions.shared import contacts
from functions.shared.audience import leaves_to_owner
from functions.shared.contracts import Content, ConversationId, Jid, MessageId, Quoted, TenantId
from functions.shared.keys import (
    CONVERSATION,
    CUSTOMER,
    FACTS,
    LEAD,
    MESSAGE_PREFIX,
    TURN_PREFIX,
    conversation_pk,
    message_sk,
    profile_key,
)
from functions.shared.leads import Lead, load_joined
from functions.shared.owners import is_owner
from functions.shared.tables import (
    ConversationItem,
    CustomerItem,
    FactsItem,
    LeadItem,
    MessageItem,
    ProfileItem,
    TurnItem,
    get_together,
)

TurnId = NewType("TurnId", str)
Author = Literal["customer", "owner", "automatic", "assistant"]
"""`automatic`: a greeting or away text of WhatsApp Business; shown to the owner, answered by nobody. `assistant`: a
message of ours that answers no turn, such as a reminder; its answers are in the turns."""
AUTHORS: tuple[Author, ...] = ("customer", "owner", "automatic", "assistant")

NEWER_AT_ONCE = 10
"""Messages read at once where mostly none is new; a query would read 1 MB of the chat otherwise."""

CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


def may_speak(business: bool, chat: bool, paused_until: int | None, now_ms: int) -> bool:
    """Whether the assistant may answer: both switches on, and no pause under way."""
    return business and chat and (paused_until is None or paused_until <= now_ms)


def speaks_at(business: bool, chat: bool, paused_until: int | None, now_ms: int) -> int | None:
    """When the assistant may answer (Unix milliseconds, `now_ms` if it may now); None while a switch is off."""
    if not business or not chat:
        return None
    return now_ms if paused_until is None else max(now_ms, paused_until)


def assistant_may_speak(profile: ProfileItem, conversation: ConversationItem | None, now_ms: int) -> bool:
    """The same from rows; None is a conversation that nobody has begun."""
    if conversation is None:
        return profile.assistant_on
    return may_speak(profile.assistant_on, conversation.ai_enabled, conversation.paused_until, now_ms)


class ConversationNotFoundError(Exception):
    """There is no such conversation of this tenant."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a chat. Times in Unix milliseconds."""

    seq: int
    message_id: MessageId
    author: Author
    content: Content
    sent_at: int
    received_at: int
    stored_at: int
    correlation_id: str
    quoted: Quoted | None = None
    """The earlier message that this one answers."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the assistant noted about a customer, in its own words; `version` counts the changes."""

    noted: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A conversation as it was read; by now it may have moved, which the commit's conditions find out."""

    tenant_id: TenantId
    conversation_id: ConversationId
    last_seq: int
    handled_seq: int
    epoch: int
    business_ai_enabled: bool
    ai_enabled: bool
    """The switch of this chat alone."""
    paused_until: int | None
    reply_jid: Jid | None
    pending_since: int | None
    customer_name: str | None
    opted_out_at: int | None = None
    disappearing_seconds: int | None = None
    """The chat's timer, which our messages carry on."""
    is_owner: bool = False
    """Whether this is the chat with one of the owner's own numbers."""
    left_to_owner: bool = False
    """Whether the assistant answers nothing here because the owner saved this person in the phone's address book."""
    introduced_at: int | None = None
    """When the customer was first told that an assistant writes."""
    facts: Facts = field(default_factory=Facts)
    lead: Lead = field(default_factory=Lead)
    """With those of all conversations that were merged into this one."""
    customer_phone: str | None = None
    """E.164, if it is known."""

    def assistant_may_speak(self, now_ms: int) -> bool:
        """Whether business, chat and pause all allow it."""
        return may_speak(self.business_ai_enabled, self.ai_enabled, self.paused_until, now_ms)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was said in a conversation up to message number `upto`, in short."""

    text: str
    upto: int


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A committed turn."""

    lo: int
    hi: int
    turn_id: TurnId
    items: Sequence[JsonValue]
    tools: Sequence[JsonValue]
    usage: Mapping[str, JsonValue]
    started_at: int
    committed_at: int
    outcome: str | None = None
    """How it ended: inbox.TurnOutcome."""
    intent: str | None = None
    reason: str | None = None
    """Why a person was called."""
    saw: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the model was given, if one was asked."""
    summary: Summary | None = None


def load_conversation(tenant_id: TenantId, conversation_id: ConversationId) -> Snapshot:
    """The conversation, its business's switch and its customer's name, strongly consistent.

    Raises ConversationNotFoundError.
    """
    pk = conversation_pk(tenant_id, conversation_id)
    found = get_together([(pk, CONVERSATION), (pk, CUSTOMER), (pk, FACTS), (pk, LEAD), profile_key(tenant_id)])
    conversation = found.get(ConversationItem, (pk, CONVERSATION))
    business = found.get(ProfileItem, profile_key(tenant_id))
    if conversation is None or business is None:
        raise ConversationNotFoundError(f"{tenant_id} has no conversation {conversation_id}")
    customer = found.get(CustomerItem, (pk, CUSTOMER))
    facts = found.get(FactsItem, (pk, FACTS))
    return Snapshot(
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        last_seq=conversation.last_seq,
        handled_seq=conversation.handled_seq,
        epoch=conversation.epoch,
        business_ai_enabled=business.assistant_on,
        ai_enabled=conversation.ai_enabled,
        paused_until=conversation.paused_until,
        reply_jid=Jid(conversation.reply_jid) if conversation.reply_jid else None,
        pending_since=conversation.pending_since,
        customer_name=customer.name if customer else None,
        opted_out_at=conversation.opted_out_at,
        disappearing_seconds=conversation.disappearing_seconds,
        is_owner=customer is not None and is_owner(customer.phone_jid, business.owner_numbers or []),
        left_to_owner=is_left_to_owner(tenant_id, business, customer),
        introduced_at=conversation.introduced_at,
        facts=Facts(tuple(facts.noted), facts.version) if facts else Facts(),
        lead=load_joined(tenant_id, found.get(LeadItem, (pk, LEAD)), conversation.merged_from or []),
        customer_phone=f"+{customer.phone_jid.partition('@')[0]}" if customer and customer.phone_jid else None,
    )


def is_left_to_owner(tenant_id: TenantId, business: ProfileItem, customer: CustomerItem | None) -> bool:
    """audience.leaves_to_owner of a stored customer; nothing is read where the audience does not ask for it."""
    if not leaves_to_owner(business.audience, saved=True):
        return False
    return leaves_to_owner(business.audience, saved=contacts.is_saved(tenant_id, customer))


def load_messages(tenant_id: TenantId, conversation_id: ConversationId, lo: int, hi: int) -> list[Message]:
    """Messages `lo .. hi` in order. Those between two turns (`hi` of one, `lo` of the next) a person handled."""
    rows = MessageItem.query(
        conversation_pk(tenant_id, conversation_id),
        MessageItem.sk.between(message_sk(lo), message_sk(hi)),
        consistent_read=True,
    )
    return [_message(row) for row in rows]


def load_newer(tenant_id: TenantId, conversation_id: ConversationId, *, stored_after: int) -> list[Message]:
    """The messages that were stored after that (Unix milliseconds), newest first."""
    rows = MessageItem.query(
        conversation_pk(tenant_id, conversation_id),
        MessageItem.sk.startswith(MESSAGE_PREFIX),
        consistent_read=True,
        scan_index_forward=False,
        page_size=NEWER_AT_ONCE,
    )
    return [_message(row) for row in takewhile(lambda row: row.stored_at > stored_after, rows)]


def load_history(tenant_id: TenantId, conversation_id: ConversationId, limit: int) -> list[PastTurn]:
    """The newest `limit` committed turns, oldest first."""
    rows = TurnItem.query(
        conversation_pk(tenant_id, conversation_id),
        TurnItem.sk.startswith(TURN_PREFIX),
        consistent_read=True,
        scan_index_forward=False,
        limit=limit,
    )
    return [_past_turn(row) for row in rows][::-1]


def _message(row: MessageItem) -> Message:
    author: Author = next((author for author in AUTHORS if author == row.author), "automatic")
    return Message(
        seq=row.seq,
        message_id=MessageId(row.message_id),
        author=author,
        content=CONTENT.validate_json(row.content),
        sent_at=row.sent_at,
        received_at=row.received_at,
        stored_at=row.stored_at,
        correlation_id=row.correlation_id,
        quoted=Quoted.model_validate_json(row.quoted) if row.quoted else None,
    )


def _past_turn(row: TurnItem) -> PastTurn:
    return PastTurn(
        lo=row.lo,
        hi=row.hi,
        turn_id=TurnId(row.turn_id),
        items=row.items,
        tools=row.tools,
        usage=row.usage,
        started_at=row.started_at,
        committed_at=row.committed_at,
        outcome=row.outcome,
        intent=row.intent,
        reason=row.reason,
        saw=row.saw or {},
        summary=Summary(row.summary, row.summary_upto or 0) if row.summary else None,
    )
