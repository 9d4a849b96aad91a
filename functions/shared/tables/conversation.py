"""Items of one conversation."""

from __future__ import annotations

from pynamodb.attributes import JSONAttribute

from functions.shared.tables.attributes import Flag, Int, Json, OptionalInt, OptionalText, Text
from functions.shared.tables.item import AppItem


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
