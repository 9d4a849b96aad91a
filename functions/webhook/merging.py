"""Two conversations that turn out to be one person's: the earlier one goes on, and the later ones lead to it.

A person's word holds for the customer, not for one of their names: whoever opted out, or is paused or switched off in
one of the conversations, is so in all of them from the transaction on that joins them. A message may join them, or a
mere receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared.contracts import TenantId
from functions.shared.conversation import may_speak
from functions.shared.keys import CONVERSATION, conversation_pk
from functions.shared.tables import ConversationItem
from functions.shared.takeover import overtake, taken_over
from functions.shared.transactions import LabelledWrite
from functions.webhook.chats import ChatState


@dataclass(frozen=True, slots=True)
class Gates:
    """What silences the assistant in a conversation. Times in Unix milliseconds."""

    ai_enabled: bool
    paused_until: int | None
    opted_out_at: int | None

    @classmethod
    def joined(cls, state: ChatState, *, paused_until: int | None = None) -> Self:
        """Those of all conversations that are one now, and of a pause that begins with it.

        Not of those that were merged before: theirs were joined then, and a person may have opened them since.
        """
        items = [*([state.conversation] if state.conversation else []), *state.to_merge.values()]
        return cls(
            ai_enabled=all(item.ai_enabled for item in items),
            paused_until=_latest(paused_until, *(item.paused_until for item in items)),
            opted_out_at=_latest(*(item.opted_out_at for item in items)),
        )

    def changes(self, item: ConversationItem) -> list[Action]:
        """What closes these gates in a conversation as it was read."""
        changes: list[Action] = []
        if item.ai_enabled and not self.ai_enabled:
            changes.append(ConversationItem.ai_enabled.set(False))
        if self.paused_until != item.paused_until:
            changes.append(ConversationItem.paused_until.set(self.paused_until))
        if self._opts_out(item):
            changes.append(ConversationItem.opted_out_at.set(self.opted_out_at))
        return changes

    def silence(self, item: ConversationItem, now_ms: int) -> bool:
        """Whether they close on what may be under way in a conversation.

        Where the assistant was silent already, the epoch must stay: its last words ("a person will answer") may wait.
        """
        spoke = may_speak(True, item.ai_enabled, item.paused_until, now_ms)
        return self._opts_out(item) or (spoke and not may_speak(True, self.ai_enabled, self.paused_until, now_ms))

    def _opts_out(self, item: ConversationItem) -> bool:
        return item.opted_out_at is None and self.opted_out_at is not None


def merged_from(state: ChatState) -> list[Action]:
    """Of the conversation that goes on: which ones it takes in."""
    if state.conversation is None or not state.to_merge:
        return []
    return [ConversationItem.merged_from.set(sorted({*(state.conversation.merged_from or []), *state.to_merge}))]


def write_others(
    transaction: LabelledWrite,
    tenant_id: TenantId,
    state: ChatState,
    gates: Gates,
    *,
    now_ms: int,
    void: bool,
    answered: bool = False,
) -> None:
    """The other conversations of the same person: led here if they are not yet.

    `void`: what was begun for this person is (`names.voids`); `answered`: the owner has, whatever waits.
    """
    for other, item in {**state.to_merge, **state.merged}.items():
        changes: list[Action] = []
        condition: Condition = ConversationItem.last_seq == item.last_seq
        silenced = void
        if other in state.to_merge:
            changes += [ConversationItem.merged_into.set(state.conversation_id), *gates.changes(item)]
            silenced = void or gates.silence(item, now_ms)
            # Whoever closes a gate raises the epoch; an opt-in moves `handled_seq` alone.
            condition &= ConversationItem.merged_into.does_not_exist() & (ConversationItem.epoch == item.epoch)
            condition &= ConversationItem.handled_seq == item.handled_seq
        if answered:
            changes += [ConversationItem.handled_seq.set(item.last_seq), *taken_over()]
        elif silenced:
            changes.append(overtake())
        if changes:
            with transaction.labelled("merge"):
                row = ConversationItem(conversation_pk(tenant_id, other), CONVERSATION)
                transaction.update(row, changes, condition=condition)


def _latest(*times: int | None) -> int | None:
    return max((at for at in times if at is not None), default=None)
