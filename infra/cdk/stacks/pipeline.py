"""The way of a message through the functions. Imports nothing of the gateway: that one calls the webhook's URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.cdk.constructs.alarms import Alarms
from infra.cdk.constructs.doorbell_queue import MAX_RECEIVE_COUNT, DoorbellQueue
from infra.cdk.constructs.grants import (
    DELETE,
    READ,
    WRITE,
    may_read_secret,
    may_ring,
    may_use_index,
    may_use_objects,
    may_use_table,
)
from infra.cdk.constructs.nag import not_followed
from infra.cdk.constructs.python_function import Code, PythonFunction
from infra.cdk.settings import AGENT_TIMEOUT_SECONDS, SEND_TIMEOUT_SECONDS, Settings
from infra.cdk.stacks.state import MEDIA_PREFIX, SWEEP_INDEX, StateStack


class PipelineStack(cdk.Stack):
    """Queues, functions, their triggers and their alarms."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: Settings, state: StateStack, bundles: Mapping[str, Code]
    ) -> None:
        super().__init__(scope, id_, description="Kesher: queues, functions and their alarms")
        self._settings = settings
        self._state = state
        self._bundles = bundles
        self.turns = DoorbellQueue(
            self,
            "Turns",
            name=f"{settings.prefix}-turns",
            timeout=AGENT_TIMEOUT_SECONDS,
            delay=settings.debounce_seconds,
        )
        self.outgoing = DoorbellQueue(
            self, "Outgoing", name=f"{settings.prefix}-outgoing", timeout=SEND_TIMEOUT_SECONDS
        )
        both_queues = {
            "TURNS_QUEUE_URL": self.turns.queue.queue_url,
            "OUTGOING_QUEUE_URL": self.outgoing.queue.queue_url,
        }
        internal_secret = {"INTERNAL_SECRET_ARN": state.internal_secret.secret_arn}

        self.webhook = self._function("webhook", 10, 512, {**both_queues, **internal_secret})
        self.webhook_url = self.webhook.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.AWS_IAM)
        may_use_table(self.webhook.function, state.app_table, *READ, *WRITE)
        # A session that is connected again rings for what waited.
        may_use_index(self.webhook.function, state.app_table, SWEEP_INDEX, "dynamodb:Query")
        may_read_secret(self.webhook.function, state.internal_secret)
        may_ring(self.webhook.function, self.turns.queue, self.outgoing.queue)

        self.agent = self._function(
            "agent",
            AGENT_TIMEOUT_SECONDS,
            1024,
            {
                **both_queues,
                "TURNS_MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT),
                "MODEL_SECRET_ARN": state.model_secret.secret_arn,
                "MEDIA_BUCKET": state.media.bucket_name,
                **self._model(),
            },
        )
        self.agent.rung_by(self.turns.queue, concurrency=settings.turns_concurrency)
        may_use_table(self.agent.function, state.app_table, *READ, *WRITE, *DELETE)
        may_read_secret(self.agent.function, state.model_secret)
        # Puts the files that it wants sent; what customers sent it does not read.
        may_use_objects(self.agent.function, state.media_arn, state.key, MEDIA_PREFIX, "s3:PutObject")
        not_followed(
            self.agent,
            f"IAM5[Resource::{state.media_export}/{MEDIA_PREFIX}*]",
            because="New objects under one prefix; their names are hashes.",
        )
        may_ring(self.agent.function, self.turns.queue, self.outgoing.queue)

        self.send = self._function(
            "send",
            SEND_TIMEOUT_SECONDS,
            512,
            {"GATEWAY_TABLE": state.gateway_table.table_name, **internal_secret},
            in_network=True,
        )
        self.send.rung_by(self.outgoing.queue, concurrency=settings.sends_concurrency)
        may_use_table(self.send.function, state.app_table, *READ, *WRITE)
        # The session's row, which says where its owner is.
        may_use_table(self.send.function, state.gateway_table, "dynamodb:GetItem")
        may_read_secret(self.send.function, state.internal_secret)

        self.sweeper = self._function("sweeper", 50, 512, both_queues)
        may_use_table(self.sweeper.function, state.app_table, *READ, *WRITE)
        may_use_index(self.sweeper.function, state.app_table, SWEEP_INDEX, "dynamodb:Query")
        may_ring(self.sweeper.function, self.turns.queue, self.outgoing.queue)
        events.Rule(
            self,
            "EveryMinute",
            description="Rings again for what is pending too long",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            # The next one comes in a minute; a late one would find nothing more to do.
            targets=[targets.LambdaFunction(self.sweeper.function, retry_attempts=0)],
        )

        self.feed = self._function("feed", 20, 512, {})
        # No signature: a phone that subscribes to a calendar can make none. The path holds the owner's token.
        self.feed_url = self.feed.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
        may_use_table(self.feed.function, state.app_table, *READ)

        alarms = Alarms(self, "Alarms", prefix=settings.prefix, topic=state.alarm_topic)
        alarms.on_failed_sends()
        alarms.on_failed_sweeps()
        alarms.on_dead_letters("turns", self.turns.dead_letters)
        alarms.on_dead_letters("outgoing", self.outgoing.dead_letters)
        self._outputs()

    def _function(
        self, name: str, timeout: int, memory: int, environment: Mapping[str, str], *, in_network: bool = False
    ) -> PythonFunction:
        network = self._state.network
        return PythonFunction(
            self,
            name.capitalize(),
            name=name,
            code=self._bundles[name],
            settings=self._settings,
            timeout=timeout,
            memory=memory,
            environment={"APP_TABLE": self._state.app_table.table_name, **environment},
            network=(network.vpc, network.send_security_group) if in_network else None,
        )

    def _model(self) -> dict[str, str]:
        chosen = {
            "OPENAI_BASE_URL": self._settings.openai_base_url,
            "OPENAI_MODEL": self._settings.openai_model,
            "OPENAI_FALLBACK_MODEL": self._settings.openai_fallback_model,
        }
        return {name: value for name, value in chosen.items() if value}

    def _outputs(self) -> None:
        functions: Sequence[tuple[str, PythonFunction]] = (
            ("Webhook", self.webhook),
            ("Agent", self.agent),
            ("Send", self.send),
            ("Sweeper", self.sweeper),
            ("Feed", self.feed),
        )
        outputs = {
            "WebhookUrl": self.webhook_url.url,
            "FeedUrl": self.feed_url.url,
            "TurnsQueueUrl": self.turns.queue.queue_url,
            "OutgoingQueueUrl": self.outgoing.queue.queue_url,
            "TurnsDeadLettersUrl": self.turns.dead_letters.queue_url,
            "OutgoingDeadLettersUrl": self.outgoing.dead_letters.queue_url,
            **{f"{name}FunctionName": function.function.function_name for name, function in functions},
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
