"""Lambda function behind `POST /api/whatsapp/webhook/incoming`: verify, accept, ring, and only then say yes.

The gateway repeats whatever gets no 2xx, so a failure of ours is a 503 and costs a repetition, never a message.
"""

from __future__ import annotations

from typing import TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from functions.shared import aws, clock, queues
from functions.shared.contracts import (
    ErrorAnswer,
    Event,
    EventAnswer,
    MessageReceived,
)
from functions.shared.observability import count, instrumented, logger, masked
from functions.shared.secret import SecretError, internal_secret
from functions.shared.tables import ThrottledError
from functions.shared.transactions import ContentionError
from functions.webhook.accept import accept
from functions.webhook.chats import UnknownTenantError
from functions.webhook.request import FunctionUrlEvent, RequestError, parse

OUR_FAILURES = (PynamoDBException, BotoCoreError, ClientError, ContentionError, ThrottledError, SecretError)

aws.prepare(aws.sqs, aws.secrets_manager)


class FunctionUrlAnswer(TypedDict):
    statusCode: int
    headers: dict[str, str]
    body: str


@instrumented
def handle(request: FunctionUrlEvent, _context: LambdaContext) -> FunctionUrlAnswer:
    """Entry point of the Lambda function."""
    try:
        event = parse(request, internal_secret(), clock.now_ms() // 1000)
        logger.append_keys(correlation_id=event.correlation_id, tenant_id=event.tenant_id)
        return _answer(200, _take(event))
    except RequestError as refusal:
        return _rejected(refusal)
    except UnknownTenantError as error:
        return _rejected(RequestError(404, "unknown_tenant", str(error)))
    except OUR_FAILURES:
        logger.exception("the event could not be stored; the gateway will repeat it")
        return _answer(503, ErrorAnswer(error="unavailable", reason="a store did not answer; repeat the event"))


def _take(event: Event) -> EventAnswer:
    if isinstance(event, MessageReceived):
        logger.info(f"[WA-INCOMING] biz={event.tenant_id}, from={masked(event.chat.jid)}", message_id=event.message_id)
    acceptance = accept(event)
    for bell in acceptance.rings:
        ring = queues.ring_turns if bell.queue == "turns" else queues.ring_outgoing
        ring(event.tenant_id, bell.conversation_id, bell.seq, event.correlation_id, again=bell.again)
    answer = acceptance.answer
    logger.info(f"{event.type} {answer.result}", reason=answer.reason, rings=[bell.queue for bell in acceptance.rings])
    return answer


def _rejected(refusal: RequestError) -> FunctionUrlAnswer:
    logger.warning(f"event rejected: {refusal.error}", status=refusal.status, reason=refusal.reason)
    count("EventRejected", error=refusal.error)
    return _answer(refusal.status, ErrorAnswer(error=refusal.error, reason=refusal.reason))


def _answer(status: int, body: EventAnswer | ErrorAnswer) -> FunctionUrlAnswer:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": body.to_json()}
