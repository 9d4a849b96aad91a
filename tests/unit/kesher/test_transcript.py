"""What `kesher chat show` shows of a conversation in which messages were edited and deleted."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from rich.console import Console

from functions.shared.amendments import amended
from functions.shared.contracts import Content, DeletionContent, EditContent, MessageId, TextContent
from functions.shared.conversation import Author, Message, PastTurn, TurnId
from functions.shared.words import in_words
from kesher import chats
from kesher.transcript import Line, transcript


def chat(*contents: Content | str, owner: tuple[int, ...] = ()) -> list[Message]:
    """Messages 1, 2, ... with the ids M1, M2, ...; those in `owner` are a person's."""
    found = []
    for seq, content in enumerate(contents, 1):
        author: Author = "owner" if seq in owner else "customer"
        said = TextContent(text=content) if isinstance(content, str) else content
        found.append(Message(seq, MessageId(f"M{seq}"), author, said, seq, seq, seq, "c"))
    return found


def turn(lo: int, hi: int, answer: str = "answer") -> PastTurn:
    items: list[JsonValue] = [{"role": "assistant", "content": answer}]
    return PastTurn(lo, hi, TurnId(f"t{hi}"), items, [], {}, hi, hi, outcome="answered")


def edit(number: int, text: str) -> EditContent:
    return EditContent(target_id=MessageId(f"M{number}"), text=text)


def deletion(number: int) -> DeletionContent:
    return DeletionContent(target_id=MessageId(f"M{number}"))


def shown(messages: list[Message], *turns: PastTurn) -> list[tuple[str, str | None, str | None]]:
    return [(line.text, line.mark, line.original) for line in transcript(messages, turns) if line.who != "assistant"]


def test_a_message_stands_as_its_turn_saw_it_with_its_first_words_kept() -> None:
    messages = chat("tomorrow at 10", "and your prices?", edit(1, "tomorrow at 11"), deletion(2))
    expected = [("tomorrow at 11", "edited", "tomorrow at 10"), ("", "deleted", "and your prices?")]
    assert shown(messages, turn(1, 4)) == expected
    assert shown(messages) == expected, "while it waits, too"


def test_what_was_changed_after_its_turn_keeps_its_words_and_the_change_is_an_event() -> None:
    messages = chat("tomorrow at 10", edit(1, "tomorrow at 11"), "ok", deletion(3))
    assert shown(messages, turn(1, 1), turn(2, 2), turn(3, 3), turn(4, 4)) == [
        ("tomorrow at 10", "edited later", None),
        ("[an earlier message was changed to: tomorrow at 11]", None, None),
        ("ok", "deleted later", None),
        ("[an earlier message was deleted]", None, None),
    ]


def test_what_a_person_had_answered_counts_as_seen() -> None:
    messages = chat("at 10?", "yes", edit(1, "at 11?"), owner=(2,))
    assert shown(messages)[0] == ("at 10?", "edited later", None)
    assert shown(messages)[2][0] == "[an earlier message was changed to: at 11?]"


def test_nobody_changes_anothers_message() -> None:
    messages = chat("at 10?", edit(1, "never"), owner=(2,))
    assert shown(messages)[0] == ("at 10?", None, None)


CONTENTS = st.one_of(
    st.sampled_from(["one", "two"]),
    st.builds(edit, st.integers(1, 8), st.sampled_from(["x", "y"])),
    st.builds(deletion, st.integers(1, 8)),
)


@given(st.lists(CONTENTS, min_size=1, max_size=8), st.lists(st.booleans(), min_size=8, max_size=8))
def test_what_is_shown_of_a_turn_is_what_it_saw_and_no_message_is_lost(
    contents: list[Content | str], ends: list[bool]
) -> None:
    messages = chat(*contents)
    cuts = [0, *(seq for seq in range(1, len(messages)) if ends[seq]), len(messages)]
    turns = [turn(lo + 1, hi) for lo, hi in pairwise(cuts)]
    lines = shown(messages, *turns)
    seen = [
        in_words(message.content)
        for one in turns
        for message in amended(messages[one.lo - 1 : one.hi], handled=messages[: one.lo - 1])
    ]
    assert [text for text, mark, _ in lines if mark != "deleted"] == seen
    said = sorted(text for text in contents if isinstance(text, str))
    kept = sorted(original or text for text, _, original in lines if (original or text) in ("one", "two"))
    assert kept == said


def test_the_lines_of_what_a_message_said_at_first_stay_lines() -> None:
    line = Line(1, "customer", "never mind", "", "edited", "Tuesday at 10\nor Wednesday")
    assert chats.said(line).plain == "never mind\n(edited: Tuesday at 10\nor Wednesday)"


@pytest.mark.parametrize(("text", "was"), [("מחר ב-11", "מחר ב-10"), ("tomorrow at 11", "מחר ב-10")])
def test_each_direction_has_a_line_of_its_own(text: str, was: str) -> None:
    file = io.StringIO()
    Console(file=file, width=100).print(chats.said(Line(1, "customer", text, "", "edited", was)))
    first, second = file.getvalue().rstrip().split("\n")
    assert first.strip("\u2068\u2069") == text
    assert second == f"(edited: \u2068{was}\u2069)"
