"""What one message changes in its conversation, as the items of one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared import ids
from functions.shared.amendments import needs_no_answer, unread_of
from functions.shared.audience import answers_whom_owner_wrote_first
from functions.shared.contracts import (
    ChoiceContent,
    ContactsContent,
    EditContent,
    LocationContent,
    MediaContent,
    MessageReceived,
    TextContent,
)
from functions.shared.conversation import Author, assistant_may_speak
from functions.shared.keys import CONVERSATION, CUSTOMER, LEAD, chat_key, conversation_pk, id_sk, message_sk
from functions.shared.tables import (
    ChatItem,
    ConversationItem,
    CustomerItem,
    IdItem,
    LeadItem,
    MessageItem,
    not_exists,
)
from functions.shared.takeover import overtake, taken_over
from functions.shared.transactions import LabelledWrite
from functions.webhook import merging, names
from functions.webhook.chats import ChatState
from functions.webhook.merging import Gates

SWEEP_DELAY_MS = 60_000
"""How long a message may wait for its turn before the sweeper rings: debounce, agent and a retry fit into it."""


def author_of(event: MessageReceived, automatic_texts: Sequence[str]) -> Author:
    """Who wrote. Greeting and away texts of WhatsApp Business look exactly like the owner; only the profile tells."""
    if not event.from_me:
        return "customer"
    if isinstance(event.content, TextContent):
        text = event.content.text.strip()
        if any(text == known.strip() for known in automatic_texts):
            return "automatic"
    return "owner"


def takes_over(event: MessageReceived, author: Author) -> bool:
    """Whether the owner has answered with this: not with a mark on a message, nor by correcting one."""
    if author != "owner":
        return False
    # A word of the owner's that could not be read is a word all the same.
    unread = unread_of(event.message_id, event.content) is not None
    return unread or not (isinstance(event.content, EditContent) or needs_no_answer(event.content))


@dataclass(frozen=True)
class Draft:
    """A new message: number `seq` of its conversation, if nobody takes that number first."""

    state: ChatState
    event: MessageReceived
    author: Author
    now_ms: int
    seq: int
    handled_seq: int
    """Of the conversation, once the message is in it."""
    waits_for_assistant: bool
    """Whether a turn must follow, and a doorbell."""
    takes_over: bool
    """The owner has answered: the assistant is silent for a while."""
    silent: bool
    """Asks for no answer and gives none: done if nothing waits, and what waited still waits."""

    @classmethod
    def of(cls, state: ChatState, event: MessageReceived, author: Author, now_ms: int) -> Self:
        """Decide what the message changes, given the chat as it was read."""
        last, handled = (
            (0, 0) if state.conversation is None else (state.conversation.last_seq, state.conversation.handled_seq)
        )
        seq = last + 1
        # The owner has answered everything up to here.
        takes = takes_over(event, author)
        silent = not takes and (author != "customer" or needs_no_answer(event.content))
        done = takes or (silent and handled == last)
        speaks = assistant_may_speak(state.profile, state.conversation, now_ms)
        return cls(
            state=state,
            event=event,
            author=author,
            now_ms=now_ms,
            seq=seq,
            handled_seq=seq if done else handled,
            waits_for_assistant=speaks and not done,
            takes_over=takes,
            silent=silent,
        )

    @property
    def _pk(self) -> str:
        return conversation_pk(self.event.tenant_id, self.state.conversation_id)

    def write(self, transaction: LabelledWrite) -> None:
        """Add all items of the message. Their conditions say that the chat is still what was read."""
        with transaction.labelled("id"):
            item = IdItem(self._pk, id_sk(self.event.message_id), seq=self.seq)
            transaction.save(item, condition=not_exists(IdItem))
        with transaction.labelled("message"):
            transaction.save(self._message(), condition=not_exists(MessageItem))
        with transaction.labelled("conversation"):
            if self.state.conversation is None:
                transaction.save(self._created(), condition=not_exists(ConversationItem))
                pk, sk = chat_key(self.event.tenant_id, self.state.conversation_id)
                chat = ChatItem(pk, sk, conversation_id=self.state.conversation_id, created_at=self.now_ms)
                transaction.save(chat, condition=not_exists(ChatItem))
            else:
                conversation = self.state.conversation
                row = ConversationItem(self._pk, CONVERSATION)
                transaction.update(row, self._changes(conversation), condition=self._as_read(conversation))
        with transaction.labelled("names"):
            names.write_aliases(transaction, self.event.tenant_id, self.state)
        self._write_customer(transaction)
        self._write_others(transaction)

    def _message(self) -> MessageItem:
        return MessageItem(
            self._pk,
            message_sk(self.seq),
            seq=self.seq,
            message_id=self.event.message_id,
            author=self.author,
            content=self.event.content.to_json(),
            sent_at=self.event.sent_at,
            received_at=self.event.received_at,
            stored_at=self.now_ms,
            correlation_id=self.event.correlation_id,
            quoted=self.event.quoted.to_json() if self.event.quoted else None,
        )

    # ---- the conversation's counters

    def _created(self) -> ConversationItem:
        item = ConversationItem(
            self._pk,
            CONVERSATION,
            last_seq=self.seq,
            handled_seq=self.handled_seq,
            epoch=1 if self.takes_over else 0,
            ai_enabled=not self.takes_over
            or answers_whom_owner_wrote_first(self.state.profile.audience, book_known=self.state.book_known),
            created_at=self.now_ms,
        )
        if self.author == "customer":
            item.reply_jid = self.event.chat.jid
        if self.takes_over:
            item.paused_until = self._paused_until()
        if _carries_timer(self.event):
            item.disappearing_seconds = self.event.disappearing_seconds
        if self._unread_by_customer:
            item.needs_attention, item.needs_attention_at = self._unread_reason, self.now_ms
        if self.handled_seq < self.seq:
            item.pending_since = self.now_ms
            item.sweep_shard = ids.sweep_shard(self.state.conversation_id)
            item.sweep_at = self.now_ms + SWEEP_DELAY_MS
        return item

    def _changes(self, conversation: ConversationItem) -> list[Action]:
        changes: list[Action] = [ConversationItem.last_seq.set(self.seq)]
        if self.handled_seq != conversation.handled_seq:
            changes.append(ConversationItem.handled_seq.set(self.handled_seq))
        if self.author == "customer":
            changes.append(ConversationItem.reply_jid.set(self.event.chat.jid))
        changes += [*merging.merged_from(self.state), *self._timer(conversation), *self._attention(conversation)]
        changes += self._gates.changes(conversation)
        if self.takes_over:
            changes += taken_over()
        elif self.handled_seq < self.seq:
            changes += self._waiting(conversation)
        if not self.takes_over and (self._voids or self._gates.silence(conversation, self.now_ms)):
            changes.append(overtake())
        return changes

    def _timer(self, conversation: ConversationItem) -> list[Action]:
        seconds = self.event.disappearing_seconds
        if not _carries_timer(self.event) or seconds == conversation.disappearing_seconds:
            return []
        timer = ConversationItem.disappearing_seconds
        return [timer.remove() if seconds is None else timer.set(seconds)]

    @property
    def _unread_by_customer(self) -> bool:
        return self.author == "customer" and unread_of(self.event.message_id, self.event.content) is not None

    @property
    def _unread_reason(self) -> str:
        return f"a message could not be read; WhatsApp was asked for it again (id {self.event.correlation_id})"

    def _attention(self, conversation: ConversationItem) -> list[Action]:
        """A person is called for what could not be read, and let go once it comes."""
        calls, at = ConversationItem.needs_attention, ConversationItem.needs_attention_at
        if self._unread_by_customer and conversation.needs_attention is None:
            return [calls.set(self._unread_reason), at.set(self.now_ms)]
        came = not self._unread_by_customer and conversation.needs_attention == self._unread_reason
        return [calls.remove(), at.remove()] if came and not self.takes_over else []

    def _waiting(self, conversation: ConversationItem) -> list[Action]:
        nothing_waited = conversation.handled_seq == conversation.last_seq
        since: Action = ConversationItem.pending_since.set(
            self.now_ms if nothing_waited else ConversationItem.pending_since | self.now_ms
        )
        # In the index even while the assistant is silent: it may get the word back in this very moment. The sweeper, a
        # minute later, knows whether to ring, to wait for the pause's end, or to leave it to a person.
        return [
            since,
            ConversationItem.sweep_shard.set(ids.sweep_shard(self.state.conversation_id)),
            ConversationItem.sweep_at.set(self.now_ms + SWEEP_DELAY_MS),
        ]

    def _as_read(self, conversation: ConversationItem) -> Condition:
        condition: Condition = ConversationItem.last_seq == conversation.last_seq
        # Whoever pauses or frees the assistant raises it; the doorbell was decided upon before that.
        condition &= ConversationItem.epoch == conversation.epoch
        # A conversation that was merged meanwhile takes no more messages: their ids are looked for in the other one.
        condition &= ConversationItem.merged_into.does_not_exist()
        if self.silent:
            condition &= ConversationItem.handled_seq == conversation.handled_seq
        return condition

    def _paused_until(self) -> int | None:
        minutes = self.state.profile.takeover_pause_minutes
        if minutes == 0:
            return None
        # Counted from when the owner wrote: an event may have waited for hours in the gateway's journal.
        return min(self.event.sent_at, self.now_ms) + minutes * 60_000

    # ---- the people

    @property
    def _voids(self) -> bool:
        return names.voids(self.state, self.event.chat)

    def _write_customer(self, transaction: LabelledWrite) -> None:
        written = self.event.sent_at
        changes: list[Action] = [
            CustomerItem.first_contact.set(CustomerItem.first_contact | written),
            CustomerItem.last_contact.set(written),
        ]
        if self.event.sender_name and not self.event.from_me:
            changes.append(CustomerItem.name.set(self.event.sender_name))
        transaction.update(CustomerItem(self._pk, CUSTOMER), [*changes, *names.names(self.event.chat)])
        names.write_others(transaction, self.event.tenant_id, self.state, self.event.chat)
        first: list[Action] = [
            LeadItem.stage.set(LeadItem.stage | "new"),
            LeadItem.source.set(LeadItem.source | "whatsapp"),
        ]
        transaction.update(LeadItem(self._pk, LEAD), first)

    # ---- two conversations that are one

    @property
    def _gates(self) -> Gates:
        return Gates.joined(self.state, paused_until=self._paused_until() if self.takes_over else None)

    def _write_others(self, transaction: LabelledWrite) -> None:
        merging.write_others(
            transaction,
            self.event.tenant_id,
            self.state,
            self._gates,
            now_ms=self.now_ms,
            void=self._voids,
            answered=self.takes_over,
        )


def _carries_timer(event: MessageReceived) -> bool:
    """WhatsApp says the chat's timer beside whatever is said, and beside nothing else."""
    said = TextContent | MediaContent | LocationContent | ContactsContent | ChoiceContent
    return isinstance(event.content, said)
