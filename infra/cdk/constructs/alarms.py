"""Alarms, and the topic that carries them to a person."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class AlarmTopic(Construct):
    """An encrypted topic that CloudWatch can publish to.

    `key` must be a customer-managed key: AWS's own key for SNS does not let CloudWatch use it, and then an alarm fires,
    publishes nothing and says so only in its history.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str, key: kms.Key, email: str | None) -> None:
        super().__init__(scope, id_)
        self.topic = sns.Topic(self, "Topic", topic_name=name, master_key=key, enforce_ssl=True)
        for_this_account = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}}
        cloudwatch_alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsEncrypt",
                principals=[cloudwatch_alarms],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=for_this_account,
            )
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[cloudwatch_alarms],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=for_this_account,
            )
        )
        if email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))


class Alarms(Construct):
    """Alarms of one environment; each tells `topic` when it starts and when it ends."""

    def __init__(self, scope: Construct, id_: str, *, prefix: str, topic: sns.ITopic) -> None:
        super().__init__(scope, id_)
        self._prefix = prefix
        self._action = actions.SnsAction(topic)
        self.all: list[cloudwatch.Alarm] = []

    def on_failed_sends(self) -> None:
        """A message to a customer has failed for good: each single one is worth a person's look."""
        metric = cloudwatch.Metric(
            namespace=self._prefix,
            metric_name="SendFailed",
            dimensions_map={"service": "send"},
            statistic="Sum",
            period=cdk.Duration.minutes(1),
        )
        self.watch(
            "send-failed",
            metric,
            "A message to a customer could not be sent. The log of the send function says which and why.",
        )

    def on_failed_sweeps(self) -> None:
        """Something in the index of unfinished work cannot be looked at: it waits for ever, unless a person acts."""
        metric = cloudwatch.Metric(
            namespace=self._prefix,
            metric_name="SweepFailed",
            dimensions_map={"service": "sweeper"},
            statistic="Sum",
            period=cdk.Duration.minutes(1),
        )
        self.watch("sweep-failed", metric, "Unfinished work cannot be read or handed on. The sweeper's log says which.")

    def on_dead_letters(self, name: str, queue: sqs.IQueue) -> None:
        """A doorbell failed again and again. Nothing is lost: the work is in DynamoDB, and the sweeper rings again."""
        metric = queue.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=cdk.Duration.minutes(1)
        )
        self.watch(
            f"{name}-dead-letters",
            metric,
            f"Doorbells of the queue {name} fail again and again. The log of its function says why.",
        )

    def watch(
        self,
        name: str,
        metric: cloudwatch.Metric,
        description: str,
        *,
        threshold: float = 1,
        datapoints: int = 1,
        comparison: cloudwatch.ComparisonOperator = _AT_LEAST,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """Alarm `<prefix>-<name>`: `metric` beyond `threshold` in each of the last `datapoints` periods.

        `description` tells the woken person what to look at and what to do. By default no data is the good case: no
        failures were counted.
        """
        alarm = cloudwatch.Alarm(
            self,
            "".join(word.capitalize() for word in name.split("-")),
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=f"{description} docs/runbook.md: {name}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=datapoints,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.all.append(alarm)
