"""What the tables hold of one chat, as facts that can be compared; the demo and `kesher eval` judge by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from functions.shared import leads
from functions.shared.chats import load_chat
from functions.shared.contracts import ConversationId, TenantId, TextContent
from functions.shared.conversation import CONTENT
from functions.shared.keys import BOOKING_PREFIX, CONVERSATION, FACTS, LEAD, OUTBOX_PREFIX, alias_key, conversation_pk
from functions.shared.leads import Lead
from functions.shared.scheduled import scheduled_in
from functions.shared.tables import AliasItem, BookingItem, ConversationItem, FactsItem, LeadItem, OutboxItem, find

Assistant = Literal["on", "paused", "off", "opted out"]


@dataclass(frozen=True, slots=True, order=True)
class Booked:
    """An appointment that stands; `start` is local."""

    start: datetime
    service: str

    def __str__(self) -> str:
        return f"{self.service} {self.start:%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox, in the order of sending."""

    sk: str
    author: str
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class ChatState:
    """One chat. `waiting` counts messages that nobody has handled; `needs_person` is why one was called."""

    bookings: Sequence[Booked]
    outbox: Sequence[Outgoing]
    epoch: int
    assistant: Assistant
    waiting: int
    needs_person: str | None
    lead: Lead | None
    facts: Sequence[str] = ()
    """What the assistant noted about the customer."""
    follow_ups: Sequence[datetime] = ()
    """When it will write to them by itself; local, by time."""
    owner_told: Sequence[str] = ()
    """What the owner was sent about this chat, or will be; each text once, however many numbers the owner has."""

    @property
    def answers(self) -> list[Outgoing]:
        """The assistant's own."""
        return [row for row in self.outbox if row.author == "assistant"]


def find_chat(tenant_id: TenantId, phone: str) -> ConversationId | None:
    """The conversation of the customer with this phone (digits); None before their first message."""
    alias = find(AliasItem, alias_key(tenant_id, f"{phone}@s.whatsapp.net"))
    return None if alias is None else ConversationId(alias.conversation_id)


def read_state(tenant_id: TenantId, conversation_id: ConversationId, zone: ZoneInfo, *, now_ms: int) -> ChatState:
    """The chat as it is now. Raises ConversationNotFoundError."""
    chat = load_chat(tenant_id, conversation_id, now_ms=now_ms)
    pk = conversation_pk(tenant_id, chat.conversation_id)
    conversation = find(ConversationItem, (pk, CONVERSATION))
    lead, noted = find(LeadItem, (pk, LEAD)), find(FactsItem, (pk, FACTS))
    scheduled = sorted(scheduled_in(tenant_id, chat.conversation_id), key=lambda row: row.due_at)
    if chat.opted_out_at is not None:
        assistant: Assistant = "opted out"
    elif chat.speaks_at is None or chat.left_to_owner:
        assistant = "off"
    else:
        assistant = "on" if chat.speaks_at <= now_ms else "paused"
    return ChatState(
        bookings=_bookings(pk, zone),
        outbox=_outbox(pk),
        epoch=conversation.epoch if conversation else 0,
        assistant=assistant,
        waiting=chat.waiting,
        needs_person=chat.needs_attention,
        lead=None if lead is None else leads.from_item(lead),
        facts=list(noted.noted) if noted else [],
        follow_ups=[_local(row.due_at, zone) for row in scheduled if (row.kind, row.state) == ("follow_up", "waiting")],
        owner_told=list(dict.fromkeys(row.text for row in scheduled if row.kind == "notice")),
    )


def _bookings(pk: str, zone: ZoneInfo) -> list[Booked]:
    rows = BookingItem.query(pk, BookingItem.sk.startswith(BOOKING_PREFIX), consistent_read=True)
    return sorted(Booked(_local(row.start, zone), row.service) for row in rows if row.status == "booked")


def _local(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)


def _outbox(pk: str) -> list[Outgoing]:
    rows = OutboxItem.query(pk, OutboxItem.sk.startswith(OUTBOX_PREFIX), consistent_read=True)
    return [Outgoing(row.sk, row.author, _text(row.content), row.state) for row in rows]


def _text(content: str) -> str:
    found = CONTENT.validate_json(content)
    return found.text if isinstance(found, TextContent) else f"[{found.kind}]"
