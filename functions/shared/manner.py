"""How a message goes out, besides what it says: what makes it look like a person's, as in SendCommand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from functions.shared.contracts import MessageId, MessageIdField, Milliseconds, Quoted, Wire
from functions.shared.conversation import Message

MAX_ANSWERS = 50
"""The contract's bound; who writes more in one burst sees the newest ones marked as read."""


class Manner(Wire):
    """The part of a command that is neither its address nor its content. Fields as in SendCommand."""

    quoted: Quoted | None = None
    disappearing_seconds: Annotated[int, Field(ge=1)] | None = None
    answers: Annotated[tuple[MessageIdField, ...], Field(max_length=MAX_ANSWERS)] = ()
    answered_at: Milliseconds | None = None

    def answering(self, messages: Iterable[Message]) -> Manner:
        """The same for an answer to the customer's among `messages`."""
        theirs = [message for message in messages if message.author == "customer"][-MAX_ANSWERS:]
        answers: tuple[MessageId, ...] = tuple(message.message_id for message in theirs)
        newest = max((message.sent_at for message in theirs), default=None)
        return self.model_copy(update={"answers": answers, "answered_at": newest})

    def of_part(self, part: int) -> Manner:
        """Of reply number `part`. Only the first one has been waited for; a later one is typed when that is out."""
        return self if part == 0 else Manner(disappearing_seconds=self.disappearing_seconds)


PLAIN = Manner()
"""Nothing quoted, nothing to mark as read, no timer."""
