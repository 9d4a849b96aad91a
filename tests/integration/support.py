"""Words for the integration tests: events as the gateway sends them, and what is to be seen in the store."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.shared import aws, clock, settings, signing
from functions.shared.contracts import (
    Chat,
    ConversationId,
    Doorbell,
    Jid,
    MessageId,
    MessageReceived,
    TenantId,
    TextContent,
    Wire,
)
from functions.shared.conversation import load_conversation
from functions.shared.inbox import Reply, RunTurn, Turn, TurnRecord, begin_turn, commit_turn, decide
from functions.shared.keys import CONVERSATION, alias_key, conversation_pk
from functions.shared.secret import InternalSecret
from functions.shared.tables import AliasItem, AppItem, ConversationItem, MessageItem, OutboxItem, find
from functions.webhook import handler
from functions.webhook.accept import accept
from functions.webhook.request import PATH, FunctionUrlEvent

SECRET = InternalSecret(current="the secret in force", previous="the secret before")
LID = Jid("987654321@lid")
PHONE = Jid("972501234567@s.whatsapp.net")

_numbers = itertools.count(1)


def direct(lid: Jid | None = LID, phone: Jid | None = PHONE) -> Chat:
    """A customer's chat, addressed by the LID if there is one."""
    jid = lid or phone
    assert jid is not None
    return Chat(kind="direct", jid=jid, lid=lid, phone_jid=phone)


def message(
    tenant: TenantId,
    text: str = "hi",
    *,
    chat: Chat | None = None,
    message_id: str | None = None,
    from_me: bool = False,
    sent_at: int | None = None,
) -> MessageReceived:
    """A message of the tenant's one customer, or the owner's answer."""
    number = next(_numbers)
    now = clock.now_ms()
    return MessageReceived(
        tenant_id=tenant,
        correlation_id=f"test-{number}",
        chat=chat or direct(),
        message_id=MessageId(message_id or f"3A{number:018X}"),
        from_me=from_me,
        sender_name="Ron" if from_me else "Dana",
        sent_at=now if sent_at is None else sent_at,
        received_at=now,
        backlog=False,
        content=TextContent(text=text),
    )


def signed(
    event: Wire | str,
    *,
    secret: str = SECRET.current,
    at_s: int | None = None,
    path: str = PATH,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> FunctionUrlEvent:
    """The request as Lambda passes it on from the function URL."""
    body = event if isinstance(event, str) else event.to_json()
    timestamp = clock.now_ms() // 1000 if at_s is None else at_s
    signature = signing.sign(secret, timestamp, body.encode())
    given = {signing.TIMESTAMP_HEADER: str(timestamp), signing.SIGNATURE_HEADER: signature, **(headers or {})}
    return {
        "rawPath": path,
        "headers": given,
        "requestContext": {"http": {"method": method}},
        "body": body,
        "isBase64Encoded": False,
    }


@dataclass
class LambdaContextDouble:
    """Just enough of Lambda's context for the handlers and Powertools."""

    remaining_ms: int = 120_000
    function_name: str = "test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:000000000000:function:test"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"
    log_stream_name: str = "test"
    client_context: object = field(default=None)

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def post(request: FunctionUrlEvent) -> handler.FunctionUrlAnswer:
    """Run the webhook."""
    return handler.handle(request, cast("LambdaContext", LambdaContextDouble()))


class Store:
    """The tables and queues, as a test looks at them."""

    def drain_queues(self) -> None:
        self.rings("turns")
        self.rings("outgoing")

    def rings(self, queue: str) -> list[Doorbell]:
        """The doorbells in a queue, removed from it."""
        url = settings.turns_queue_url() if queue == "turns" else settings.outgoing_queue_url()
        bells: list[Doorbell] = []
        while True:
            got = aws.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            if not got:
                return bells
            for one in got:
                bells.append(Doorbell.model_validate_json(one["Body"]))
                aws.sqs().delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])

    def count(self) -> int:
        """All items of the app table."""
        return sum(1 for _ in AppItem.scan(consistent_read=True))

    def conversation_id(self, tenant: TenantId, jid: Jid = LID) -> ConversationId:
        alias = find(AliasItem, alias_key(tenant, jid))
        assert alias is not None
        return ConversationId(alias.conversation_id)

    def conversation(self, tenant: TenantId, conversation_id: ConversationId | None = None) -> ConversationItem:
        key = (conversation_pk(tenant, conversation_id or self.conversation_id(tenant)), CONVERSATION)
        item = find(ConversationItem, key)
        assert item is not None
        return item

    def messages(self, tenant: TenantId, conversation_id: ConversationId | None = None) -> list[MessageItem]:
        pk = conversation_pk(tenant, conversation_id or self.conversation_id(tenant))
        return list(MessageItem.query(pk, MessageItem.sk.startswith("MSG#"), consistent_read=True))

    def outbox(self, tenant: TenantId, conversation_id: ConversationId | None = None) -> list[OutboxItem]:
        pk = conversation_pk(tenant, conversation_id or self.conversation_id(tenant))
        return list(OutboxItem.query(pk, OutboxItem.sk.startswith("OUT#"), consistent_read=True))


def body_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(answer["body"])
    return parsed


# ---- turns ------------------------------------------------------------------------------------------------------


def accept_and_begin(tenant: TenantId, *texts: str, chat: Chat | None = None) -> Turn:
    """The customer writes `texts`; returns the turn that answers them all."""
    for text in texts:
        accept(message(tenant, text, chat=chat))
    alias = find(AliasItem, alias_key(tenant, (chat or direct()).jid))
    assert alias is not None
    snapshot = load_conversation(tenant, ConversationId(alias.conversation_id))
    now = clock.now_ms()
    decision = decide(snapshot, snapshot.last_seq, now)
    assert isinstance(decision, RunTurn), decision
    return begin_turn(snapshot, decision, correlation_id="test-turn", now_ms=now)


def answer_with(turn: Turn, *texts: str, now_ms: int | None = None) -> list[MessageId]:
    """Commit the turn with these replies."""
    record = TurnRecord(items=[{"role": "assistant", "content": text} for text in texts])
    now = clock.now_ms() if now_ms is None else now_ms
    return commit_turn(turn, replies=[Reply(text) for text in texts], record=record, now_ms=now)
