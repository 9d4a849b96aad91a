"""What the assistant did and why: a conversation's turns as lines. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from functions.shared.bounded import shortened
from functions.shared.conversation import PastTurn

SHOWN = 300
"""Characters of one argument list or result."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One turn; `at` in Unix milliseconds."""

    at: int
    headline: str
    lines: tuple[str, ...]


def entry(turn: PastTurn, *, whole: bool = False) -> Entry:
    """What turn `turn` saw, did and cost; `whole`: nothing shortened."""
    return Entry(turn.committed_at, _headline(turn), tuple(_lines(turn, None if whole else SHOWN)))


def _headline(turn: PastTurn) -> str:
    messages = f"message {turn.hi}" if turn.lo == turn.hi else f"messages {turn.lo} to {turn.hi}"
    parts = [f"{messages}: {turn.outcome or 'answered'}"]
    if turn.intent:
        parts.append(f"intent {turn.intent}")
    if turn.reason:
        parts.append(turn.reason)
    return ", ".join(parts)


def _lines(turn: PastTurn, limit: int | None) -> Iterator[str]:
    yield f"turn {turn.turn_id}"
    saw = turn.saw
    if saw.get("model"):
        hashed = str(saw.get("instructions_sha256", ""))[:12]
        yield f"model {saw['model']}, configuration {saw.get('config_version')}, instructions {hashed}"
    if saw.get("fallback_from"):
        yield f"instead of {saw['fallback_from']}: {saw.get('fallback_because')}"
    if saw.get("messages"):
        yield f"WhatsApp's ids: {', '.join(str(one) for one in _list(saw['messages']))}"
    if saw.get("moment"):
        yield f"told for this turn: {_short(' / '.join(str(saw['moment']).splitlines()), limit)}"
    for call in turn.tools:
        if isinstance(call, Mapping):
            yield _call(call, limit)
    if turn.usage:
        yield _usage(turn.usage)
    if turn.summary:
        yield f"notes up to message {turn.summary.upto}: {_short(turn.summary.text, limit)}"


def _call(call: Mapping[str, JsonValue], limit: int | None) -> str:
    took = f" in {call['ms']} ms" if call.get("ms") is not None else ""
    return f"{call.get('name')}({_short(call.get('arguments'), limit)}) -> {_short(call.get('result'), limit)}{took}"


def _usage(usage: Mapping[str, JsonValue]) -> str:
    parts = [
        f"{usage.get('requests', 0)} requests",
        f"{usage.get('retries', 0)} of them repeated",
        f"{usage.get('input_tokens', 0)} tokens in ({usage.get('cached_tokens', 0)} cached)",
        f"{usage.get('output_tokens', 0)} out",
    ]
    if "ms" in usage:
        parts.append(f"{usage['ms']} ms, the model {usage.get('model_ms')} ms")
    return ", ".join(parts)


def _short(value: JsonValue, limit: int | None) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if limit is None else shortened(text, limit)


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]
