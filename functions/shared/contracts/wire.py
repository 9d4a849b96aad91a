"""What all wire models are built from: the base model, the ids, the bounds."""

from __future__ import annotations

from typing import Annotated, NewType

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

TenantId = NewType("TenantId", str)
"""A business, for example `business_1`."""
ConversationId = NewType("ConversationId", str)
"""Opaque id of a customer's conversation with one tenant; never a phone number."""
MessageId = NewType("MessageId", str)
"""WhatsApp's message id, chosen by whoever sends the message."""
Jid = NewType("Jid", str)
"""A WhatsApp address without its device part: `972501234567@s.whatsapp.net`, `12345@lid`, `...@g.us`."""

MAX_BODY_BYTES = 256 * 1024
"""Largest event that the webhook takes: a DynamoDB item ends at 400 KB and holds the text once more as JSON."""
MAX_TEXT_CHARACTERS = 65_536
"""WhatsApp's own limit for the text of one message."""

PhoneField = Annotated[str, Field(pattern=r"^[1-9][0-9]{6,14}$")]
"""A phone number with its country code, digits only (E.164 without the plus)."""
TenantField = Annotated[TenantId, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
ConversationField = Annotated[ConversationId, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
MessageIdField = Annotated[MessageId, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
JidField = Annotated[Jid, Field(pattern=r"^[0-9A-Za-z._-]{1,128}@[a-z.]{1,32}$")]
CorrelationField = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS)]
Milliseconds = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Wire(BaseModel):
    """Base of every wire model: immutable, camelCase, tolerant of unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # a message of an error is logged; what a customer wrote is not
    )

    def to_json(self) -> str:
        """The model as it goes over the wire: camelCase, absent optional fields left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
