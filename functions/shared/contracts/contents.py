"""What a message holds, in both directions: one model for each kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from functions.shared.contracts.wire import MessageIdField, Text, Wire

ObjectKey = Annotated[str, Field(pattern=r"^media/[A-Za-z0-9/._-]{1,500}$")]
"""Key of an object in the deployment's media bucket."""


class TextContent(Wire):
    """A text message, or the text of a reply to one."""

    kind: Literal["text"] = "text"
    text: Text


class MediaContent(Wire):
    """A picture, a film, a sound, a file or a sticker; the bytes are an object of the media bucket."""

    kind: Literal["image", "video", "audio", "document", "sticker"]
    object_key: ObjectKey | None = None
    missing: Annotated[str, Field(max_length=256)] | None = None
    """Why there is no object, for a person: too large, no longer on WhatsApp's servers, damaged."""
    media_type: Annotated[str, Field(max_length=128)]
    """MIME type as the sender claims it, for example `image/jpeg`."""
    bytes: Annotated[int, Field(ge=0)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Of the object's bytes, in hexadecimal."""
    caption: Text | None = None
    file_name: Annotated[str, Field(max_length=256)] | None = None
    """As the sender calls it; a name to show, never a path to use."""
    seconds: Annotated[int, Field(ge=0)] | None = None
    voice: bool = False
    """True for a sound that was recorded as a voice message."""


class LocationContent(Wire):
    """A point on the map, in degrees (WGS 84)."""

    kind: Literal["location"] = "location"
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=256)] | None = None
    address: Annotated[str, Field(max_length=1024)] | None = None


class ContactCard(Wire):
    """One card of an address book."""

    name: Annotated[str, Field(max_length=256)]
    vcard: Annotated[str, Field(max_length=8192)]


class ContactsContent(Wire):
    """One or more cards of an address book."""

    kind: Literal["contacts"] = "contacts"
    contacts: Annotated[tuple[ContactCard, ...], Field(min_length=1, max_length=20)]


class ChoiceContent(Wire):
    """The customer pressed a button or chose from a list."""

    kind: Literal["choice"] = "choice"
    choice_id: Annotated[str, Field(max_length=256)]
    text: Text


class ReactionContent(Wire):
    """An emoji put on a message, or taken from it."""

    kind: Literal["reaction"] = "reaction"
    target_id: MessageIdField
    target_from_me: bool
    """True if the business wrote the message that it is on."""
    emoji: Annotated[str, Field(max_length=64)]
    """Empty when the reaction is withdrawn."""


class EditContent(Wire):
    """The writer changed the text (or the caption) of an earlier message."""

    kind: Literal["edit"] = "edit"
    target_id: MessageIdField
    text: Text


class DeletionContent(Wire):
    """The writer deleted an earlier message for everyone."""

    kind: Literal["deletion"] = "deletion"
    target_id: MessageIdField


class UnsupportedContent(Wire):
    """Something that this version does not understand; recorded as such, never dropped silently."""

    kind: Literal["unsupported"] = "unsupported"
    what: Annotated[str, Field(max_length=128)]
    """WhatsApp's name of the message type, for example `pollCreationMessage`, or `undecryptable`."""


Content = Annotated[
    TextContent
    | MediaContent
    | LocationContent
    | ContactsContent
    | ChoiceContent
    | ReactionContent
    | EditContent
    | DeletionContent
    | UnsupportedContent,
    Field(discriminator="kind"),
]
"""What may be received."""

OutgoingContent = Annotated[
    TextContent | MediaContent | LocationContent | ContactsContent | ReactionContent, Field(discriminator="kind")
]
"""What may be sent."""


class Quoted(Wire):
    """The earlier message that a message answers."""

    message_id: MessageIdField
    from_me: bool
    """True if the business wrote it."""
    text: Annotated[str, Field(max_length=1024)] | None = None
    """Its beginning, if it was a text."""
