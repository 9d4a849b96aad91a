"""Whom the assistant answers, as far as the business's `audience` decides it (profile_parts.Audience). Pure.

`everyone` and `nobody` say it themselves. `new_chats` is decided once, when a chat begins. `unsaved_contacts` is
decided at every turn, by the phone's address book; until that has come, it decides as `new_chats` does.
"""

from __future__ import annotations


def leaves_to_owner(audience: str | None, *, saved: bool) -> bool:
    """Whether a person is the owner's alone to answer. `saved`: the phone's address book is known to hold them."""
    return saved and audience == "unsaved_contacts"


def answers_whom_owner_wrote_first(audience: str | None, *, book_known: bool) -> bool:
    """Whether the assistant may answer in a chat that the owner began; if not, it is the owner's own for good."""
    return audience == "everyone" or (audience == "unsaved_contacts" and book_known)
