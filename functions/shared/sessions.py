"""The session row of the gateway table: the one item that both languages write, each its own attributes.

Python writes `desired*` and nothing else; the gateway writes everything else and never `desired*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from functions.shared import settings
from functions.shared.contracts import PairingRecord, SessionRecord, TenantId
from functions.shared.tables import AppItem

SESSION_INDEX = "sessions"
"""Of the gateway table: the session rows alone, by what is desired."""

Desired = Literal["linked", "stopped", "unlinked"]


def session_key(tenant_id: TenantId) -> dict[str, Any]:
    """The key as DynamoDB takes it."""
    return {"pk": {"S": f"SESSION#{tenant_id}"}, "sk": {"S": "SESSION"}}


def load_session(tenant_id: TenantId) -> SessionRecord | None:
    """Who owns the tenant's session now, strongly consistent; None if nobody ever asked for one."""
    answer = AppItem.connection().dispatch(
        "GetItem",
        {"TableName": settings.gateway_table(), "Key": session_key(tenant_id), "ConsistentRead": True},
    )
    item = answer.get("Item")
    return None if item is None else SessionRecord.model_validate(_plain(item))


def came_up_since(tenant_id: TenantId, since_ms: int) -> bool:
    """Whether the tenant's session can send, and says so since `since_ms` or later."""
    session = load_session(tenant_id)
    return session is not None and session.state == "connected" and (session.updated_at or 0) >= since_ms


def set_desired(tenant_id: TenantId, desired: Desired, *, restart: bool = False) -> None:
    """Ask for a session, or for its end; whoever owns it acts on it. `restart` asks for a new socket as well."""
    AppItem.connection().dispatch(
        "UpdateItem",
        {
            "TableName": settings.gateway_table(),
            "Key": session_key(tenant_id),
            "UpdateExpression": "SET tenantId = :tenant, desired = :desired ADD desiredGeneration :generation",
            "ExpressionAttributeValues": {
                ":tenant": {"S": tenant_id},
                ":desired": {"S": desired},
                ":generation": {"N": "1" if restart else "0"},
            },
        },
    )


def ask_for_link(tenant_id: TenantId, *, phone: str | None = None, phone_until_ms: int = 0) -> int:
    """Ask for a session with a new socket; for a number that is not linked, one that shows a QR code or, for `phone`,
    a pairing code. The generation of this wish: the record's `generation` reaches it when the owner acts.

    Parameters
    ----------
    phone : str, optional
        Digits with the country code. Each code rings on that phone, so they end at `phone_until_ms`.
    """
    values: dict[str, Any] = {":tenant": {"S": tenant_id}, ":desired": {"S": "linked"}, ":one": {"N": "1"}}
    wish = "REMOVE desiredPhone, desiredPhoneUntil"
    if phone is not None:
        wish = ""
        values |= {":phone": {"S": phone}, ":until": {"N": str(phone_until_ms)}}
    code = ", desiredPhone = :phone, desiredPhoneUntil = :until" if phone is not None else ""
    answer = AppItem.connection().dispatch(
        "UpdateItem",
        {
            "TableName": settings.gateway_table(),
            "Key": session_key(tenant_id),
            "UpdateExpression": f"SET tenantId = :tenant, desired = :desired{code} {wish} ADD desiredGeneration :one",
            "ExpressionAttributeValues": values,
            "ReturnValues": "UPDATED_NEW",
        },
    )
    return int(answer["Attributes"]["desiredGeneration"]["N"])


def withdraw_link(tenant_id: TenantId, desired: Desired) -> None:
    """Take back `ask_for_link`: no further code rings on the phone, and `desired` holds again."""
    AppItem.connection().dispatch(
        "UpdateItem",
        {
            "TableName": settings.gateway_table(),
            "Key": session_key(tenant_id),
            "UpdateExpression": "SET desired = :desired REMOVE desiredPhone, desiredPhoneUntil",
            "ExpressionAttributeValues": {":desired": {"S": desired}},
        },
    )


def load_pairing(tenant_id: TenantId) -> PairingRecord | None:
    """What the phone can be linked with, strongly consistent. It may be over: `valid_until` tells."""
    answer = AppItem.connection().dispatch(
        "GetItem",
        {
            "TableName": settings.gateway_table(),
            "Key": {**session_key(tenant_id), "sk": {"S": "PAIRING"}},
            "ConsistentRead": True,
        },
    )
    item = answer.get("Item")
    return None if item is None else PairingRecord.model_validate(_plain(item))


def businesses_of(phone_jid: str) -> list[TenantId]:
    """Who has this number linked. With two of them, two assistants answer each customer."""
    answer = AppItem.connection().dispatch(
        "Query",
        {
            "TableName": settings.gateway_table(),
            "IndexName": SESSION_INDEX,
            "KeyConditionExpression": "desired = :linked",
            "FilterExpression": "phoneJid = :phone",
            "ExpressionAttributeValues": {":linked": {"S": "linked"}, ":phone": {"S": phone_jid}},
        },
    )
    return [SessionRecord.model_validate(_plain(item)).tenant_id for item in answer["Items"]]


def _plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The strings and numbers of the item: a SessionRecord has no other kinds, the gateway may keep some beside it."""
    plain: dict[str, Any] = {}
    for name, value in item.items():
        if "S" in value:
            plain[name] = value["S"]
        elif "N" in value:
            plain[name] = int(value["N"]) if value["N"].lstrip("-").isdigit() else float(value["N"])
    return plain
