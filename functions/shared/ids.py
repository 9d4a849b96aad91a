"""New identifiers, and what is derived from one."""

from __future__ import annotations

import secrets
import zlib

from functions.shared.contracts import ConversationId, MessageId

SWEEP_SHARDS = 8
"""Partitions of the sweep index: one partition would take every write of every conversation."""


def new_conversation_id() -> ConversationId:
    """Opaque and random: an id made from a phone number would leak it into every log line."""
    return ConversationId(f"c{secrets.token_hex(10)}")


def new_message_id() -> MessageId:
    """An id like those of WhatsApp Web: another shape would give away that the client is not one of WhatsApp's own."""
    return MessageId(f"3EB0{secrets.token_hex(9).upper()}")


def new_turn_id() -> str:
    return f"t{secrets.token_hex(10)}"


def sweep_shard(conversation_id: str) -> int:
    """Partition of the sweep index for a conversation, 0 .. SWEEP_SHARDS - 1."""
    return zlib.crc32(conversation_id.encode()) % SWEEP_SHARDS
