"""Refused events can be listed and given back to the gateway."""

from __future__ import annotations

from functions.shared import settings
from functions.shared.contracts import TenantId
from functions.shared.parked import parked_rows, redeliver
from functions.shared.tables import AppItem
from tests.integration.support import Store


def put(tenant: TenantId, sk: str, **attributes: object) -> None:
    item = {"pk": {"S": f"JOURNAL#{tenant}"}, "sk": {"S": sk}, **attributes}
    AppItem.connection().dispatch("PutItem", {"TableName": settings.gateway_table(), "Item": item})


def test_refused_events_are_listed_and_given_back_once(store: Store, tenant: TenantId) -> None:
    refused = {"M": {"at": {"N": "7"}, "status": {"N": "422"}, "reason": {"S": "HTTP 422: bad_body"}}}
    put(tenant, "000000000000005#REFUSED", parked=refused)
    put(tenant, "000000000000006#WAITING")

    [row] = parked_rows(tenant)

    assert (row.message_id, row.received_at, row.parked_at, row.status) == ("REFUSED", 5, 7, 422)
    assert redeliver(tenant, row)
    assert list(parked_rows(tenant)) == []
    assert not redeliver(tenant, row)
