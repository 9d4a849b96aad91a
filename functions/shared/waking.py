"""Scheduled messages sleep until the silence in their chat ends; whoever ends it in that one chat wakes them.

After the business's switch, or a pause that was made shorter, they look again by themselves within `due.OFF_MS`.

Apart from `scheduled.py`, because the webhook gives the word away too and must not load the profile's models.
"""

from __future__ import annotations

from pynamodb.exceptions import UpdateError

from functions.shared.contracts import ConversationId, TenantId
from functions.shared.keys import SCHEDULED_PREFIX, conversation_pk
from functions.shared.tables import ScheduledItem


def wake_scheduled(tenant_id: TenantId, conversation_id: ConversationId, *, now_ms: int) -> int:
    """Let the sweeper's next round decide anew about every due message of the conversation; returns how many slept.

    Safe to repeat, and safe to lose: one that nobody wakes looks again by itself within `due.OFF_MS`.
    """
    rows = ScheduledItem.query(
        conversation_pk(tenant_id, conversation_id),
        ScheduledItem.sk.startswith(SCHEDULED_PREFIX),
        filter_condition=(ScheduledItem.state == "waiting") & (ScheduledItem.due_at <= now_ms),
        consistent_read=True,
    )
    return sum(_wake(row, now_ms) for row in rows if row.sweep_at is None or row.sweep_at > now_ms)


def _wake(row: ScheduledItem, now_ms: int) -> bool:
    as_read = (ScheduledItem.state == "waiting") & (ScheduledItem.due_at == row.due_at)
    try:
        row.update(actions=[ScheduledItem.sweep_at.set(now_ms)], condition=as_read)
    except UpdateError as error:
        # Settled, or another one under the same name: either way there is nothing left to wake.
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True
