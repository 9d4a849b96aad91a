"""Lambda function of every minute: rings again what is pending too long."""

from __future__ import annotations

from typing import TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.shared import aws, clock, queues
from functions.shared.observability import instrumented, logger
from functions.sweeper.sweep import sweep

RESERVE_MS = 5_000
"""Left at the end of an invocation, so that a run ends between two chunks and not in one."""

aws.prepare(aws.sqs)


class SweepAnswer(TypedDict):
    looked_at: int
    turns_rung: int
    outgoing_rung: int
    forgotten: int
    given_up: int
    promoted: int


@instrumented
def handle(_event: dict[str, object], context: LambdaContext) -> SweepAnswer:
    """Entry point of the Lambda function."""
    counts = sweep(
        now_ms=clock.now_ms(),
        ring=queues.ring_again,
        has_time=lambda: context.get_remaining_time_in_millis() > RESERVE_MS,
    )
    answer: SweepAnswer = {
        "looked_at": counts.looked_at,
        "turns_rung": counts.turns_rung,
        "outgoing_rung": counts.outgoing_rung,
        "forgotten": counts.forgotten,
        "given_up": counts.given_up,
        "promoted": counts.promoted,
    }
    logger.info("swept", **answer)
    return answer
