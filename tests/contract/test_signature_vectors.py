"""The signature vectors, read by both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

import pytest

from functions.shared.signing import MAX_SKEW_SECONDS, SignatureError, StaleSignatureError, sign, verify

VECTORS = Path(__file__).resolve().parents[2] / "contracts" / "vectors" / "signatures.json"


class Vector(TypedDict):
    name: str
    secret: str
    timestamp: int
    body: str
    signature: str


CASES: list[Vector] = json.loads(VECTORS.read_text())


@pytest.mark.parametrize("vector", CASES, ids=lambda vector: vector["name"])
def test_we_sign_as_the_vector_says(vector: Vector) -> None:
    assert vector["signature"] == sign(vector["secret"], vector["timestamp"], vector["body"].encode())


@pytest.mark.parametrize("vector", CASES, ids=lambda vector: vector["name"])
@pytest.mark.parametrize("skew", [-MAX_SKEW_SECONDS, 0, MAX_SKEW_SECONDS])
def test_we_accept_the_vector_under_either_secret(vector: Vector, skew: int) -> None:
    for secrets in ([vector["secret"], "another"], ["another", vector["secret"]]):
        check(vector, secrets, now_s=vector["timestamp"] + skew)


@pytest.mark.parametrize("vector", CASES, ids=lambda vector: vector["name"])
def test_one_second_too_old_or_too_new_is_refused(vector: Vector) -> None:
    for skew in (-MAX_SKEW_SECONDS - 1, MAX_SKEW_SECONDS + 1):
        with pytest.raises(StaleSignatureError):
            check(vector, [vector["secret"]], now_s=vector["timestamp"] + skew)


@pytest.mark.parametrize("vector", CASES, ids=lambda vector: vector["name"])
def test_any_change_is_refused(vector: Vector) -> None:
    changes: list[Vector] = [
        {**vector, "body": vector["body"] + " "},
        {**vector, "timestamp": vector["timestamp"] + 1},
        {**vector, "signature": vector["signature"][:-1] + ("0" if vector["signature"][-1] != "0" else "1")},
        {**vector, "signature": vector["signature"].removeprefix("v1=")},
        {**vector, "signature": vector["signature"].upper()},
        {**vector, "signature": ""},
        {**vector, "signature": "\udcff"},
    ]
    for changed in changes:
        with pytest.raises(SignatureError):
            check(changed, [vector["secret"]], now_s=vector["timestamp"])


@pytest.mark.parametrize("timestamp", [None, "", "now", "-1", "1e9", "1790000000.0", "٣", " 1"])
def test_a_time_stamp_that_is_no_number_of_seconds_is_refused(timestamp: str | None) -> None:
    with pytest.raises(StaleSignatureError):
        verify(["s"], timestamp=timestamp, signature="v1=", body=b"", now_s=1)


def check(vector: Vector, secrets: list[str], *, now_s: int) -> None:
    verify(
        secrets,
        timestamp=str(vector["timestamp"]),
        signature=vector["signature"],
        body=vector["body"].encode(),
        now_s=now_s,
    )
