"""JSON that fits into a row: long texts are cut, with a mark, the longest first. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

MARK = " […]"
_SHORTEST = 40
"""Texts are not cut below this; whole values are left out instead, the newest ones first."""


def size(value: JsonValue) -> int:
    """Bytes of `value` as it is stored."""
    return len(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


def bounded(values: Sequence[JsonValue], limit: int) -> list[JsonValue]:
    """`values` in at most `limit` bytes of JSON: unchanged if they fit."""
    found = list(values)
    if size(found) <= limit:
        return found
    low, high = _SHORTEST, max((len(text) for value in found for text in _texts(value)), default=_SHORTEST)
    while low < high:  # the most characters of one text with which everything fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size([_cut(value, middle) for value in found]) <= limit else (low, middle - 1)
    cut = [_cut(value, low) for value in found]
    while cut and size(cut) > limit:
        cut.pop()
    return cut


def shortened(text: str, characters: int) -> str:
    """`text` in at most `characters`, cut with a mark."""
    return text if len(text) <= characters else f"{text[: max(0, characters - len(MARK))]}{MARK}"


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)


def _cut(value: JsonValue, characters: int) -> JsonValue:
    if isinstance(value, str):
        return shortened(value, characters)
    if isinstance(value, Mapping):
        return {key: _cut_field(key, inner, characters) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_cut(inner, characters) for inner in value]
    return value


def _cut_field(key: str, value: JsonValue, characters: int) -> JsonValue:
    # Model servers parse the arguments of old calls: half of a JSON text would be refused.
    if key == "arguments" and isinstance(value, str) and len(value) > characters:
        return "{}"
    return _cut(value, characters)
