"""Wire models: everything that crosses a process boundary in Kesher.

The gateway (TypeScript) and the functions (Python) meet only here. `make contracts` writes the JSON Schema and the
TypeScript types of these models into `contracts/`; a test fails when they are stale.

Conventions of the wire:
  - names are camelCase, times are integers in Unix milliseconds and end in `At`;
  - a reader ignores fields that it does not know, so a writer may add fields within a version;
  - `version` is explicit in whatever may lie in a queue or a journal while a deployment replaces its reader.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from functions.shared.contents import (
    ChoiceContent,
    ContactCard,
    ContactsContent,
    Content,
    DeletionContent,
    EditContent,
    LocationContent,
    MediaContent,
    OutgoingContent,
    Quoted,
    ReactionContent,
    TextContent,
    UnsupportedContent,
)
from functions.shared.wire import (
    MAX_BODY_BYTES,
    MAX_TEXT_CHARACTERS,
    ConversationField,
    ConversationId,
    CorrelationField,
    Jid,
    JidField,
    MessageId,
    MessageIdField,
    Milliseconds,
    PhoneField,
    TenantField,
    TenantId,
    Text,
    Wire,
)

__all__ = [
    "EVENT",
    "MAX_BODY_BYTES",
    "MAX_TEXT_CHARACTERS",
    "PUBLIC",
    "SEND_RESULT",
    "Chat",
    "ChatKind",
    "ChoiceContent",
    "ConnectionState",
    "ConnectionUpdated",
    "ContactCard",
    "ContactsContent",
    "Content",
    "ConversationField",
    "ConversationId",
    "CorrelationField",
    "DeletionContent",
    "Doorbell",
    "EditContent",
    "ErrorAnswer",
    "Event",
    "EventAnswer",
    "GatewayHealth",
    "Jid",
    "JidField",
    "LinkCode",
    "LinkCodeRequest",
    "LocationContent",
    "MediaContent",
    "MessageId",
    "MessageIdField",
    "MessageReceived",
    "MessageStatus",
    "Milliseconds",
    "NotOwner",
    "OutgoingContent",
    "PairingCode",
    "PairingOffer",
    "PairingRecord",
    "Quoted",
    "ReactionContent",
    "Refused",
    "SendCommand",
    "SendResult",
    "SendingStatus",
    "Sent",
    "SessionRecord",
    "SessionStatus",
    "Superseded",
    "TenantField",
    "TenantId",
    "Text",
    "TextContent",
    "Unavailable",
    "Unknown",
    "UnsupportedContent",
    "Wire",
]

# ---- events, from the gateway to the webhook ------------------------------------------------------------------


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


Event = Annotated[MessageReceived | MessageStatus | ConnectionUpdated, Field(discriminator="type")]
EVENT: TypeAdapter[MessageReceived | MessageStatus | ConnectionUpdated] = TypeAdapter(Event)


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


# ---- queues -----------------------------------------------------------------------------------------------------


class Doorbell(Wire):
    """The body of a message in either queue. It says where to look, never what happened: DynamoDB is the truth."""

    version: Literal[1] = 1
    tenant_id: TenantField
    conversation_id: ConversationField
    seq: Annotated[int, Field(ge=0)]
    """Number of the customer's message that rings; in the outgoing queue, of the last message that the turn covered."""
    correlation_id: CorrelationField


# ---- commands to the gateway and its answers --------------------------------------------------------------------


class SendCommand(Wire):
    """`POST /whatsapp/{tenant}/messages`. Idempotent by `message_id`: repeat it with the same id, for ever."""

    version: Literal[1] = 1
    message_id: MessageIdField
    chat_jid: JidField
    author: Literal["assistant", "person"]
    """An assistant's message gives way to the owner's; a person's never does."""
    content: OutgoingContent
    quoted: Quoted | None = None
    disappearing_seconds: Annotated[int, Field(ge=1)] | None = None
    """The chat's timer for disappearing messages."""
    answers: Annotated[tuple[MessageIdField, ...], Field(max_length=50)] = ()
    """The customer's messages that this one answers: they are marked as read before it is typed."""
    answered_at: Milliseconds | None = None
    """When the newest of them was written; the time since then counts as time spent typing."""
    correlation_id: CorrelationField
    owner_token: Annotated[int, Field(ge=0)]
    """The fencing token read with the session's address; another one in force means that the session has moved."""


class Sent(Wire):
    """HTTP 200: WhatsApp's server acknowledged the message."""

    outcome: Literal["sent"] = "sent"
    message_id: MessageIdField
    acknowledged_at: Milliseconds


class Unknown(Wire):
    """HTTP 504: it may or may not have gone out. Ask again with the same id; never with another."""

    outcome: Literal["unknown"] = "unknown"
    message_id: MessageIdField
    reason: str


class Refused(Wire):
    """HTTP 422: WhatsApp refused the message."""

    outcome: Literal["refused"] = "refused"
    message_id: MessageIdField
    code: str
    """The `error` attribute of WhatsApp's acknowledgement, for example `463`."""
    reason: str
    permanent: bool
    """True: never repeat it. Repeating a 463 makes the restriction worse (Baileys #2688)."""
    until: Milliseconds | None = None
    """When the restriction ends, if WhatsApp named it."""


class Unavailable(Wire):
    """HTTP 503: the session is not connected here, or sends as much as it may; nothing was sent."""

    outcome: Literal["unavailable"] = "unavailable"
    message_id: MessageIdField
    reason: str
    retry_after_ms: Annotated[int, Field(ge=0)]
    paced: bool = False
    """True: the limits on messages a minute or new chats a day hold it back, and `retry_after_ms` is when they end."""


class NotOwner(Wire):
    """HTTP 409: another container owns the session; nothing was sent. Look the owner up again."""

    outcome: Literal["not_owner"] = "not_owner"
    message_id: MessageIdField
    reason: str


class Superseded(Wire):
    """HTTP 410: the business's own phone wrote in this chat before the assistant's message was on the wire.

    Nothing was sent. Ask again once the webhook has that message: the claim's check of the epoch then says whether a
    person took over, or it was an automatic text, which only the profile knows.
    """

    outcome: Literal["superseded"] = "superseded"
    message_id: MessageIdField
    reason: str


SendResult = Annotated[Sent | Unknown | Refused | Unavailable | NotOwner | Superseded, Field(discriminator="outcome")]
SEND_RESULT: TypeAdapter[Sent | Unknown | Refused | Unavailable | NotOwner | Superseded] = TypeAdapter(SendResult)


class SessionStatus(Wire):
    """`GET /whatsapp/{tenant}/status`."""

    tenant_id: TenantField
    state: ConnectionState
    connected: bool
    can_send: bool
    """True only if a socket is open, its login is complete, the first backlog is through, and WhatsApp's server has
    answered something of ours within the gateway's `SILENCE_MS`."""
    answered_at: Milliseconds | None = None
    """When WhatsApp's server last answered something of ours: an acknowledgement, a query, a ping."""
    phone_jid: JidField | None = None
    code: int | None = None
    reason: str | None = None
    pairing: PairingOffer | None = None
    since: Milliseconds


class SendingStatus(Wire):
    """`GET /whatsapp/{tenant}/sending-status`: while `is_sending`, a restart must wait."""

    is_sending: bool
    active_sends: Annotated[int, Field(ge=0)]


class PairingCode(Wire):
    """`GET /whatsapp/{tenant}/qr`: what the owner's phone scans under "Linked devices"."""

    qr: str
    expires_at: Milliseconds


class LinkCodeRequest(Wire):
    """`POST /whatsapp/{tenant}/pairing-code`: link by a code that is typed on the phone, in place of a QR code."""

    phone: PhoneField


class LinkCode(Wire):
    """`GET` and `POST /whatsapp/{tenant}/pairing-code`: what is typed on the phone under "Linked devices"."""

    code: str
    phone: PhoneField
    expires_at: Milliseconds


class GatewayHealth(Wire):
    """`GET /health`, the one call without the internal secret."""

    status: Literal["ok", "draining"]
    sessions: Annotated[int, Field(ge=0)]
    connected: Annotated[int, Field(ge=0)]


# ---- the session row, shared through the gateway table ------------------------------------------------------------


class SessionRecord(Wire):
    """The row `pk = SESSION#<tenant>`, `sk = SESSION` of the gateway table; attributes are named as on the wire.

    Python writes `desired*` and nothing else; the gateway writes everything else and never `desired*`.
    """

    tenant_id: TenantField
    desired: Literal["linked", "stopped", "unlinked"]
    desired_generation: Annotated[int, Field(ge=0)] = 0
    """Raised to ask for a restart."""
    owner_url: str | None = None
    """Base URL of the container that holds the socket."""
    owner_token: Annotated[int, Field(ge=0)] = 0
    """Fencing token: raised by every claim, checked by every write of auth state and journal."""
    state: ConnectionState | None = None
    updated_at: Milliseconds | None = None
    desired_phone: PhoneField | None = None
    """Link by a pairing code for this number, not by QR codes, until `desired_phone_until`: each one rings there."""
    desired_phone_until: Milliseconds | None = None
    generation: Annotated[int, Field(ge=0)] | None = None
    """The `desired_generation` that the owner has acted on; older news are from before."""
    code: int | None = None
    reason: str | None = None
    phone_jid: JidField | None = None
    """The linked number."""


class PairingRecord(Wire):
    """The row `pk = SESSION#<tenant>`, `sk = PAIRING` of the gateway table, there while a phone can be linked.

    Either `qr` or `code`. The row has the table's time to live as well, but that is coarse: `valid_until` counts.
    """

    tenant_id: TenantField
    qr: str | None = None
    code: str | None = None
    phone: PhoneField | None = None
    valid_until: Milliseconds


PUBLIC: tuple[type[Wire], ...] = (
    MessageReceived, MessageStatus, ConnectionUpdated, EventAnswer, ErrorAnswer, Doorbell, SendCommand,
    Sent, Unknown, Refused, Unavailable, NotOwner, Superseded,
    SessionStatus, SendingStatus, PairingCode, LinkCodeRequest, LinkCode, GatewayHealth, SessionRecord, PairingRecord,
)  # fmt: skip
"""The models whose schemas are published in `contracts/schema.json`, under `$defs`."""
