"""Messages that wait for their time: reminders of appointments, follow-ups, notices for the owner.

They are rows of their own and no outbox rows: nothing passes an unfinished row, so one that waits until tomorrow would
hold up today's answers. A turn's commit writes them as effects; when one is due, promote.py decides about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.transactions import TransactWrite

from functions.shared import ids
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.keys import SCHEDULED_PREFIX, conversation_pk, scheduled_sk
from functions.shared.owners import told
from functions.shared.profile import BusinessProfile
from functions.shared.tables import ScheduledItem

FORGET_AFTER_MS = 30 * 86_400_000
NOTICE_USEFUL_MS = 5 * 86_400_000
"""Longer than any quiet that follows on quiet: holidays and a Sabbath."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """Of one appointment at one time (Unix milliseconds); if it is not there any more, nobody is reminded of it."""

    booking_id: str
    start: int


@dataclass(frozen=True, slots=True)
class FollowUp:
    """To a customer who has not written since message `after_seq`."""

    after_seq: int


@dataclass(frozen=True, slots=True)
class Notice:
    """To the owner; `number` is E.164. An urgent one knows no quiet hours."""

    number: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A message that waits. Times in Unix milliseconds."""

    tenant_id: TenantId
    conversation_id: ConversationId
    """The customer's that it is about; every message but a notice goes there."""
    name: str
    """Unique in the conversation: scheduling the same name again replaces what waits under it."""
    due_at: int
    useful_until: int
    text: str
    about: str
    """What it is about, for the owner, in the owner's language."""
    what: Reminder | FollowUp | Notice


@dataclass(frozen=True, slots=True)
class Schedule:
    """Effect: these messages wait from now on."""

    messages: Sequence[Scheduled]

    @property
    def name(self) -> str:
        return f"schedule {', '.join(message.name for message in self.messages)}"

    @property
    def writes(self) -> int:
        return len(self.messages)

    def write(self, transaction: TransactWrite) -> None:
        for message in self.messages:
            transaction.save(to_item(message))


@dataclass(frozen=True, slots=True)
class Unschedule:
    """Effect: nothing waits under these names any more."""

    tenant_id: TenantId
    conversation_id: ConversationId
    names: Sequence[str]

    @property
    def name(self) -> str:
        return f"unschedule {', '.join(self.names)}"

    @property
    def writes(self) -> int:
        return len(self.names)

    def write(self, transaction: TransactWrite) -> None:
        pk = conversation_pk(self.tenant_id, self.conversation_id)
        for name in self.names:
            transaction.delete(ScheduledItem(pk, scheduled_sk(name)))


def notices(
    profile: BusinessProfile, conversation_id: ConversationId, name: str, text: str, *, urgent: bool, now_ms: int
) -> list[Scheduled]:
    """One notice for each number of the owner, due at once."""
    return [
        Scheduled(
            tenant_id=profile.tenant_id,
            conversation_id=conversation_id,
            name=f"{name}#{position}",
            due_at=now_ms,
            useful_until=now_ms + NOTICE_USEFUL_MS,
            text=text,
            about=text,
            what=Notice(number, urgent),
        )
        for position, number in enumerate(told(profile))
    ]


# ---- rows ---------------------------------------------------------------------------------------------------------


def to_item(message: Scheduled) -> ScheduledItem:
    """The row of a message that waits."""
    what = message.what
    kind = "reminder" if isinstance(what, Reminder) else "follow_up" if isinstance(what, FollowUp) else "notice"
    return ScheduledItem(
        conversation_pk(message.tenant_id, message.conversation_id),
        scheduled_sk(message.name),
        kind=kind,
        state="waiting",
        due_at=message.due_at,
        useful_until=message.useful_until,
        text=message.text,
        about=message.about,
        booking_id=what.booking_id if isinstance(what, Reminder) else None,
        booking_start=what.start if isinstance(what, Reminder) else None,
        after_seq=what.after_seq if isinstance(what, FollowUp) else None,
        owner_number=what.number if isinstance(what, Notice) else None,
        urgent=what.urgent if isinstance(what, Notice) else None,
        sweep_shard=ids.sweep_shard(message.conversation_id),
        sweep_at=message.due_at,
        expires_at=(message.useful_until + FORGET_AFTER_MS) // 1000,
    )


def from_item(item: ScheduledItem, tenant_id: TenantId, conversation_id: ConversationId) -> Scheduled:
    """The message of a row."""
    return Scheduled(
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        name=item.sk.removeprefix(SCHEDULED_PREFIX),
        due_at=item.due_at,
        useful_until=item.useful_until,
        text=item.text,
        about=item.about,
        what=_what(item),
    )


def _what(item: ScheduledItem) -> Reminder | FollowUp | Notice:
    if item.booking_id is not None and item.booking_start is not None:
        return Reminder(item.booking_id, item.booking_start)
    if item.owner_number is not None:
        return Notice(item.owner_number, bool(item.urgent))
    return FollowUp(item.after_seq or 0)


def scheduled_in(tenant_id: TenantId, conversation_id: ConversationId) -> list[ScheduledItem]:
    """Every row of a conversation, those that are settled too, for a month."""
    return list(
        ScheduledItem.query(
            conversation_pk(tenant_id, conversation_id),
            ScheduledItem.sk.startswith(SCHEDULED_PREFIX),
            consistent_read=True,
        )
    )
