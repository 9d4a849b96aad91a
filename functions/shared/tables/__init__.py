"""The app table: its items, and reading several of them at once. docs/architecture.md describes the layout.

Items are rows and nothing more; the rules about them are in inbox.py and outbox.py. A sort key tells what an item is,
so every query names its prefix; a discriminator attribute would filter after reading.
"""

from __future__ import annotations

from functions.shared.tables.attributes import Flag, Int, Json, OptionalInt, OptionalText, Text
from functions.shared.tables.business import (
    AliasItem,
    BookItem,
    ChatItem,
    ConnectionItem,
    ContactAliasItem,
    ContactItem,
    DiaryItem,
    FeedItem,
    ProfileItem,
    SlotItem,
)
from functions.shared.tables.conversation import (
    BookingItem,
    ConsentItem,
    ConversationItem,
    CustomerItem,
    FactsItem,
    IdItem,
    LeadItem,
    MessageItem,
    OutboxItem,
    ScheduledItem,
    TurnItem,
)
from functions.shared.tables.item import AppItem, SweepIndex
from functions.shared.tables.reading import Found, Item, ThrottledError, find, get_together, not_exists

__all__ = [
    "AliasItem",
    "AppItem",
    "BookItem",
    "BookingItem",
    "ChatItem",
    "ConnectionItem",
    "ConsentItem",
    "ContactAliasItem",
    "ContactItem",
    "ConversationItem",
    "CustomerItem",
    "DiaryItem",
    "FactsItem",
    "FeedItem",
    "Flag",
    "Found",
    "IdItem",
    "Int",
    "Item",
    "Json",
    "LeadItem",
    "MessageItem",
    "OptionalInt",
    "OptionalText",
    "OutboxItem",
    "ProfileItem",
    "ScheduledItem",
    "SlotItem",
    "SweepIndex",
    "Text",
    "ThrottledError",
    "TurnItem",
    "find",
    "get_together",
    "not_exists",
]
