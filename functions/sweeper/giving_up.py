"""The last way out of silence: messages that nobody answered, however often the agent was rung.

An agent that fails calls a person itself. One that dies each time (out of memory, out of time, a broken deployment)
cannot; its doorbells go to the dead letters. So this needs nothing of the agent: no model, no history, no tools.
"""

from __future__ import annotations

from pydantic import ValidationError

from functions.shared import inbox, owner_notices
from functions.shared.apology import A_PERSON_WILL_ANSWER, language_of
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import Snapshot, load_conversation, load_messages
from functions.shared.endings import HandOver, end, unanswered
from functions.shared.observability import logger
from functions.shared.profile import BusinessProfile, Language, load_profile
from functions.shared.scheduled import Schedule
from functions.shared.words import own_words

_READ_MESSAGES = 20

REASON = "the assistant did not answer, though it was called again and again: see the dead letters and its log"


def give_up(tenant_id: TenantId, conversation_id: ConversationId, correlation_id: str, *, now_ms: int) -> int | None:
    """Hand the conversation over to a person and tell the customer; the number up to which it is handled now.

    None: there was nothing to give up, or somebody was first. Raises transactions.ContentionError: nothing was written.
    """
    snapshot = load_conversation(tenant_id, conversation_id)
    decision = inbox.decide(snapshot, snapshot.last_seq, now_ms)
    if not isinstance(decision, inbox.RunTurn):
        return None
    turn = inbox.begin_turn(snapshot, decision, correlation_id=correlation_id, now_ms=now_ms)
    try:
        end(turn, unanswered(snapshot, REASON) or _handed_over(snapshot, turn), now_ms=now_ms)
    except inbox.TurnOvertakenError:
        return None
    return turn.hi


def _handed_over(snapshot: Snapshot, turn: inbox.Turn) -> HandOver:
    profile = _profile(turn.tenant_id)
    text = A_PERSON_WILL_ANSWER[_language(profile, turn)]
    return HandOver(text, REASON, "failed", effects=_told(profile, snapshot, turn))


def _profile(tenant_id: TenantId) -> BusinessProfile | None:
    """None if it cannot be read: what killed the agent must not keep the customer from a person."""
    try:
        return load_profile(tenant_id)
    except ValidationError:
        logger.exception("the profile cannot be read")
        return None


def _language(profile: BusinessProfile | None, turn: inbox.Turn) -> Language:
    try:
        messages = load_messages(turn.tenant_id, turn.conversation_id, max(1, turn.hi - _READ_MESSAGES), turn.hi)
    except ValidationError:
        logger.exception("a message cannot be read")
        messages = []
    texts = [own_words(m.content) for m in messages if m.author == "customer"]
    return language_of(texts, profile.languages[0] if profile else "en")


def _told(profile: BusinessProfile | None, snapshot: Snapshot, turn: inbox.Turn) -> list[inbox.Effect]:
    """The owner hears of it in the same commit."""
    if profile is None:
        return []
    notice = owner_notices.about(
        profile,
        turn.conversation_id,
        "failed",
        name=f"person#{turn.turn_id}",
        customer_name=snapshot.customer_name,
        customer_phone=snapshot.customer_phone,
        now_ms=turn.started_at,
    )
    return [Schedule(notice)]
