"""A scheduled message becomes an outbox row, in one transaction that checks everything it rests on; or it waits on.

Safe to do twice and at once: the row leaves `waiting` exactly once, together with what it becomes. Whoever dies before
or after that transaction leaves work that the sweep index knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from functions.shared import ids, settings
from functions.shared.chats import family
from functions.shared.contracts import ConversationId, Jid, MessageId, TenantId
from functions.shared.conversation import is_left_to_owner, load_messages, load_newer
from functions.shared.due import Drop, Facts, Send, Wait, decide
from functions.shared.interjection import Interjection, interject
from functions.shared.keys import (
    CONNECTION,
    CONVERSATION,
    CUSTOMER,
    booking_sk,
    conversation_pk,
    profile_key,
    scheduled_sk,
    tenant_pk,
)
from functions.shared.observability import logger
from functions.shared.owner_chat import OwnerChat, read_owner_chat, write_to_owner
from functions.shared.owners import is_owner
from functions.shared.profile import BusinessProfile, Language
from functions.shared.profile import from_item as profile_of
from functions.shared.queues import Ring
from functions.shared.scheduled import FollowUp, Notice, Reminder, Scheduled, from_item, notices, to_item
from functions.shared.tables import (
    BookingItem,
    ConnectionItem,
    ConversationItem,
    CustomerItem,
    ProfileItem,
    ScheduledItem,
    find,
    get_together,
)
from functions.shared.transactions import LabelledWrite, RefusedError, transact

Outcome = Literal["queued", "waits", "dropped", "settled"]
"""`settled`: somebody else was first, or it is gone."""

ATTEMPTS = 4
"""Of customers who write at this moment; after that the next round looks."""

_DROPPED: dict[Language, str] = {
    "en": "This message was not sent: {about}. Why: {reason}.",
    "he": "ההודעה הזאת לא נשלחה: {about}. הסיבה: {reason}.",
}
_REASONS_HE = {
    "the customer opted out": "הלקוח ביקש לא לקבל הודעות מהעוזר",
    "the owner saved the customer as a contact": "הלקוח נשמר באנשי הקשר של הטלפון",
    "the customer never wrote, so there is no address": "הלקוח מעולם לא כתב",
    "the assistant of the business is off": "העוזר של העסק כבוי",
    "the assistant is off in this chat": "העוזר כבוי בשיחה הזאת",
    "a person has this chat": "אדם מטפל בשיחה הזאת",
    "quiet hours": "שעות שקטות",
    "WhatsApp is not connected": "אין חיבור לוואטסאפ",
    "the customer waits for an answer first": "הלקוח עדיין מחכה לתשובה",
    "it came too late": "כבר מאוחר מדי",
}


@dataclass(frozen=True, slots=True)
class _Chat:
    """Where a customer's message goes: the conversation that its own one was merged into, or itself."""

    conversation_id: ConversationId
    item: ConversationItem
    own: ConversationItem
    """The one that it was scheduled in."""


def promote(tenant_id: TenantId, conversation_id: ConversationId, name: str, *, now_ms: int, ring: Ring) -> Outcome:
    """Do what is due for one scheduled message, and ring for it. Raises transactions.ContentionError."""
    for _ in range(ATTEMPTS):
        try:
            return _promote(tenant_id, conversation_id, name, now_ms=now_ms, ring=ring)
        except RefusedError as refused:
            # Somebody changed one of the facts since they were read; what is read now decides anew.
            logger.info("scheduled message looked at again", extra={"scheduled": name, "refused": refused.labels})
    return "waits"


def _promote(tenant_id: TenantId, conversation_id: ConversationId, name: str, *, now_ms: int, ring: Ring) -> Outcome:
    pk = conversation_pk(tenant_id, conversation_id)
    connection_key, customer_key = (tenant_pk(tenant_id), CONNECTION), (pk, CUSTOMER)
    keys = [(pk, scheduled_sk(name)), (pk, CONVERSATION), profile_key(tenant_id), connection_key, customer_key]
    found = get_together(keys)
    row = found.get(ScheduledItem, keys[0])
    profile_item = found.get(ProfileItem, keys[2])
    if row is None or row.state != "waiting" or profile_item is None:
        return "settled"
    message, profile = from_item(row, tenant_id, conversation_id), profile_of(profile_item)
    connection = found.get(ConnectionItem, connection_key)
    connected = connection is None or connection.state == "connected"
    if isinstance(message.what, Notice):
        return _tell_owner(message, message.what, row, Facts(profile, connected), now_ms=now_ms, ring=ring)
    own = found.get(ConversationItem, keys[1])
    if own is None:
        return "settled"
    chat = _chat(tenant_id, conversation_id, own)
    customer = found.get(CustomerItem, customer_key)
    to_owner = customer is not None and is_owner(customer.phone_jid, profile.owner_numbers)
    facts = replace(
        _facts(message, chat, profile, connected, to_owner=to_owner),
        left_to_owner=is_left_to_owner(tenant_id, profile_item, customer),
    )
    decision = decide(message, facts, now_ms=now_ms)
    if not isinstance(decision, Send):
        return _not_now(message, row, decision, profile, now_ms)
    message_id = ids.new_message_id()
    seq = _send(message, row, chat, message_id, now_ms)
    ring("outgoing", tenant_id, chat.conversation_id, seq, _correlation(message))
    return "queued"


def _chat(tenant_id: TenantId, conversation_id: ConversationId, own: ConversationItem) -> _Chat:
    item = own
    while item.merged_into is not None:
        conversation_id = ConversationId(item.merged_into)
        led = find(ConversationItem, (conversation_pk(tenant_id, conversation_id), CONVERSATION))
        if led is None:
            break
        item = led
    return _Chat(conversation_id, item, own)


def _facts(message: Scheduled, chat: _Chat, profile: BusinessProfile, connected: bool, *, to_owner: bool) -> Facts:
    item = chat.item
    return Facts(
        profile=profile,
        connected=connected,
        ai_enabled=item.ai_enabled,
        paused_until=item.paused_until,
        opted_out=item.opted_out_at is not None or chat.own.opted_out_at is not None,
        waiting=item.handled_seq < item.last_seq,
        reachable=item.reply_jid is not None,
        still_booked=not isinstance(message.what, Reminder) or _stands(message, message.what),
        to_owner=to_owner,
        written_since=isinstance(message.what, FollowUp) and _written_since(message, message.what, chat),
    )


def _stands(message: Scheduled, reminder: Reminder) -> bool:
    key = (conversation_pk(message.tenant_id, message.conversation_id), booking_sk(reminder.booking_id))
    booking = find(BookingItem, key)
    return booking is not None and booking.status == "booked" and booking.start == reminder.start


def _written_since(message: Scheduled, follow_up: FollowUp, chat: _Chat) -> bool:
    """Whether the customer or the owner has written since: here, or by another of the customer's names."""
    tenant_id, here = message.tenant_id, message.conversation_id
    messages = load_messages(tenant_id, here, follow_up.after_seq, chat.own.last_seq)
    later = [one for one in messages if one.seq > follow_up.after_seq]
    promised_at = max((one.stored_at for one in messages if one.seq == follow_up.after_seq), default=0)
    for other in family(tenant_id, here):
        if other != here:
            # Its numbers say nothing of the ones here; and that the two are one, a mere receipt may have told.
            later += load_newer(tenant_id, other, stored_after=promised_at)
    return any(one.author in ("customer", "owner") for one in later)


# ---- the transactions ---------------------------------------------------------------------------------------------


def _send(message: Scheduled, row: ScheduledItem, chat: _Chat, message_id: MessageId, now_ms: int) -> int:
    """The number that the message got. Raises RefusedError if anything that `decide` was told has changed."""
    interjection = Interjection(
        tenant_id=message.tenant_id,
        conversation_id=chat.conversation_id,
        message_id=message_id,
        chat_jid=Jid(chat.item.reply_jid or ""),
        text=message.text,
        author="assistant",
        correlation_id=_correlation(message),
        deadline=min(now_ms + settings.send_deadline_ms(), message.useful_until),
    )
    may_speak: Condition = (
        (ConversationItem.ai_enabled == True)  # noqa: E712 - an expression, not a comparison
        & (ConversationItem.paused_until.does_not_exist() | (ConversationItem.paused_until <= now_ms))
        & ConversationItem.opted_out_at.does_not_exist()
        & ConversationItem.merged_into.does_not_exist()
    )
    own_pk = conversation_pk(message.tenant_id, message.conversation_id)

    def write(transaction: LabelledWrite) -> None:
        with transaction.labelled("scheduled"):
            _settle(transaction, row, "queued", now_ms, message_id=message_id)
        with transaction.labelled("business"):
            pk, sk = profile_key(message.tenant_id)
            transaction.condition_check(ProfileItem, pk, sk, condition=_assistant_on())
        if chat.conversation_id != message.conversation_id:
            with transaction.labelled("own conversation"):
                in_it = ConversationItem.opted_out_at.does_not_exist()
                transaction.condition_check(ConversationItem, own_pk, CONVERSATION, condition=in_it)
        if isinstance(message.what, Reminder):
            with transaction.labelled("booking"):
                stands = (BookingItem.status == "booked") & (BookingItem.start == message.what.start)
                sk = booking_sk(message.what.booking_id)
                transaction.condition_check(BookingItem, own_pk, sk, condition=stands)
        with transaction.labelled("conversation"):
            interject(transaction, interjection, chat.item, now_ms=now_ms, takes_over=False, condition=may_speak)

    transact(write)
    return chat.item.last_seq + 1


def _tell_owner(
    message: Scheduled, notice: Notice, row: ScheduledItem, facts: Facts, *, now_ms: int, ring: Ring
) -> Outcome:
    decision = decide(message, facts, now_ms=now_ms)
    if not isinstance(decision, Send):
        return _not_now(message, row, decision, facts.profile, now_ms)
    chat: OwnerChat = read_owner_chat(message.tenant_id, notice.number)
    message_id = ids.new_message_id()

    def write(transaction: LabelledWrite) -> None:
        with transaction.labelled("scheduled"):
            _settle(transaction, row, "queued", now_ms, message_id=message_id)
        with transaction.labelled("owner"):
            write_to_owner(
                transaction, chat, message.text, message_id, correlation_id=_correlation(message), now_ms=now_ms
            )

    transact(write)
    ring("outgoing", message.tenant_id, chat.conversation_id, chat.last_seq + 1, _correlation(message))
    return "queued"


def _not_now(
    message: Scheduled, row: ScheduledItem, decision: Wait | Drop, profile: BusinessProfile, now_ms: int
) -> Outcome:
    if isinstance(decision, Wait):
        actions: list[Action] = [ScheduledItem.sweep_at.set(decision.until), ScheduledItem.reason.set(decision.reason)]
        try:
            row.update(actions=actions, condition=_as_read(row))
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            return "settled"
        return "waits"
    dropped: Drop = decision

    def write(transaction: LabelledWrite) -> None:
        _settle(transaction, row, "dropped", now_ms, reason=dropped.reason)
        if dropped.tell:
            text = _said(message, dropped, profile.languages[0])
            name = f"dropped#{message.name}"
            for notice in notices(profile, message.conversation_id, name, text, urgent=False, now_ms=now_ms):
                transaction.save(to_item(notice))

    transact(write)
    logger.info("scheduled message dropped", extra={"scheduled": message.name, "reason": dropped.reason})
    return "dropped"


def _settle(
    transaction: LabelledWrite,
    row: ScheduledItem,
    state: Literal["queued", "dropped"],
    now_ms: int,
    *,
    message_id: MessageId | None = None,
    reason: str | None = None,
) -> None:
    actions: list[Action] = [
        ScheduledItem.state.set(state),
        ScheduledItem.settled_at.set(now_ms),
        ScheduledItem.sweep_shard.remove(),
        ScheduledItem.sweep_at.remove(),
        ScheduledItem.reason.set(reason) if reason else ScheduledItem.reason.remove(),
    ]
    if message_id is not None:
        actions.append(ScheduledItem.message_id.set(message_id))
    transaction.update(ScheduledItem(row.pk, row.sk), actions, condition=_as_read(row))


def _as_read(row: ScheduledItem) -> Condition:
    """It waits still, for the same: a moved appointment puts another message under the same name."""
    condition: Condition = (ScheduledItem.state == "waiting") & (ScheduledItem.due_at == row.due_at)
    condition &= ScheduledItem.text == row.text
    return condition


def _assistant_on() -> Condition:
    on: Condition = ProfileItem.ai_enabled == True  # noqa: E712 - an expression, not a comparison
    on &= ProfileItem.audience.does_not_exist() | (ProfileItem.audience != "nobody")
    return on


def _correlation(message: Scheduled) -> str:
    return f"later-{message.name}"[:128]


def _said(message: Scheduled, dropped: Drop, language: Language) -> str:
    reason = _REASONS_HE.get(dropped.reason, dropped.reason) if language == "he" else dropped.reason
    return _DROPPED[language].format(about=message.about, reason=reason)
