"""Reading items, one or many, and the condition of a creation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from functions.shared import settings
from functions.shared.keys import Key
from functions.shared.tables.item import AppItem

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

Item = TypeVar("Item", bound=AppItem)
_MAX_BATCH = 100  # of BatchGetItem
_MAX_REFUSED = 3


class ThrottledError(Exception):
    """DynamoDB did not answer for all keys of a batch; repeat the whole step."""


class Found:
    """The items that `get_together` found, each to be asked for by its model and key."""

    def __init__(self, raw: Mapping[Key, Mapping[str, Any]]) -> None:
        self._raw = raw

    def get(self, model: type[Item], key: Key) -> Item | None:
        raw = self._raw.get(key)
        return None if raw is None else model.from_raw_data(dict(raw))


def get_together(keys: Iterable[Key]) -> Found:
    """Read items of any kind, strongly consistent, in one call for each hundred.

    It is no snapshot: who writes what follows from it does so under conditions.

    Raises ThrottledError if DynamoDB leaves some out three times.
    """
    table = settings.app_table()
    wanted: list[Any] = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(keys)]
    raw: dict[Key, Mapping[str, Any]] = {}
    refused = 0
    while wanted:
        answer = AppItem.connection().dispatch(
            "BatchGetItem", {"RequestItems": {table: {"Keys": wanted[:_MAX_BATCH], "ConsistentRead": True}}}
        )
        for item in answer["Responses"].get(table, []):
            raw[item["pk"]["S"], item["sk"]["S"]] = item
        left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        refused += bool(left)
        if refused == _MAX_REFUSED:
            raise ThrottledError("DynamoDB answered only a part of a batch; try again")
        wanted = left + wanted[_MAX_BATCH:]
    return Found(raw)


def find(model: type[Item], key: Key) -> Item | None:
    """One item, strongly consistent, or None."""
    try:
        return model.get(key[0], key[1], consistent_read=True)
    except model.DoesNotExist:
        return None


def not_exists(model: type[AppItem]) -> Condition:
    """Condition of a creation."""
    return model.pk.does_not_exist()
