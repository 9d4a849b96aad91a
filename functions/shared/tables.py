"""The app table: its items, and reading several of them at once. docs/architecture.md describes the layout.

Items are rows and nothing more; the rules about them are in inbox.py and outbox.py. A sort key tells what an item is,
so every query names its prefix; a discriminator attribute would filter after reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pynamodb.attributes import Attribute, JSONAttribute, UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import BOOLEAN, NUMBER, STRING
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from functions.shared import settings
from functions.shared.keys import Key

# ---- attributes -------------------------------------------------------------------------------------------------
# PynamoDB's NumberAttribute is a float and its null=True does not show in the type; these say what comes out.


class Text(UnicodeAttribute):
    """A string that is always there."""


class OptionalText(Attribute["str | None"]):
    attr_type = STRING
    null = True


class Int(Attribute[int]):
    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


class OptionalInt(Attribute["int | None"]):
    attr_type = NUMBER
    null = True

    def serialize(self, value: int | None) -> str | None:
        return None if value is None else str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


class Json(JSONAttribute):
    """JSON with letters as they are: escaped, a Hebrew one would be six bytes instead of two."""

    def serialize(self, value: object) -> str | None:
        if value is None:
            return None
        # Half a surrogate pair, which a model's JSON may hold, is no UTF-8 and would be refused.
        return json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()


class Flag(Attribute[bool]):
    attr_type = BOOLEAN


# ---- the table --------------------------------------------------------------------------------------------------


class _TableName:
    """Reads the environment at the first request, not while a module is imported."""

    def __get__(self, instance: object, owner: type) -> str:
        return settings.app_table()


class SweepIndex(GlobalSecondaryIndex["AppItem"]):  # type: ignore[no-untyped-call] # of PynamoDB's __init_subclass__
    """Unfinished work, by the time when somebody should look at it again. Sparse: only items that have both keys."""

    class Meta:
        index_name = "sweep"
        projection = KeysOnlyProjection()
        billing_mode = "PAY_PER_REQUEST"

    sweep_shard = OptionalInt(hash_key=True)
    sweep_at = OptionalInt(range_key=True)


class AppItem(Model):
    """Any item of the app table; the subclasses say which attributes it has."""

    class Meta:
        table_name = _TableName()
        billing_mode = "PAY_PER_REQUEST"
        connect_timeout_seconds = 2
        read_timeout_seconds = 5
        max_retry_attempts = 3

    pk = Text(hash_key=True)
    sk = Text(range_key=True)
    sweep_shard = OptionalInt()
    sweep_at = OptionalInt()
    """Milliseconds."""
    expires_at = OptionalInt()
    """Seconds, for DynamoDB's TTL, which deletes late: whoever reads such an item checks it."""
    sweep = SweepIndex()

    @classmethod
    def _get_connection(cls) -> TableConnection:
        # One client for all models: each would make its own, at 50 ms of a cold start.
        return super(AppItem, AppItem)._get_connection()

    @classmethod
    def disconnect(cls) -> None:
        """Forget the client, and with it the table's name and the credentials that it was made with."""
        AppItem._connection = None

    @classmethod
    def connection(cls) -> Connection:
        """What TransactWrite needs."""
        return cls._get_connection().connection


class ProfileItem(AppItem):
    """`T` / `PROFILE`: a column for each field of the profile; rows of an older version lack the newer ones."""

    tenant_id = Text()
    config_version = Int()
    name = Text()
    languages = JSONAttribute()
    time_zone = Text()
    ai_enabled = Flag()
    takeover_pause_minutes = Int()
    automatic_texts = JSONAttribute()
    hours = JSONAttribute()
    services = JSONAttribute()
    resources = JSONAttribute()
    model = OptionalText()
    fallback_model = OptionalText()
    audience = OptionalText()
    tone = OptionalText()
    introduction = JSONAttribute(null=True)
    owner_numbers = JSONAttribute(null=True)
    holidays = JSONAttribute(null=True)
    closures = JSONAttribute(null=True)
    special_days = JSONAttribute(null=True)
    quiet_hours = JSONAttribute(null=True)
    reminders = JSONAttribute(null=True)
    location = JSONAttribute(null=True)
    appointment_files = Flag(null=True)
    limits = JSONAttribute(null=True)
    policies = JSONAttribute(null=True)
    knowledge = JSONAttribute(null=True)

    @property
    def assistant_on(self) -> bool:
        """Whether the assistant of this business answers anybody at all."""
        return self.ai_enabled and self.audience != "nobody"


class ConnectionItem(AppItem):
    """`T` / `CONNECTION`."""

    state = Text()
    reason = OptionalText()
    code = OptionalInt()
    phone_jid = OptionalText()
    at = Int()


class ChatItem(AppItem):
    """`T` / `CHAT#<conversation>`: makes a tenant's conversations countable; written once, with the conversation."""

    conversation_id = Text()
    created_at = Int()


class AliasItem(AppItem):
    """`T#<tenant>#ALIAS#<jid>` / `ALIAS`: created conditionally, never moves."""

    conversation_id = Text()


class ConversationItem(AppItem):
    """`C` / `CONVERSATION`."""

    last_seq = Int()
    handled_seq = Int()
    epoch = Int()
    ai_enabled = Flag()
    paused_until = OptionalInt()
    """When the silence ends, or ended: what was stored before it waited for a person."""
    reply_jid = OptionalText()
    """The address that the customer's newest message came by; absent until the customer writes."""
    pending_since = OptionalInt()
    """When the oldest unhandled message was stored; means nothing while handled_seq = last_seq."""
    merged_into = OptionalText()
    merged_from = JSONAttribute(null=True)
    """Ids of the conversations that were merged into this one."""
    needs_attention = OptionalText()
    """Why a person should look at this conversation."""
    needs_attention_at = OptionalInt()
    disappearing_seconds = OptionalInt()
    """The chat's timer for disappearing messages, as the newest message had it; absent: none."""
    opted_out_at = OptionalInt()
    """When the customer asked not to be answered by the assistant any more; absent again once they opted in."""
    introduced_at = OptionalInt()
    """When the customer was first told that an assistant writes."""
    created_at = Int()
    sweep_rings = OptionalInt()
    """How often the sweeper rang for the same waiting message, which `sweep_rings_for` names: `handled_seq/epoch`."""
    sweep_rings_for = OptionalText()


class CustomerItem(AppItem):
    """`C` / `CUSTOMER`."""

    name = OptionalText()
    lid = OptionalText()
    phone_jid = OptionalText()
    first_contact = OptionalInt()
    last_contact = OptionalInt()


class FactsItem(AppItem):
    """`C` / `FACTS`: what the assistant noted about the customer."""

    noted = Json()
    version = Int()


class LeadItem(AppItem):
    """`C` / `LEAD`."""

    stage = Text()
    source = Text()
    notes = Json(null=True)
    """Oldest first, each `{"at": ms, "text": ...}`."""
    tags = Json(null=True)
    next_step = OptionalText()
    visit_at = OptionalInt()
    """When the last appointment that is booked ends."""
    customer_since = OptionalInt()
    hot_told_at = OptionalInt()
    """When the owner was told; absent until then."""
    told_at = Json(null=True)
    """When the assistant last told the owner something about this customer."""
    revision = OptionalInt()
    """Raised by every change."""


class MessageItem(AppItem):
    """`C` / `MSG#<seq>`."""

    seq = Int()
    message_id = Text()
    author = Text()
    content = Text()
    """The contract's Content as JSON."""
    quoted = OptionalText()
    """The contract's Quoted as JSON, if the message answers an earlier one."""
    sent_at = Int()
    received_at = Int()
    stored_at = Int()
    correlation_id = Text()


class IdItem(AppItem):
    """`C` / `ID#<message id>`: exactly one of the two is there."""

    seq = OptionalInt()
    outbox_sk = OptionalText()


class TurnItem(AppItem):
    """`C` / `TURN#<hi>`."""

    lo = Int()
    hi = Int()
    turn_id = Text()
    items = Json()
    tools = Json()
    usage = Json()
    saw = Json(null=True)
    """What the model was given."""
    summary = OptionalText()
    summary_upto = OptionalInt()
    """What was said up to that message, in short."""
    outcome = OptionalText()
    """How it ended: inbox.TurnOutcome."""
    intent = OptionalText()
    """What the customer wanted, where the rules of routing.py are sure."""
    reason = OptionalText()
    """Why a person was called."""
    started_at = Int()
    committed_at = Int()


class ConsentItem(AppItem):
    """`C` / `CONSENT#<seq>`: the customer opted out or in by message `seq`. Only ever added to."""

    change = Text()
    """`opted_out` or `opted_in`."""
    seq = Int()
    at = Int()
    turn_id = Text()


class OutboxItem(AppItem):
    """`C` / `OUT#<hi>#<part>`."""

    message_id = Text()
    state = Text()
    epoch = Int()
    author = Text()
    """`assistant` or `person`, as in the contract's SendCommand."""
    chat_jid = Text()
    content = Text()
    """The contract's OutgoingContent as JSON."""
    manner = OptionalText()
    """manner.Manner as JSON; absent in rows of the first version."""
    correlation_id = Text()
    attempts = Int()
    lease_until = OptionalInt()
    next_attempt_at = OptionalInt()
    deadline = Int()
    queued_at = Int()
    sending_at = OptionalInt()
    sent_at = OptionalInt()
    delivered_at = OptionalInt()
    read_at = OptionalInt()
    error = OptionalText()


class BookingItem(AppItem):
    """`C` / `BOOKING#<id>`: an appointment; times in Unix milliseconds."""

    booking_id = Text()
    start = Int()
    end = Int()
    service = Text()
    resource = Text()
    """The place that it occupies: see Resource.places."""
    busy_from = OptionalInt()
    busy_until = OptionalInt()
    """With its buffers, on the grid; absent in rows of the first version: start and end."""
    status = Text()
    """`booked` or `cancelled`."""
    turn_id = Text()
    """The turn that booked it."""


class DiaryItem(AppItem):
    """`T#<tenant>#DIARY` / `<start, ms>#<booking id>`: makes a business's appointments readable by time."""

    booking_id = Text()
    conversation_id = Text()


class FeedItem(AppItem):
    """`T` / `FEED`: the token of the owner's calendar feed; another token revokes the one before."""

    token = Text()
    created_at = Int()


class ScheduledItem(AppItem):
    """`C` / `LATER#<name>`: a message that waits for its time, and what became of it."""

    kind = Text()
    """`reminder`, `follow_up` or `notice`."""
    state = Text()
    """`waiting`, `queued` (it is an outbox row now) or `dropped`."""
    due_at = Int()
    useful_until = Int()
    text = Text()
    about = Text()
    booking_id = OptionalText()
    booking_start = OptionalInt()
    after_seq = OptionalInt()
    owner_number = OptionalText()
    urgent = Flag(null=True)
    message_id = OptionalText()
    settled_at = OptionalInt()
    reason = OptionalText()
    """Why it waits, or was dropped."""


class SlotItem(AppItem):
    """`T#<tenant>#CAL#<day>` / `SLOT#<resource>#<hh:mm>`: one grid cell of the calendar, UTC."""

    turn_id = OptionalText()
    held_until = OptionalInt()
    """Milliseconds; a hold counts only until then."""
    booking_id = OptionalText()
    conversation_id = OptionalText()


# ---- reading ----------------------------------------------------------------------------------------------------

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

Item = TypeVar("Item", bound=AppItem)
_MAX_BATCH = 100  # of BatchGetItem


class ThrottledError(Exception):
    """DynamoDB did not answer for all keys of a batch; repeat the whole step."""


class Found:
    """The items that `get_together` found, each to be asked for by its model and key."""

    def __init__(self, raw: Mapping[Key, Mapping[str, Any]]) -> None:
        self._raw = raw

    def get(self, model: type[Item], key: Key) -> Item | None:
        raw = self._raw.get(key)
        return None if raw is None else model.from_raw_data(dict(raw))


def get_together(keys: Iterable[Key]) -> Found:
    """Read items of any kind, strongly consistent, in one call for each hundred.

    It is no snapshot: who writes what follows from it does so under conditions.

    Raises ThrottledError if DynamoDB leaves some out three times.
    """
    table = settings.app_table()
    wanted: list[Any] = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(keys)]
    raw: dict[Key, Mapping[str, Any]] = {}
    for _ in range(3):
        if not wanted:
            break
        answer = AppItem.connection().dispatch(
            "BatchGetItem", {"RequestItems": {table: {"Keys": wanted[:_MAX_BATCH], "ConsistentRead": True}}}
        )
        for item in answer["Responses"].get(table, []):
            raw[item["pk"]["S"], item["sk"]["S"]] = item
        left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        wanted = left + wanted[_MAX_BATCH:]
    if wanted:
        raise ThrottledError("DynamoDB answered only a part of a batch; try again")
    return Found(raw)


def find(model: type[Item], key: Key) -> Item | None:
    """One item, strongly consistent, or None."""
    try:
        return model.get(key[0], key[1], consistent_read=True)
    except model.DoesNotExist:
        return None


def not_exists(model: type[AppItem]) -> Condition:
    """Condition of a creation."""
    return model.pk.does_not_exist()
