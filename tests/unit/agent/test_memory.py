"""What is remembered: whole turns, within a budget, in a plain form."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.agent.memory import history
from functions.agent.memory.tokens import tokens
from functions.shared.contracts import MessageId, TextContent, UnsupportedContent
from functions.shared.conversation import Author, Message, PastTurn, TurnId


def turn(lo: int, items: list[Any], hi: int | None = None) -> PastTurn:
    return PastTurn(lo, hi or lo, TurnId(f"t{lo}"), items, [], {}, 0, 0)


def message(seq: int, text: str, author: Author = "customer") -> Message:
    return Message(seq, MessageId(f"M{seq}"), author, TextContent(text=text), 0, 0, 0, "c")


def pair(call_id: str, output: str = "{}") -> list[dict[str, str]]:
    return [
        {"type": "function_call", "call_id": call_id, "name": "find_free_slots", "arguments": "{}"},
        {"type": "function_call_output", "call_id": call_id, "output": output},
    ]


words = st.text(min_size=1, max_size=200)
turns_of_a_chat = st.lists(st.tuples(words, st.lists(words, max_size=4), words), max_size=15).map(
    lambda raw: [
        turn(
            number,
            [
                {"role": "user", "content": asked},
                *(item for i, output in enumerate(outputs) for item in pair(f"c{number}-{i}", output)),
                {"role": "assistant", "content": said},
            ],
        )
        for number, (asked, outputs, said) in enumerate(raw, start=1)
    ]
)


@given(
    turns=turns_of_a_chat,
    max_items=st.integers(min_value=0, max_value=40),
    max_tokens=st.integers(min_value=0, max_value=1_000),
)
def test_no_call_is_ever_remembered_without_its_output_and_no_budget_is_exceeded(
    turns: list[PastTurn], max_items: int, max_tokens: int
) -> None:
    items: list[Any] = history.recall(turns, [], max_items=max_items, max_tokens=max_tokens)
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    assert calls == outputs
    assert len(items) <= max_items
    assert sum(tokens(str(value)) for item in items for value in item.values()) <= max_tokens


@given(turns=turns_of_a_chat)
def test_with_room_for_all_everything_is_remembered_in_order(turns: list[PastTurn]) -> None:
    everything = [item for one in turns for item in one.items]
    assert history.recall(turns, [], max_items=10_000, max_tokens=1_000_000) == everything


def test_the_newest_turns_are_kept_when_not_all_fit() -> None:
    turns = [turn(n, [{"role": "user", "content": f"question {n}"}]) for n in range(1, 30)]
    recalled: list[Any] = history.recall(turns, [], max_items=2)
    assert [item["content"] for item in recalled] == ["question 28", "question 29"]


def test_a_turn_too_big_for_the_budget_leaves_its_words_and_no_half_of_its_calls() -> None:
    big = [{"role": "user", "content": "free?"}, *pair("c1", "x" * 5_000), {"role": "assistant", "content": "At ten."}]
    recalled: list[Any] = history.recall([turn(1, big)], [], max_tokens=300)
    assert [item["content"] for item in recalled] == ["free?", "At ten."]


def test_what_a_person_answered_is_remembered_and_automatic_greetings_are_not() -> None:
    turns = [turn(1, [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello!"}]), turn(5, [])]
    messages = [
        message(1, "hi"),
        message(2, "is Ron there?"),
        message(3, "Ron here, come at four.", "owner"),
        message(4, "We will be back soon", "automatic"),
        message(5, "nobody could answer this"),
    ]
    recalled: list[Any] = history.recall(turns, messages)
    assert [(item["role"], item["content"]) for item in recalled] == [
        ("user", "hi"),
        ("assistant", "Hello!"),
        ("user", "is Ron there?"),
        ("assistant", "Ron here, come at four."),
        ("user", "nobody could answer this"),
    ]


def test_pictures_thoughts_and_a_servers_ids_are_not_kept() -> None:
    items = [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "this cut"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Nice."}],
        },
    ]
    assert history.plain(items) == [
        {"role": "user", "content": "this cut\n[input_image]"},
        {"role": "assistant", "content": "Nice."},
    ]


def test_half_a_pair_is_dropped() -> None:
    call, output = pair("c1")
    assert history.plain([call]) == []
    assert history.plain([output]) == []
    assert history.plain([call, output]) == [call, output]


def test_something_unreadable_leaves_its_kind() -> None:
    picture = Message(1, MessageId("M"), "customer", UnsupportedContent(what="imageMessage"), 0, 0, 0, "c")
    assert history.user_items([picture]) == [{"role": "user", "content": "You cannot see it: [imageMessage]"}]
