"""A transaction that is refused says by which rule; one that only collided is tried again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from pynamodb.exceptions import CancellationReason, TransactWriteError, VerboseClientError
from urllib3 import HTTPResponse

from functions.shared.tables import AppItem, LeadItem, not_exists
from functions.shared.transactions import (
    ContentionError,
    LabelledWrite,
    RefusedError,
    TooLargeError,
    backoff_s,
    transact,
)
from tests.unit.protocol.table import begin_empty, in_process_table


@pytest.fixture(scope="module")
def table() -> Iterator[None]:
    with in_process_table():
        yield


@pytest.fixture(autouse=True)
def empty_table(table: None) -> None:
    begin_empty()


def lead(pk: str) -> LeadItem:
    return LeadItem(pk, "LEAD", stage="new", source="whatsapp")


def collision(*codes: str | None) -> TransactWriteError:
    reasons = [None if code is None else CancellationReason(code=code) for code in codes]
    error: Any = {"Error": {"Code": "TransactionCanceledException", "Message": "cancelled"}}
    return TransactWriteError(
        "Failed to write transaction items",
        VerboseClientError(error, "TransactWriteItems", cancellation_reasons=reasons),
    )


def test_the_labels_of_all_refused_items_come_back_whatever_order_they_were_added_in() -> None:
    """PynamoDB sends checks, deletes, puts and updates in this order, not in ours."""
    lead("there").save()
    transaction = LabelledWrite()
    with transaction.labelled("update"):
        transaction.update(lead("none"), [LeadItem.stage.set("won")], condition=LeadItem.stage == "new")
    with transaction.labelled("put"):
        transaction.save(lead("there"), condition=not_exists(LeadItem))
    with transaction.labelled("fine"):
        transaction.save(lead("free"), condition=not_exists(LeadItem))
    with transaction.labelled("delete"):
        transaction.delete(lead("gone"), condition=LeadItem.stage == "new")
    with transaction.labelled("check"):
        transaction.condition_check(LeadItem, "absent", "LEAD", condition=LeadItem.stage == "new")

    assert transaction.labels() == ["check", "delete", "put", "fine", "update"]
    with pytest.raises(RefusedError) as refused:
        transaction.commit()
    assert refused.value.labels == ("check", "delete", "put", "update")
    assert [item.pk for item in AppItem.scan()] == ["there"]


def test_labels_nest_and_end() -> None:
    transaction = LabelledWrite()
    with transaction.labelled("outer"):
        with transaction.labelled("inner"):
            transaction.save(lead("a"))
        transaction.save(lead("b"))
    transaction.save(lead("c"))

    assert transaction.labels() == ["inner", "outer", "transaction"]


def test_more_items_than_dynamodb_takes_are_not_sent() -> None:
    transaction = LabelledWrite()
    for number in range(101):
        transaction.save(lead(f"{number}"))

    with pytest.raises(TooLargeError, match="101"):
        transaction.commit()


def test_a_collision_is_tried_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    collisions = iter([collision("TransactionConflict"), collision(None, "ThrottlingError"), None])
    monkeypatch.setattr(LabelledWrite, "_commit", lambda _: raise_if(next(collisions)))
    pauses: list[float] = []

    transact(lambda one: one.save(lead("a")), sleep=pauses.append, uniform=lambda _, high: high)

    assert pauses == [0.025, 0.05]


def test_collisions_without_end_are_given_up_with_nothing_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LabelledWrite, "_commit", lambda _: raise_if(collision("TransactionConflict")))
    pauses: list[float] = []

    with pytest.raises(ContentionError):
        transact(lambda one: one.save(lead("a")), attempts=4, sleep=pauses.append)
    assert len(pauses) == 3


def test_a_refusal_beats_a_collision_and_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = collision("ConditionalCheckFailed", "TransactionConflict")
    monkeypatch.setattr(LabelledWrite, "_commit", lambda _: raise_if(mixed))

    def write(transaction: LabelledWrite) -> None:
        with transaction.labelled("rule"):
            transaction.save(lead("a"))
        transaction.save(lead("b"))

    with pytest.raises(RefusedError) as refused:
        transact(write)
    assert refused.value.labels == ("rule",)


def test_anything_else_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LabelledWrite, "_commit", lambda _: raise_if(collision("ValidationError")))

    with pytest.raises(TransactWriteError):
        transact(lambda one: one.save(lead("a")))


def test_a_transaction_carries_a_token_so_that_the_sdks_own_repetition_writes_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[dict[str, Any]] = []

    def network(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        assert isinstance(request.body, bytes)
        sent.append(json.loads(request.body))
        return AWSResponse(str(request.url), 200, HTTPHeaders(), HTTPResponse(io.BytesIO(b"{}"), preload_content=False))

    client = AppItem.connection().client
    monkeypatch.delattr(client, "_make_api_call")  # of the table, which leaves the SDK out
    client.meta.events.register_first("before-send.dynamodb.TransactWriteItems", network)  # type: ignore[arg-type] # its answer is the point
    for _ in range(2):
        transact(lambda one: one.save(lead("a")))

    tokens = [request["ClientRequestToken"] for request in sent]
    assert len(set(tokens)) == 2


def test_pauses_grow_with_full_jitter() -> None:
    assert [backoff_s(attempt, lambda _, high: high) for attempt in (0, 1, 5, 50)] == [0.025, 0.05, 0.8, 0.8]
    assert backoff_s(9, lambda low, _: low) == 0.0


def raise_if(error: Exception | None) -> None:
    if error is not None:
        raise error
