"""Lambda function on the queue `outgoing`: each doorbell drains one conversation's outbox.

A message that cannot go now is no failure of the function: its row says when to try again, and the sweeper or the next
`connected` event rings. Only our own stores' failures send a doorbell back to SQS.
"""

from __future__ import annotations

import random
import time
from typing import TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from pynamodb.exceptions import PynamoDBException

from functions.send.drain import Surroundings, drain
from functions.send.gateway import Gateway
from functions.shared import aws, clock, sessions, settings
from functions.shared.contracts import Doorbell
from functions.shared.conversation import ConversationNotFoundError
from functions.shared.observability import instrumented, logger
from functions.shared.secret import SecretError, internal_secret
from functions.shared.tables import ThrottledError
from functions.shared.transactions import ContentionError

FAILURES = (
    PynamoDBException,
    BotoCoreError,
    ClientError,
    ContentionError,
    ThrottledError,
    SecretError,
    ConversationNotFoundError,
    ValidationError,
)

aws.prepare(aws.secrets_manager)


class SqsRecord(TypedDict):
    messageId: str
    body: str


class SqsEvent(TypedDict):
    Records: list[SqsRecord]


class ItemFailure(TypedDict):
    itemIdentifier: str


class BatchAnswer(TypedDict):
    """What makes SQS repeat the listed messages only."""

    batchItemFailures: list[ItemFailure]


@instrumented
def handle(event: SqsEvent, context: LambdaContext) -> BatchAnswer:
    """Entry point of the Lambda function."""
    world = Surroundings(
        sender=Gateway(internal_secret()),
        now_ms=clock.now_ms,
        sleep_ms=lambda wait: time.sleep(wait / 1000),
        uniform=random.uniform,
        remaining_ms=context.get_remaining_time_in_millis,
        max_wait_ms=settings.send_wait_ms(),
        came_up_since=sessions.came_up_since,
    )
    failures: list[ItemFailure] = []
    for record in event["Records"]:
        # Once one failed, the rest of a FIFO batch must wait behind it. The batch size is 1 all the same.
        if failures or not _drained(record, world):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _drained(record: SqsRecord, world: Surroundings) -> bool:
    try:
        bell = Doorbell.model_validate_json(record["body"])
        logger.append_keys(correlation_id=bell.correlation_id, tenant_id=bell.tenant_id)
        ending = drain(bell.tenant_id, bell.conversation_id, world)
    except FAILURES:
        logger.exception("the outbox could not be drained; SQS will repeat the doorbell")
        return False
    logger.info(f"outbox {ending}", conversation_id=bell.conversation_id)
    return True
