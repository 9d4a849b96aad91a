"""A FIFO queue of doorbells with its dead-letter queue."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

MAX_RECEIVE_COUNT = 3
"""A doorbell that failed three times failed for a reason; its work is in DynamoDB, and the sweeper rings again."""
DEAD_LETTER_RETENTION = cdk.Duration.days(14)


class DoorbellQueue(Construct):
    """Messages of one group are handled in order; a failing one goes to `dead_letters` and frees its group.

    `delay` and `timeout` are in seconds; `timeout` is that of the function which the queue rings.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str, timeout: int, delay: int = 0) -> None:
        super().__init__(scope, id_)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=f"{name}-dead-letters.fifo",
            fifo=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=DEAD_LETTER_RETENTION,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=f"{name}.fifo",
            fifo=True,
            # A delay by message is not possible in a FIFO queue.
            delivery_delay=cdk.Duration.seconds(delay),
            # Longer than the function may run, or a second one starts on the same doorbell; not much longer, because a
            # failed doorbell blocks its conversation for that long.
            visibility_timeout=cdk.Duration.seconds(timeout + 30),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVE_COUNT),
        )
