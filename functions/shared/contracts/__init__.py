"""Wire models: everything that crosses a process boundary in Kesher.

The gateway (TypeScript) and the functions (Python) meet only here. `make contracts` writes the JSON Schema and the
TypeScript types of these models into `contracts/`; a test fails when they are stale.

Conventions of the wire:
  - names are camelCase, times are integers in Unix milliseconds and end in `At`;
  - a reader ignores fields that it does not know, so a writer may add fields within a version;
  - `version` is explicit in whatever may lie in a queue or a journal while a deployment replaces its reader.
"""

from __future__ import annotations

from functions.shared.contracts.commands import (
    SEND_RESULT,
    NotOwner,
    Refused,
    SendCommand,
    SendResult,
    Sent,
    Superseded,
    Unavailable,
    Unknown,
)
from functions.shared.contracts.contents import (
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
from functions.shared.contracts.events import (
    EVENT,
    MAX_CONTACTS,
    Chat,
    ChatKind,
    ConnectionState,
    ConnectionUpdated,
    Contact,
    ContactsUpdated,
    Doorbell,
    ErrorAnswer,
    Event,
    EventAnswer,
    MessageReceived,
    MessageStatus,
    PairingOffer,
)
from functions.shared.contracts.sessions import (
    GatewayHealth,
    LinkCode,
    LinkCodeRequest,
    PairingCode,
    PairingRecord,
    SendingStatus,
    SessionRecord,
    SessionStatus,
)
from functions.shared.contracts.wire import (
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
    "MAX_CONTACTS",
    "MAX_TEXT_CHARACTERS",
    "PUBLIC",
    "SEND_RESULT",
    "Chat",
    "ChatKind",
    "ChoiceContent",
    "ConnectionState",
    "ConnectionUpdated",
    "Contact",
    "ContactCard",
    "ContactsContent",
    "ContactsUpdated",
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
    "PhoneField",
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

PUBLIC: tuple[type[Wire], ...] = (
    MessageReceived, MessageStatus, ConnectionUpdated, ContactsUpdated, EventAnswer, ErrorAnswer, Doorbell, SendCommand,
    Sent, Unknown, Refused, Unavailable, NotOwner, Superseded,
    SessionStatus, SendingStatus, PairingCode, LinkCodeRequest, LinkCode, GatewayHealth, SessionRecord, PairingRecord,
)  # fmt: skip
"""The models whose schemas are published in `contracts/schema.json`, under `$defs`."""
