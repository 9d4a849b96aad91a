"""Lambda function on the queue `turns`: each doorbell is answered by at most one turn over everything that waits.

A failed turn has written nothing. Its doorbell comes back after a short, growing pause; at the last time the customer
is told that a person will answer, and that person is called. Nobody waits in silence.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

import functions.agent.lean_sdk  # noqa: F401 - before whatever imports the SDK
from functions.agent import settings, turn
from functions.agent.assistant import AgentCache
from functions.agent.store import AppStore
from functions.shared import aws, clock
from functions.shared import settings as shared_settings
from functions.shared.contracts import Doorbell
from functions.shared.conversation import ConversationNotFoundError
from functions.shared.observability import count, instrumented, logger

BACKOFF_S = (2, 5, 15)
"""After the first, second, ... failure. Without it the customer waits for the queue's visibility time-out: minutes."""
COMMIT_RESERVE_MS = 10_000
"""Of the invocation's time, kept for the commit after a run."""

_METRICS: dict[turn.Outcome, str] = {
    "answered": "TurnCommitted",
    "handed_over": "TurnFailed",
    "person_called": "PersonCalled",
    "put_aside": "PersonCalled",
    "silent": "PersonCalled",
}

_loop = asyncio.new_event_loop()
"""One for the process: the model's client keeps its connections, and they belong to the loop that opened them."""


class SqsAttributes(TypedDict):
    ApproximateReceiveCount: str


class SqsRecord(TypedDict):
    messageId: str
    receiptHandle: str
    body: str
    attributes: SqsAttributes


class SqsEvent(TypedDict):
    Records: list[SqsRecord]


class ItemFailure(TypedDict):
    itemIdentifier: str


class BatchAnswer(TypedDict):
    batchItemFailures: list[ItemFailure]


@cache
def _agents() -> AgentCache:
    return AgentCache()


@instrumented
def handle(event: SqsEvent, context: LambdaContext) -> BatchAnswer:
    """Entry point of the Lambda function. The batch size is 1; more would still be handled in their order."""
    records = event["Records"]
    for position, record in enumerate(records):
        if not _answered(record, context):
            # What comes after a failed doorbell may be of the same conversation: it must not pass.
            return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in records[position:]]}
    return {"batchItemFailures": []}


def _answered(record: SqsRecord, context: LambdaContext) -> bool:
    try:
        doorbell = Doorbell.model_validate_json(record["body"])
    except ValidationError:
        logger.exception("not a doorbell; it goes to the dead letters")
        return False
    received = int(record["attributes"]["ApproximateReceiveCount"])
    logger.append_keys(
        correlation_id=doorbell.correlation_id,
        tenant_id=doorbell.tenant_id,
        conversation_id=doorbell.conversation_id,
        seq=doorbell.seq,
    )
    world = _world(context)
    try:
        outcome = _loop.run_until_complete(turn.answer(doorbell, world))
    except ConversationNotFoundError:
        logger.exception("nobody to answer: the doorbell names no conversation")
        return True
    except Exception as error:  # noqa: BLE001 - of model, server, store; nothing is written
        logger.exception("turn failed", extra={"received": received})
        if received < settings.max_receive_count():
            _come_back_soon(record, received)
            return False
        outcome = turn.give_up(doorbell, world, f"the assistant failed {received} times: {type(error).__name__}")
    _count(outcome, doorbell)
    return True


def _world(context: LambdaContext) -> turn.World:
    left_ms = context.get_remaining_time_in_millis() - COMMIT_RESERVE_MS
    limit_ms = max(1_000, min(settings.turn_limit_ms(), left_ms))
    return turn.World(store=AppStore(), agents=_agents(), now_ms=clock.now_ms, limit_s=limit_ms / 1000)


def _come_back_soon(record: SqsRecord, received: int) -> None:
    pause_s = BACKOFF_S[min(received, len(BACKOFF_S)) - 1]
    try:
        aws.sqs().change_message_visibility(
            QueueUrl=shared_settings.turns_queue_url(), ReceiptHandle=record["receiptHandle"], VisibilityTimeout=pause_s
        )
    except (BotoCoreError, ClientError):
        # Then it comes back after the queue's own time-out: later, not never.
        logger.warning("the doorbell's return could not be hastened", exc_info=True)


def _count(outcome: turn.Outcome, doorbell: Doorbell) -> None:
    logger.info(f"turn {outcome}")
    metric = _METRICS.get(outcome)
    if metric is not None:
        count(metric, tenant_id=doorbell.tenant_id, correlation_id=doorbell.correlation_id)
