"""What fits into one answer: DynamoDB takes 100 items in a transaction, and a turn's commit is one. Pure.

Messages, notices and notes are few by construction, so they are reckoned with as if all came at once; only changes of
appointments can be many and long. What is left is theirs, and a tool that finds no room says so before it stages.
"""

from __future__ import annotations

from functions.shared import inbox, transactions
from functions.shared.owners import told
from functions.shared.profile import BusinessProfile

MAX_PARTS = 3
"""Messages of one answer's words."""
MAX_FILES = 3
"""Calendar files behind one answer."""
_NOTES = 3
"""The customer's facts, their lead, and their one follow-up or its end."""
_NOTICES = 4
"""Occasions on which one turn may write to each number of the owner: a hot lead, in the assistant's own words, a
question that it cannot answer, a hand-over."""


def for_changes(profile: BusinessProfile) -> int:
    """How many writes of this business's commit are left for changes of appointments, reminders included."""
    replies = MAX_PARTS + (MAX_FILES if profile.appointment_files else 0) + (1 if profile.location else 0)
    return transactions.MAX_ITEMS - inbox.writes(replies) - _NOTES - _NOTICES * len(told(profile))
