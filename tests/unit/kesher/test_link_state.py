"""What a person who links a number is told, from the rows that the gateway writes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from functions.shared.contracts import PairingRecord, SessionRecord, TenantId
from kesher.link_state import (
    RESTING_CODES,
    TAKE_UP_MS,
    Ended,
    Linked,
    Offered,
    PhoneNumberError,
    Standing,
    Waiting,
    parse_phone,
    standing,
    unlinking,
)
from kesher.linking_screen import qr_text, scan_screen, type_screen

TENANT = TenantId("business_1")
ASKED = 1_790_000_000_000


def record(**changes: object) -> SessionRecord:
    return SessionRecord.model_validate(
        {"tenant_id": TENANT, "desired": "linked", "desired_generation": 3, "generation": 3, **changes}
    )


def pairing(valid_ms: int, **changes: object) -> PairingRecord:
    return PairingRecord.model_validate({"tenant_id": TENANT, "qr": "2@x", "valid_until": ASKED + valid_ms, **changes})


def stands(found: SessionRecord | None, offer: PairingRecord | None = None, *, after_ms: int = 0) -> Standing:
    return standing(found, offer, generation=3, asked_ms=ASKED, now_ms=ASKED + after_ms)


@pytest.mark.parametrize(
    "text", ["+972501234567", "972501234567", "00972501234567", "+972 50-123.4567", "+972 (50) 1234567"]
)
def test_a_phone_number_may_be_written_as_people_do(text: str) -> None:
    assert parse_phone(text) == "972501234567"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0501234567", "no country code"),
        ("+0501234567", "no country code"),
        ("+97250", "has 5 digits"),
        ("+9725012345678901", "has 16 digits"),
        ("dana", "is no phone number"),
        ("", "is no phone number"),
        ("+972٥٠١٢٣٤٥", "is no phone number"),
    ],
)
def test_a_number_that_whatsapp_cannot_have_is_refused_with_an_example(text: str, complaint: str) -> None:
    with pytest.raises(PhoneNumberError, match=complaint):
        parse_phone(text)


@given(st.from_regex(r"\A[1-9][0-9]{6,14}\Z"))
def test_every_full_number_is_taken_with_and_without_its_plus(digits: str) -> None:
    assert parse_phone(f"+{digits}") == parse_phone(digits) == digits


def test_news_from_before_the_wish_do_not_count() -> None:
    old = record(generation=2, state="connected", phone_jid="972500000001@s.whatsapp.net")
    assert stands(old) == Waiting("Waiting for the gateway")
    assert stands(None) == Waiting("Waiting for the gateway")


def test_a_wish_that_nobody_takes_up_ends_with_what_to_look_at() -> None:
    end = stands(None, after_ms=TAKE_UP_MS + 1)
    assert isinstance(end, Ended)
    assert "gatewayTasks" in end.reason


def test_a_code_is_offered_for_as_long_as_it_holds() -> None:
    here = record(state="pairing")
    assert stands(here, pairing(20_000), after_ms=500) == Offered(pairing(20_000), 20)
    assert isinstance(stands(here, pairing(20_000), after_ms=20_000), Waiting)
    assert isinstance(stands(here, None), Waiting)
    assert isinstance(stands(record(state="connecting"), pairing(20_000)), Waiting)


VECTOR = Path(__file__).resolve().parents[3] / "contracts" / "vectors" / "resting-codes.json"
CODES: list[int] = json.loads(VECTOR.read_text(encoding="utf-8"))


def test_the_codes_after_which_the_gateway_rests_are_those_of_the_contract() -> None:
    assert sorted(RESTING_CODES) == CODES


@pytest.mark.parametrize("code", CODES)
def test_what_the_gateway_rests_after_ends_it_with_its_reason(code: int) -> None:
    assert stands(record(state="disconnected", code=code, reason="because")) == Ended("because")


def test_what_the_gateway_tries_again_goes_on() -> None:
    assert stands(record(state="disconnected", code=408, reason="ran out; new ones follow")) == Waiting(
        "ran out; new ones follow"
    )
    assert stands(record(state="logged_out", reason="unlinked")) == Ended("unlinked")


def test_it_is_linked_when_it_is_connected() -> None:
    assert stands(record(state="connected", phone_jid="972500000001@s.whatsapp.net")) == Linked("972500000001")


def test_an_unlink_is_over_when_the_gateway_says_so() -> None:
    def end(found: SessionRecord | None, after_ms: int = 0) -> Waiting | Ended:
        return unlinking(found, asked_ms=ASKED, now_ms=ASKED + after_ms)

    assert end(None) == Ended("No number was linked.")
    assert isinstance(end(record(state="connected")), Waiting)
    assert end(record(state="logged_out", reason="on request")) == Ended("on request")
    assert "ECS" in getattr(end(record(state="connected"), TAKE_UP_MS + 1), "reason", "")


def test_the_screens_say_what_to_do_and_for_how_long() -> None:
    file = io.StringIO()
    console = Console(file=file, width=120)
    console.print(scan_screen("2@abc", 17), type_screen("ABCD1234", "972500000001", 125))
    shown = file.getvalue()
    assert "Link a device" in shown
    assert "holds for 17 s" in shown
    assert "ABCD-1234" in shown
    assert "+972500000001" in shown
    assert "holds for 2:05" in shown


def test_a_qr_code_is_square_with_a_border_that_scanners_need() -> None:
    lines = qr_text("https://wa.me/settings/linked_devices#2@abc").plain.split("\n")
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == (len(lines[0]) + 1) // 2
    assert set(lines[0]) <= {" "}
