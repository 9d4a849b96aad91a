"""Edits, deletions, and messages that came a second time: what a stretch of messages says once all that is applied.

Nothing is changed in the table. Each edit and each deletion is a message of its own with a number of its own, so none
can be lost between a turn that has read the old words and its commit: what that turn did not see, the next one does.
Pure; the order of arrival does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from functions.shared.contracts import (
    Content,
    DeletionContent,
    EditContent,
    MediaContent,
    ReactionContent,
    TextContent,
    UnsupportedContent,
)
from functions.shared.conversation import Message

UNDECRYPTABLE = "undecryptable"
"""A message that could not be read; it is asked for again and then comes under its own id."""
_UNREAD_SUFFIX = f".{UNDECRYPTABLE}"
_SILENT_KINDS = frozenset(
    {UNDECRYPTABLE, "albumMessage", "pinInChatMessage", "keepInChatMessage", "encReactionMessage", "pollUpdateMessage"}
)
"""WhatsApp's names of what needs no answer: a frame around pictures that come by themselves, marks on messages."""


def needs_no_answer(content: Content) -> bool:
    """Whether a message of this content, alone, starts no turn."""
    if isinstance(content, UnsupportedContent):
        return content.what in _SILENT_KINDS
    return isinstance(content, ReactionContent | DeletionContent)


def unread_of(message_id: str, content: Content) -> str | None:
    """The id under which a message that could not be read will come, given the note of it; None for anything else."""
    if not isinstance(content, UnsupportedContent) or content.what != UNDECRYPTABLE:
        return None
    return message_id.removesuffix(_UNREAD_SUFFIX)


def amended(messages: Sequence[Message], *, handled: Iterable[Message] = ()) -> list[Message]:
    """`messages` (one turn's, in order) as they read now; `handled` came before them and is done with.

    An edit among them replaces the words of its message, a deletion removes it, both vanish themselves. One whose
    message was handled stays, as an event. A message whose edit or deletion was handled already is old news.
    Only who wrote a message can change it.
    """
    earlier = list(handled)
    present = {_own_key(message) for message in messages}
    told = _newest(earlier)
    known = present | {_own_key(message) for message in earlier}
    # A change that is older than one already told says nothing: it only came late.
    newest = {
        key: change
        for key, change in _newest(messages).items()
        if key not in told or _weight(change) > _weight(told[key])
    }
    result: list[Message] = []
    for message in messages:
        target = _target(message)
        original = unread_of(message.message_id, message.content)
        if target is not None:
            if target not in present and newest.get(target) is message:
                result.append(message)
        elif original is not None and (_side(message), original) in known:
            continue
        elif (change := newest.get(_own_key(message))) is not None:
            if isinstance(change.content, EditContent):
                result.append(replace(message, content=_reworded(message.content, change.content.text)))
        elif _own_key(message) not in told:
            result.append(message)
    return result


def change_of(message: Message, among: Iterable[Message]) -> Message | None:
    """The edit or deletion among those that counts for `message`; None if nobody changed it."""
    return _newest(among).get(_own_key(message))


def is_change(message: Message) -> bool:
    """Whether it only says something about another message."""
    return _target(message) is not None


_Key = tuple[str, str]


def _side(message: Message) -> str:
    return "customer" if message.author == "customer" else "business"


def _own_key(message: Message) -> _Key:
    return _side(message), message.message_id


def _target(message: Message) -> _Key | None:
    """What an edit or a deletion is about."""
    content = message.content
    return (_side(message), content.target_id) if isinstance(content, EditContent | DeletionContent) else None


def _newest(messages: Iterable[Message]) -> dict[_Key, Message]:
    """The change of each target that counts: a deletion is final, of edits the one written last."""
    found: dict[_Key, Message] = {}
    for message in messages:
        target = _target(message)
        if target is not None and (target not in found or _weight(message) >= _weight(found[target])):
            found[target] = message
    return found


def _weight(message: Message) -> tuple[bool, int, int]:
    return isinstance(message.content, DeletionContent), message.sent_at, message.seq


def _reworded(content: Content, text: str) -> Content:
    return content.model_copy(update={"caption": text}) if isinstance(content, MediaContent) else TextContent(text=text)
