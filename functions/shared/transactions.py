"""One DynamoDB transaction: its conditions carry labels, so that a refusal says which rule refused."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from functions.shared.tables import AppItem

MAX_ITEMS = 100
"""DynamoDB's limit for one transaction."""

_REFUSED = "ConditionalCheckFailed"
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

_Model = TypeVar("_Model", bound=Model)


class RefusedError(Exception):
    """A condition of the transaction does not hold; nothing was written. `labels` names the refused ones."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(f"the transaction was refused: {', '.join(labels)}")
        self.labels = tuple(labels)


class ContentionError(Exception):
    """Others wrote the same items each time we tried; nothing was written. Try the whole step again later."""


class TooLargeError(Exception):
    """More than 100 items in one transaction; nothing was written."""


class LabelledWrite(TransactWrite):
    """A TransactWrite that remembers under which label each item was added."""

    def __init__(self) -> None:
        super().__init__(connection=AppItem.connection())
        self._label = "transaction"
        # PynamoDB sends checks first, then deletes, puts and updates; the reasons come back in that order.
        self._labels: tuple[list[str], list[str], list[str], list[str]] = ([], [], [], [])

    @contextmanager
    def labelled(self, label: str) -> Iterator[LabelledWrite]:
        """Everything added inside is reported as `label` if its condition fails."""
        outer, self._label = self._label, label
        try:
            yield self
        finally:
            self._label = outer

    def condition_check(
        self, model_cls: type[_Model], hash_key: str, range_key: str | None = None, condition: Condition | None = None
    ) -> None:
        super().condition_check(model_cls, hash_key, range_key, condition)
        self._labels[0].append(self._label)

    def delete(self, model: _Model, condition: Condition | None = None, *, add_version_condition: bool = True) -> None:
        super().delete(model, condition, add_version_condition=add_version_condition)
        self._labels[1].append(self._label)

    def save(self, model: _Model, condition: Condition | None = None, return_values: str | None = None) -> None:
        super().save(model, condition, return_values)
        self._labels[2].append(self._label)

    def update(
        self,
        model: _Model,
        actions: list[Action],
        condition: Condition | None = None,
        return_values: str | None = None,
        *,
        add_version_condition: bool = True,
    ) -> None:
        super().update(model, actions, condition, return_values, add_version_condition=add_version_condition)
        self._labels[3].append(self._label)

    def labels(self) -> list[str]:
        """The label of each item in the order of DynamoDB's cancellation reasons."""
        return [label for group in self._labels for label in group]

    def commit(self) -> None:
        """Write it all or nothing.

        Raises RefusedError, ContentionError, TooLargeError, or PynamoDB's TransactWriteError for anything else.
        """
        labels = self.labels()
        if len(labels) > MAX_ITEMS:
            raise TooLargeError(f"{len(labels)} items in one transaction; DynamoDB takes {MAX_ITEMS}")
        try:
            self._commit()
        except TransactWriteError as error:
            codes = [reason.code if reason else "None" for reason in error.cancellation_reasons]
            refused = [label for label, code in zip(labels, codes, strict=False) if code == _REFUSED]
            if refused:
                raise RefusedError(refused) from error
            if _PASSING.intersection(codes) or error.cause_response_code == "TransactionInProgressException":
                raise ContentionError("others are writing the same items; try again") from error
            raise


Writer = Callable[[LabelledWrite], None]
"""Adds the items of one transaction; called again for each attempt."""


def transact(
    write: Writer,
    *,
    attempts: int = 6,
    sleep: Callable[[float], None] = time.sleep,
    uniform: Callable[[float, float], float] = random.uniform,
) -> None:
    """Build with `write` and commit; a mere conflict with another transaction is tried again with full jitter.

    SDKs do not retry TransactionConflict. Raises as `LabelledWrite.commit`.
    """
    for attempt in range(attempts):
        transaction = LabelledWrite()
        write(transaction)
        try:
            transaction.commit()
        except ContentionError:
            if attempt + 1 == attempts:
                raise
            sleep(backoff_s(attempt, uniform))
        else:
            return


def backoff_s(attempt: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds before attempt number `attempt + 1`: exponential with full jitter, 25 ms to 0.8 s."""
    return uniform(0.0, min(0.8, 0.025 * 2**attempt))
