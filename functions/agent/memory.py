"""What the model remembers of a conversation, within a budget.

A turn is remembered whole or not at all: a tool call without its output, or the other way round, is refused by model
servers. Items are kept in a plain form of their own, so that the model and its server can change between turns: no
ids of a server that stored nothing, no thoughts, no pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from agents import TResponseInputItem
from pydantic import JsonValue

from functions.shared.contracts import MediaContent, UnsupportedContent
from functions.shared.conversation import Message, PastTurn
from functions.shared.words import in_words

MAX_TURNS = 20
"""Turns read from the table; each has one item there."""
MAX_ITEMS = 80
MAX_CHARACTERS = 24_000
"""About 6,000 tokens of English, 12,000 of Hebrew."""

NOT_READABLE = "You cannot see it: "


def user_items(messages: Iterable[Message]) -> list[dict[str, JsonValue]]:
    """Messages of a customer (and a person's replies to them) as items of the history."""
    return [
        {"role": "user" if message.author == "customer" else "assistant", "content": text_of(message)}
        for message in messages
        if message.author != "automatic"
    ]


def text_of(message: Message) -> str:
    """The text that stands for a message in the history."""
    words = in_words(message.content)
    unseen = isinstance(message.content, MediaContent | UnsupportedContent)
    return f"{NOT_READABLE}{words}" if unseen else words


def as_input(history: Sequence[TResponseInputItem], asked: Sequence[dict[str, JsonValue]]) -> list[TResponseInputItem]:
    """History, then what is asked now, as the SDK takes it."""
    return [*history, *(cast("TResponseInputItem", item) for item in asked)]


def recall(
    turns: Sequence[PastTurn],
    messages: Sequence[Message],
    *,
    max_items: int = MAX_ITEMS,
    max_characters: int = MAX_CHARACTERS,
) -> list[TResponseInputItem]:
    """The newest history that fits, oldest first.

    `messages` are those of the same stretch; the ones that no turn answered, because a person did, are remembered too.
    """
    blocks = sorted([(turn.lo, _turn_items(turn)) for turn in turns if turn.items], key=lambda block: block[0])
    covered = [(turn.lo, turn.hi) for turn in turns if turn.items]
    by_a_person = [m for m in messages if not any(lo <= m.seq <= hi for lo, hi in covered)]
    blocks += [(message.seq, user_items([message])) for message in by_a_person]
    blocks.sort(key=lambda block: block[0])
    chosen: list[list[dict[str, JsonValue]]] = []
    items = characters = 0
    for _, block in reversed(blocks):
        fitting = block
        if items + len(block) > max_items or characters + _size(block) > max_characters:
            fitting = _only_words(block)
        items, characters = items + len(fitting), characters + _size(fitting)
        if items > max_items or characters > max_characters:
            break
        chosen.append(fitting)
    return [cast("TResponseInputItem", item) for block in reversed(chosen) for item in block]


def plain(items: Iterable[object]) -> list[dict[str, JsonValue]]:
    """Items of the SDK as they are stored: messages, tool calls with their outputs, and nothing else.

    A call whose output is not among the items is left out, and an output without its call.
    """
    found = [kept for item in items if isinstance(item, Mapping) and (kept := _plain_item(item))]
    called = {item["call_id"] for item in found if item.get("type") == "function_call"}
    answered = {item["call_id"] for item in found if item.get("type") == "function_call_output"}
    paired = called & answered
    return [item for item in found if "call_id" not in item or item["call_id"] in paired]


def _plain_item(item: Mapping[str, Any]) -> dict[str, JsonValue] | None:
    kind = item.get("type", "message")
    if kind == "function_call":
        return {key: item[key] for key in ("type", "call_id", "name", "arguments")}
    if kind == "function_call_output":
        return {"type": kind, "call_id": item["call_id"], "output": _words(item.get("output"))}
    if kind == "message" and item.get("role") in ("user", "assistant"):
        return {"role": item["role"], "content": _words(item.get("content"))}
    return None


def _words(content: object) -> str:
    """The text of a message or an output; pictures and files leave only their mark."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    parts = [part for part in content if isinstance(part, Mapping)]
    return "\n".join(str(part["text"]) if "text" in part else f"[{part.get('type', 'attachment')}]" for part in parts)


def _turn_items(turn: PastTurn) -> list[dict[str, JsonValue]]:
    return plain(turn.items)


def _only_words(block: Sequence[dict[str, JsonValue]]) -> list[dict[str, JsonValue]]:
    """What was said in a turn, without the tool calls: both halves of every pair go."""
    return [item for item in block if "call_id" not in item]


def _size(block: Sequence[Mapping[str, JsonValue]]) -> int:
    return sum(len(str(value)) for item in block for value in item.values())
