"""Items of a business: its profile, its calendar, who its customers are."""

from __future__ import annotations

from pynamodb.attributes import JSONAttribute

from functions.shared.tables.attributes import Flag, Int, OptionalInt, OptionalText, Text
from functions.shared.tables.item import AppItem


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
    fallback_server = JSONAttribute(null=True)
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


class BookItem(AppItem):
    """`T#<tenant>#CONTACTS` / `BOOK`: the newest address book of the phone that is known as a whole."""

    book_at = Int()
    """When the gateway began to read it, Unix milliseconds; a newer one makes the rows of an older one void."""
    revision = Int()
    """WhatsApp's number of the last change that is known."""
    known_since = Int()
    older_left = Flag(null=True)
    """Whether rows of older books, void already, still have to be let expire."""


class ContactItem(AppItem):
    """`T#<tenant>#CONTACTS` / `CONTACT#<jid>`: whether the owner has this person in the phone's address book."""

    saved = Flag()
    book_at = Int()
    revision = Int()


class ContactAliasItem(AppItem):
    """`T#<tenant>#CONTACTS` / `ALIAS#<jid>`: under which address the contact with this other one is kept."""

    contact_jid = Text()
    book_at = Int()
    revision = Int()


class DiaryItem(AppItem):
    """`T#<tenant>#DIARY` / `<start, ms>#<booking id>`: makes a business's appointments readable by time."""

    booking_id = Text()
    conversation_id = Text()


class FeedItem(AppItem):
    """`T` / `FEED`: the token of the owner's calendar feed; another token revokes the one before."""

    token = Text()
    created_at = Int()


class SlotItem(AppItem):
    """`T#<tenant>#CAL#<day>` / `SLOT#<resource>#<hh:mm>`: one grid cell of the calendar, UTC."""

    turn_id = OptionalText()
    held_until = OptionalInt()
    """Milliseconds; a hold counts only until then."""
    booking_id = OptionalText()
    conversation_id = OptionalText()
