"""What the send function asks of the gateway, and what became of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from functions.shared.contracts.contents import OutgoingContent, Quoted
from functions.shared.contracts.wire import CorrelationField, JidField, MessageIdField, Milliseconds, Wire


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
