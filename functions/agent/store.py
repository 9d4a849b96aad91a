"""What a turn needs of the world, as one port: the app table and the outgoing queue behind it, a fake in the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from functions.agent.calendar.store import Calendar, TableCalendar
from functions.shared import aws, conversation, endings, inbox, outbox, profile, queues, settings
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import ConversationNotFoundError, Message, PastTurn, Snapshot
from functions.shared.endings import Ending
from functions.shared.inbox import Effect, Reply, Turn, TurnRecord
from functions.shared.observability import logger
from functions.shared.profile import BusinessProfile


class Store(Protocol):
    """Reads and writes of one turn. Errors are those of `functions/shared/inbox.py`."""

    def conversation(self, tenant_id: TenantId, conversation_id: ConversationId) -> Snapshot: ...

    def profile(self, tenant_id: TenantId) -> BusinessProfile: ...

    def messages(self, tenant_id: TenantId, conversation_id: ConversationId, lo: int, hi: int) -> list[Message]: ...

    def history(self, tenant_id: TenantId, conversation_id: ConversationId, limit: int) -> list[PastTurn]: ...

    def calendar(self, tenant_id: TenantId, conversation_id: ConversationId) -> Calendar: ...

    def keep_file(self, key: str, body: bytes, media_type: str) -> bool: ...

    def replies_wait(self, tenant_id: TenantId, conversation_id: ConversationId) -> bool: ...

    def commit(
        self, turn: Turn, replies: Sequence[Reply], effects: Sequence[Effect], record: TurnRecord, now_ms: int
    ) -> None: ...

    def end(self, turn: Turn, ending: Ending, now_ms: int) -> None: ...

    def ring_outgoing(
        self, tenant_id: TenantId, conversation_id: ConversationId, seq: int, correlation_id: str, *, again: bool
    ) -> None: ...


class AppStore:
    """The real one. The profile is read afresh for every turn: a changed price must not wait for a cache."""

    def conversation(self, tenant_id: TenantId, conversation_id: ConversationId) -> Snapshot:
        return conversation.load_conversation(tenant_id, conversation_id)

    def profile(self, tenant_id: TenantId) -> BusinessProfile:
        found = profile.load_profile(tenant_id)
        if found is None:
            raise ConversationNotFoundError(f"{tenant_id} has no profile")
        return found

    def messages(self, tenant_id: TenantId, conversation_id: ConversationId, lo: int, hi: int) -> list[Message]:
        return conversation.load_messages(tenant_id, conversation_id, lo, hi)

    def history(self, tenant_id: TenantId, conversation_id: ConversationId, limit: int) -> list[PastTurn]:
        return conversation.load_history(tenant_id, conversation_id, limit)

    def calendar(self, tenant_id: TenantId, conversation_id: ConversationId) -> Calendar:
        return TableCalendar(tenant_id, conversation_id)

    def keep_file(self, key: str, body: bytes, media_type: str) -> bool:
        bucket = settings.media_bucket()
        if bucket is None:
            return False
        try:
            aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=media_type)
        except (BotoCoreError, ClientError):
            # The confirmation matters, the file is a courtesy.
            logger.exception("a file could not be kept and is not sent")
            return False
        return True

    def replies_wait(self, tenant_id: TenantId, conversation_id: ConversationId) -> bool:
        return outbox.has_unfinished(tenant_id, conversation_id)

    def commit(
        self, turn: Turn, replies: Sequence[Reply], effects: Sequence[Effect], record: TurnRecord, now_ms: int
    ) -> None:
        inbox.commit_turn(turn, replies=replies, effects=effects, record=record, now_ms=now_ms)

    def end(self, turn: Turn, ending: Ending, now_ms: int) -> None:
        endings.end(turn, ending, now_ms=now_ms)

    def ring_outgoing(
        self, tenant_id: TenantId, conversation_id: ConversationId, seq: int, correlation_id: str, *, again: bool
    ) -> None:
        queues.ring_outgoing(tenant_id, conversation_id, seq, correlation_id, again=again)
