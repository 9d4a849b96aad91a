"""Every kind of content can be told in words, and what it carries is in them."""

from __future__ import annotations

import pytest

from functions.shared.contracts import (
    ChoiceContent,
    ContactCard,
    ContactsContent,
    Content,
    DeletionContent,
    EditContent,
    LocationContent,
    MediaContent,
    MessageId,
    ReactionContent,
    TextContent,
    UnsupportedContent,
)
from functions.shared.words import in_words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TextContent(text="שלום"), "שלום"),
        (ChoiceContent(choice_id="yes", text="כן"), "כן"),
        (MediaContent(kind="image", media_type="image/jpeg", caption="כזה"), "[picture] כזה"),
        (MediaContent(kind="audio", media_type="audio/ogg", voice=True), "[voice message]"),
        (MediaContent(kind="document", media_type="application/pdf", file_name="a.pdf"), "[document: a.pdf]"),
        (
            MediaContent(kind="video", media_type="video/mp4", missing="too large"),
            "[video (could not be received: too large)]",
        ),
        (LocationContent(latitude=32.08, longitude=34.78), "[location (32.08000, 34.78000)]"),
        (
            LocationContent(latitude=32.08, longitude=34.78, name="Ron", address="Dizengoff 1"),
            "[location: Ron, Dizengoff 1 (32.08000, 34.78000)]",
        ),
        (
            ContactsContent(contacts=(ContactCard(name="Dana", vcard=""), ContactCard(name="Noam", vcard=""))),
            "[contacts: Dana, Noam]",
        ),
        (ReactionContent(target_id=MessageId("M1"), target_from_me=True, emoji="👍"), "[reaction: 👍]"),
        (ReactionContent(target_id=MessageId("M1"), target_from_me=True, emoji=""), "[reaction withdrawn]"),
        (EditContent(target_id=MessageId("M1"), text="11:00"), "[an earlier message was changed to: 11:00]"),
        (DeletionContent(target_id=MessageId("M1")), "[an earlier message was deleted]"),
        (UnsupportedContent(what="pollCreationMessage"), "[pollCreationMessage]"),
    ],
)
def test_a_content_in_words(content: Content, words: str) -> None:
    assert in_words(content) == words
