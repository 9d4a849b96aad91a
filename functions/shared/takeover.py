"""A person wins: silencing the assistant, and giving it the word back.

Each operation is one conditional write for each conversation that it touches, and raises its epoch: no turn that began
before may commit, no row that it queued may be claimed. The doorbells that follow may be lost; the sweeper rings again.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from functions.shared import ids, outbox
from functions.shared.chats import family, waiting
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import ConversationNotFoundError, speaks_at
from functions.shared.keys import CONVERSATION, conversation_pk, profile_key
from functions.shared.queues import Ring
from functions.shared.tables import ConversationItem, ProfileItem, find
from functions.shared.waking import wake_scheduled


def taken_over() -> list[Action]:
    """A person has answered: no turn that began before may commit, no row that it queued may go out."""
    return [
        overtake(),
        ConversationItem.pending_since.remove(),
        *_looked_at(),
        ConversationItem.sweep_shard.remove(),
        ConversationItem.sweep_at.remove(),
    ]


def pause(tenant_id: TenantId, conversation_id: ConversationId, *, until: int, ring: Ring) -> None:
    """Silence the assistant in one chat until `until` (Unix milliseconds). What the customer writes waits until then.

    A reminder or follow-up that already waits for a later end looks again by itself, within `due.OFF_MS`.

    Raises ConversationNotFoundError.
    """
    _silence(tenant_id, conversation_id, [ConversationItem.paused_until.set(until)], sweep_at=until, ring=ring)


def switch_off(tenant_id: TenantId, conversation_id: ConversationId, *, now_ms: int, ring: Ring) -> None:
    """Silence the assistant in one chat until it is switched on. Raises ConversationNotFoundError."""
    _silence(tenant_id, conversation_id, [ConversationItem.ai_enabled.set(False)], sweep_at=now_ms, ring=ring)


def void_answers(tenant_id: TenantId, conversation_id: ConversationId, *, now_ms: int, ring: Ring) -> None:
    """Void what is under way in a chat: whom the assistant may answer has changed. What waits is looked at anew.

    Raises ConversationNotFoundError.
    """
    _silence(tenant_id, conversation_id, [], sweep_at=now_ms, ring=ring)


def resume(tenant_id: TenantId, conversation_id: ConversationId, *, now_ms: int, ring: Ring) -> bool:
    """End a pause; a chat or a business that is switched off stays so. True if no switch silences the assistant now.

    Whether it answers this customer, who may have opted out or be a saved contact, is each turn's to decide.

    What waited is answered if it is young, and left to a person otherwise: `functions/agent/guardrails.py`. Reminders
    and follow-ups that came due meanwhile go with the sweeper's next round. Raises ConversationNotFoundError.
    """
    return _give_back(tenant_id, conversation_id, [], now_ms=now_ms, ring=ring)


def switch_on(tenant_id: TenantId, conversation_id: ConversationId, *, now_ms: int, ring: Ring) -> bool:
    """Switch the assistant on in one chat, and end its pause. Otherwise as `resume`."""
    return _give_back(tenant_id, conversation_id, [ConversationItem.ai_enabled.set(True)], now_ms=now_ms, ring=ring)


def switch_business_off(tenant_id: TenantId) -> None:
    """Silence the assistant in every chat of the business. Raises ConversationNotFoundError if there is no business.

    Commit and claim look at this switch themselves, so no conversation need be touched.
    """
    _switch_business(tenant_id, on=False)


def switch_business_on(tenant_id: TenantId, *, now_ms: int, ring: Ring) -> int:
    """Let the assistant answer again, in every chat that is not itself paused or off; returns how many waited.

    Reminders and follow-ups that waited for it look again by themselves, within `due.OFF_MS`.

    Safe to repeat: whoever dies in the middle runs it once more. Raises ConversationNotFoundError.
    """
    waited = waiting(tenant_id)
    for one, item in waited:
        # Before the switch: from then on nobody may take what is old for something new.
        ended = max(now_ms, item.paused_until or 0)
        _change(tenant_id, one, [overtake(), ConversationItem.paused_until.set(ended), *_in_sweep(one, ended)])
    _switch_business(tenant_id, on=True)
    for one, item in waited:
        if item.ai_enabled and (item.paused_until or 0) <= now_ms:
            ring("turns", tenant_id, one, item.last_seq, f"on-{one}")
    return len(waited)


# ---- what they are made of --------------------------------------------------------------------------------------


def _silence(
    tenant_id: TenantId, conversation_id: ConversationId, actions: Sequence[Action], *, sweep_at: int, ring: Ring
) -> None:
    for one in family(tenant_id, conversation_id):
        item = _change(tenant_id, one, [overtake(), *actions, *_in_sweep(one, sweep_at)])
        if outbox.has_unfinished(tenant_id, one):
            # The drain cancels, in order, what the raised epoch has made void.
            ring("outgoing", tenant_id, one, item.last_seq, f"silence-{one}")


def _give_back(
    tenant_id: TenantId, conversation_id: ConversationId, actions: Sequence[Action], *, now_ms: int, ring: Ring
) -> bool:
    root, *merged = family(tenant_id, conversation_id)
    ended: list[Action] = [ConversationItem.paused_until.set(now_ms), *_looked_at(), *_in_sweep(root, now_ms)]
    item = _change(tenant_id, root, [overtake(), *actions, *ended])
    for one in (root, *merged):  # a message stays in the conversation that it was scheduled in
        wake_scheduled(tenant_id, one, now_ms=now_ms)
    business = find(ProfileItem, profile_key(tenant_id))
    if business is None or speaks_at(business.ai_enabled, item.ai_enabled, item.paused_until, now_ms) != now_ms:
        return False
    if item.handled_seq < item.last_seq:
        ring("turns", tenant_id, root, item.last_seq, f"resume-{root}")
    return True


def _change(tenant_id: TenantId, conversation_id: ConversationId, actions: Sequence[Action]) -> ConversationItem:
    """The conversation as it is behind the write."""
    item = ConversationItem(conversation_pk(tenant_id, conversation_id), CONVERSATION)
    try:
        item.update(actions=list(actions), condition=ConversationItem.pk.exists())
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise ConversationNotFoundError(f"{tenant_id} has no conversation {conversation_id}") from error
        raise
    return item


def _switch_business(tenant_id: TenantId, *, on: bool) -> None:
    pk, sk = profile_key(tenant_id)
    # The version too: whoever edits the profile at this moment would switch it back.
    actions: list[Action] = [
        ProfileItem.ai_enabled.set(on),
        ProfileItem.config_version.set(ProfileItem.config_version + 1),
    ]
    try:
        ProfileItem(pk, sk).update(actions=actions, condition=ProfileItem.pk.exists())
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise ConversationNotFoundError(f"there is no business {tenant_id}") from error
        raise


def overtake() -> Action:
    """No turn that began before may commit, no row that it queued may be claimed."""
    return ConversationItem.epoch.set(ConversationItem.epoch + 1)


def _looked_at() -> list[Action]:
    return [ConversationItem.needs_attention.remove(), ConversationItem.needs_attention_at.remove()]


def _in_sweep(conversation_id: ConversationId, at: int) -> list[Action]:
    """The sweeper looks again at `at`, whether something waits or not: it forgets what was handled."""
    return [
        ConversationItem.sweep_shard.set(ids.sweep_shard(conversation_id)),
        ConversationItem.sweep_at.set(at),
    ]
