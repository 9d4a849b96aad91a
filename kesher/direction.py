"""Right-to-left text beside left-to-right text, on a terminal."""

from __future__ import annotations

import unicodedata

from rich.text import Text


def isolated(text: str, style: str = "") -> Text:
    """A line between Unicode's FIRST STRONG ISOLATE and its end, if it holds right-to-left text.

    A terminal then orders it by itself, whatever stands before it.
    """
    right_to_left = any(unicodedata.bidirectional(character) in {"R", "AL"} for character in text)
    return Text(f"\u2068{text}\u2069" if right_to_left else text, style)
