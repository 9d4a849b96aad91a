"""What a message says, in words: for the model's history and for a person who reads along."""

from __future__ import annotations

from functions.shared.contracts import (
    ChoiceContent,
    ContactsContent,
    Content,
    DeletionContent,
    EditContent,
    LocationContent,
    MediaContent,
    ReactionContent,
    TextContent,
)

_MEDIA = {"image": "picture", "video": "video", "audio": "sound", "document": "document", "sticker": "sticker"}


def in_words(content: Content) -> str:
    """The text of a text; anything else described in brackets, with whatever text it carries."""
    match content:
        case TextContent() | ChoiceContent():
            words = content.text
        case MediaContent():
            words = _media(content)
        case LocationContent():
            words = _location(content)
        case ContactsContent():
            words = f"[contacts: {', '.join(card.name for card in content.contacts)}]"
        case ReactionContent():
            words = f"[reaction: {content.emoji}]" if content.emoji else "[reaction withdrawn]"
        case EditContent():
            words = f"[an earlier message was changed to: {content.text}]"
        case DeletionContent():
            words = "[an earlier message was deleted]"
        case _:
            words = f"[{content.what}]"
    return words


def _location(content: LocationContent) -> str:
    place = ", ".join(part for part in (content.name, content.address) if part)
    return f"[location{_of(place)} ({content.latitude:.5f}, {content.longitude:.5f})]"


def _media(content: MediaContent) -> str:
    name = "voice message" if content.voice else _MEDIA[content.kind]
    missing = f" (could not be received: {content.missing})" if content.missing else ""
    marked = f"[{name}{_of(content.file_name)}{missing}]"
    return f"{marked} {content.caption}" if content.caption else marked


def _of(text: str | None) -> str:
    return f": {text}" if text else ""


def own_words(content: Content) -> str:
    """What the writer themselves put into words; empty if nothing."""
    match content:
        case TextContent() | ChoiceContent() | EditContent():
            return content.text
        case MediaContent():
            return content.caption or ""
        case _:
            return ""
