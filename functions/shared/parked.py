"""Events that the webhook refuses for good: rows of the gateway's journal that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from functions.shared import settings
from functions.shared.contracts import TenantId
from functions.shared.tables import AppItem


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A refused event. Times in Unix milliseconds."""

    sk: str
    parked_at: int
    status: int
    reason: str

    @property
    def received_at(self) -> int:
        return int(self.sk[:15])

    @property
    def message_id(self) -> str:
        return self.sk[16:]


def parked_rows(tenant_id: TenantId) -> Iterator[ParkedRow]:
    """The refused events of a tenant, oldest first."""
    query: dict[str, Any] = {
        "TableName": settings.gateway_table(),
        "KeyConditionExpression": "pk = :pk",
        "FilterExpression": "attribute_exists(parked)",
        "ExpressionAttributeValues": {":pk": {"S": f"JOURNAL#{tenant_id}"}},
        "ProjectionExpression": "sk, parked",
        "ConsistentRead": True,
    }
    while True:
        answer = AppItem.connection().dispatch("Query", query)
        for item in answer["Items"]:
            why = item["parked"]["M"]
            yield ParkedRow(item["sk"]["S"], int(why["at"]["N"]), int(why["status"]["N"]), why["reason"]["S"])
        if "LastEvaluatedKey" not in answer:
            return
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def redeliver(tenant_id: TenantId, row: ParkedRow) -> bool:
    """Let the gateway bring the event once more, which it begins within a minute; False if the row is gone."""
    try:
        AppItem.connection().dispatch(
            "UpdateItem",
            {
                "TableName": settings.gateway_table(),
                "Key": {"pk": {"S": f"JOURNAL#{tenant_id}"}, "sk": {"S": row.sk}},
                "UpdateExpression": "REMOVE parked",
                "ConditionExpression": "attribute_exists(parked)",
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
