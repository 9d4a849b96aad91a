"""What every item of the app table has, and the index of unfinished work."""

from __future__ import annotations

from pynamodb.connection import Connection, TableConnection
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from functions.shared import settings
from functions.shared.tables.attributes import OptionalInt, Text


class _TableName:
    """Reads the environment at the first request, not while a module is imported."""

    def __get__(self, instance: object, owner: type) -> str:
        return settings.app_table()


class SweepIndex(GlobalSecondaryIndex["AppItem"]):  # type: ignore[no-untyped-call] # of PynamoDB's __init_subclass__
    """Unfinished work, by the time when somebody should look at it again. Sparse: only items that have both keys."""

    class Meta:
        index_name = "sweep"
        projection = KeysOnlyProjection()
        billing_mode = "PAY_PER_REQUEST"

    sweep_shard = OptionalInt(hash_key=True)
    sweep_at = OptionalInt(range_key=True)


class AppItem(Model):
    """Any item of the app table; the subclasses say which attributes it has."""

    class Meta:
        table_name = _TableName()
        billing_mode = "PAY_PER_REQUEST"
        connect_timeout_seconds = 2
        read_timeout_seconds = 5
        max_retry_attempts = 3

    pk = Text(hash_key=True)
    sk = Text(range_key=True)
    sweep_shard = OptionalInt()
    sweep_at = OptionalInt()
    """Milliseconds."""
    expires_at = OptionalInt()
    """Seconds, for DynamoDB's TTL, which deletes late: whoever reads such an item checks it."""
    sweep = SweepIndex()

    @classmethod
    def _get_connection(cls) -> TableConnection:
        # One client for all models: each would make its own, at 50 ms of a cold start.
        return super(AppItem, AppItem)._get_connection()

    @classmethod
    def disconnect(cls) -> None:
        """Forget the client, and with it the table's name and the credentials that it was made with."""
        AppItem._connection = None

    @classmethod
    def connection(cls) -> Connection:
        """What TransactWrite needs."""
        return cls._get_connection().connection
