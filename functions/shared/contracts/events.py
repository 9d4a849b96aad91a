"""What the gateway tells the webhook, what it hears back, and the doorbells of the queues."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from functions.shared.contracts.contents import Content, Quoted
from functions.shared.contracts.wire import (
    ConversationField,
    CorrelationField,
    JidField,
    MessageIdField,
    Milliseconds,
    TenantField,
    Wire,
)

ChatKind = Literal["direct", "group", "status", "newsletter", "broadcast"]


class Chat(Wire):
    """Where a message was written. For a direct chat `lid` and `phone_jid` are the two names of one person."""

    kind: ChatKind
    jid: JidField
    """The address that the message came by; an answer goes to this one."""
    lid: JidField | None = None
    phone_jid: JidField | None = None


class MessageReceived(Wire):
    """A message in one of the tenant's chats: a customer's, or (`from_me`) one written by the business itself."""

    version: Literal[1] = 1
    type: Literal["message.received"] = "message.received"
    tenant_id: TenantField
    correlation_id: CorrelationField
    """Follows the message from phone to phone, through every log line."""
    chat: Chat
    message_id: MessageIdField
    from_me: bool
    sender_name: Annotated[str, Field(max_length=256)] | None = None
    sent_at: Milliseconds
    """WhatsApp's own stamp; whole seconds."""
    received_at: Milliseconds
    """When the gateway had the message in its journal."""
    backlog: bool
    """True if it waited on WhatsApp's server while no session was connected."""
    content: Content
    quoted: Quoted | None = None
    disappearing_seconds: Annotated[int, Field(ge=1)] | None = None
    """The chat's timer for disappearing messages, if it has one; an answer carries the same."""


class MessageStatus(Wire):
    """What WhatsApp says of a message that we sent. May come late, repeated and in any order."""

    version: Literal[1] = 1
    type: Literal["message.status"] = "message.status"
    tenant_id: TenantField
    correlation_id: CorrelationField
    chat: Chat
    message_id: MessageIdField
    status: Literal["sent", "delivered", "read"]
    at: Milliseconds


ConnectionState = Literal["connecting", "pairing", "connected", "disconnected", "logged_out"]


class PairingOffer(Wire):
    """Something that the phone can be linked with now. What it is, is kept out of events: `PairingRecord` has it."""

    method: Literal["qr", "code"]
    expires_at: Milliseconds


class ConnectionUpdated(Wire):
    """The state of a tenant's session has changed."""

    version: Literal[1] = 1
    type: Literal["connection.updated"] = "connection.updated"
    tenant_id: TenantField
    correlation_id: CorrelationField
    state: ConnectionState
    at: Milliseconds
    phone_jid: JidField | None = None
    code: int | None = None
    """WhatsApp's or Baileys' status code of the end of a session, for example 401."""
    reason: Annotated[str, Field(max_length=512)] | None = None
    """The same for a person: what happened and what to do."""
    pairing: PairingOffer | None = None
    """In the state `pairing`; a new event for each QR code or pairing code."""


MAX_CONTACTS = 200
"""In one event: a whole address book comes in many, so that none is large."""


class Contact(Wire):
    """Whether the owner has a person in the phone's address book. Names stay in the phone: nobody here needs them."""

    jid: JidField
    """The address under which the phone keeps the contact; nearly always the phone number's."""
    alias: JidField | None = None
    """The person's other address, LID or phone number, if the phone says it."""
    saved: bool


class ContactsUpdated(Wire):
    """People whom the owner saved or removed. Events of one tenant come in order, perhaps repeated."""

    version: Literal[1] = 1
    type: Literal["contacts.updated"] = "contacts.updated"
    tenant_id: TenantField
    correlation_id: CorrelationField
    book_at: Milliseconds
    """When the gateway began to read this address book as a whole. A newer book replaces an older one: whom it does not
    name is not saved."""
    revision: Annotated[int, Field(ge=1)]
    """WhatsApp's number of the book's last change that is in here; of one book, a higher one is newer."""
    contacts: Annotated[tuple[Contact, ...], Field(max_length=MAX_CONTACTS)]
    complete: bool
    """Whether with this event all of the book up to `revision` has been told. False: more of it is coming."""


Event = Annotated[
    MessageReceived | MessageStatus | ConnectionUpdated | ContactsUpdated,
    Field(discriminator="type"),
]


EVENT: TypeAdapter[MessageReceived | MessageStatus | ConnectionUpdated | ContactsUpdated] = TypeAdapter(Event)


class EventAnswer(Wire):
    """The webhook's 2xx: the event is stored (or needs no storing), the gateway may forget it."""

    result: Literal["accepted", "duplicate", "ignored"]
    reason: str | None = None


class ErrorAnswer(Wire):
    """Any 4xx or 5xx of the webhook and the gateway."""

    error: str
    """Stable, for programs: `bad_signature`, `bad_body`, `unknown_tenant`, `too_large`, ..."""
    reason: str
    """For a person: what is wrong and what to do."""


class Doorbell(Wire):
    """The body of a message in either queue. It says where to look, never what happened: DynamoDB is the truth."""

    version: Literal[1] = 1
    tenant_id: TenantField
    conversation_id: ConversationField
    seq: Annotated[int, Field(ge=0)]
    """Number of the customer's message that rings; in the outgoing queue, of the last message that the turn covered."""
    correlation_id: CorrelationField
