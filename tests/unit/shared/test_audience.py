"""Whom the audience leaves to the owner."""

from __future__ import annotations

import pytest

from functions.shared.audience import answers_whom_owner_wrote_first, leaves_to_owner


@pytest.mark.parametrize("audience", ["new_chats", "unsaved_contacts", "everyone", "nobody", None])
def test_only_unsaved_contacts_looks_at_the_address_book(audience: str | None) -> None:
    assert leaves_to_owner(audience, saved=True) == (audience == "unsaved_contacts")
    assert not leaves_to_owner(audience, saved=False)


@pytest.mark.parametrize(
    ("audience", "book_known", "answered"),
    [
        ("new_chats", True, False),
        ("unsaved_contacts", False, False),
        ("unsaved_contacts", True, True),
        ("everyone", False, True),
        (None, True, False),
    ],
)
def test_a_chat_that_the_owner_began(audience: str | None, book_known: bool, answered: bool) -> None:
    assert answers_whom_owner_wrote_first(audience, book_known=book_known) == answered
