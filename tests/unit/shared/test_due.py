"""What becomes of a scheduled message whose time has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.contracts import ConversationId
from functions.shared.due import LOOK_AGAIN_MS, OFF_MS, Drop, Facts, Send, Wait, decide
from functions.shared.examples import barber_shop
from functions.shared.profile import BusinessProfile
from functions.shared.scheduled import FollowUp, Notice, Reminder, Scheduled

PROFILE = BusinessProfile.model_validate(
    barber_shop().model_dump(mode="json")
    | {"quiet_hours": {"nightly": "21:00-08:00"}, "owner_numbers": ["+972501111111"]}
)
HOUR = 3_600_000
REMINDER, FOLLOW_UP = Reminder("b1", 0), FollowUp(3)
NOTICE, URGENT = Notice("+972501111111", urgent=False), Notice("+972501111111", urgent=True)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=PROFILE.zone).timestamp() * 1000)


NOON, NIGHT, MORNING = at("2026-11-24T12:00"), at("2026-11-24T22:00"), at("2026-11-25T08:00")


def message(what: Reminder | FollowUp | Notice, *, due_at: int = NOON, useful_for: int = 24 * HOUR) -> Scheduled:
    return Scheduled(
        tenant_id=PROFILE.tenant_id,
        conversation_id=ConversationId("c1"),
        name="n",
        due_at=due_at,
        useful_until=due_at + useful_for,
        text="text",
        about="about",
        what=what,
    )


def facts(**changes: Any) -> Facts:  # noqa: ANN401 - any of its fields
    return replace(Facts(PROFILE, connected=True), **changes)


@pytest.mark.parametrize("what", [REMINDER, FOLLOW_UP, NOTICE, URGENT])
def test_a_message_goes_out_when_it_is_due_and_not_before(what: Reminder | FollowUp | Notice) -> None:
    assert decide(message(what), facts(), now_ms=NOON - 1) == Wait(NOON, "it is not due yet")
    assert decide(message(what), facts(), now_ms=NOON) == Send()


@pytest.mark.parametrize(
    ("what", "changes", "expected"),
    [
        (REMINDER, {"still_booked": False}, Drop("the appointment was moved or cancelled")),
        (REMINDER, {"opted_out": True}, Drop("the customer opted out", tell=True)),
        (FOLLOW_UP, {"opted_out": True}, Drop("the customer opted out")),
        (REMINDER, {"left_to_owner": True}, Drop("the owner saved the customer as a contact", tell=True)),
        (FOLLOW_UP, {"left_to_owner": True}, Drop("the owner saved the customer as a contact")),
        (FOLLOW_UP, {"written_since": True}, Drop("the customer or a person has written since")),
        (REMINDER, {"ai_enabled": False}, Wait(NOON + OFF_MS, "the assistant is off in this chat")),
        (REMINDER, {"paused_until": NOON + OFF_MS - 1}, Wait(NOON + OFF_MS - 1, "a person has this chat")),
        (REMINDER, {"paused_until": NOON + 23 * HOUR}, Wait(NOON + OFF_MS, "a person has this chat")),
        (REMINDER, {"paused_until": NOON}, Send()),
        (REMINDER, {"connected": False}, Wait(NOON + LOOK_AGAIN_MS, "WhatsApp is not connected")),
        (REMINDER, {"waiting": True}, Wait(NOON + LOOK_AGAIN_MS, "the customer waits for an answer first")),
        (REMINDER, {"paused_until": NOON + 25 * HOUR}, Drop("a person has this chat", tell=True)),
        (NOTICE, {"ai_enabled": False, "paused_until": NOON + HOUR, "opted_out": True}, Send()),
    ],
    ids=str,
)  # fmt: skip
def test_each_gate(what: Reminder | FollowUp | Notice, changes: dict[str, Any], expected: object) -> None:
    assert decide(message(what), facts(**changes), now_ms=NOON) == expected


@pytest.mark.parametrize("switch", [{"ai_enabled": False}, {"audience": "nobody"}])
def test_a_business_that_is_off_sends_its_customers_nothing(switch: dict[str, Any]) -> None:
    off = facts(profile=PROFILE.model_copy(update=switch))
    assert decide(message(FOLLOW_UP), off, now_ms=NOON) == Wait(NOON + OFF_MS, "the assistant of the business is off")
    assert decide(message(NOTICE), off, now_ms=NOON) == Send(), "its owner is told all the same"


@pytest.mark.parametrize("what", [REMINDER, FOLLOW_UP, NOTICE])
def test_quiet_hours_are_waited_for(what: Reminder | FollowUp | Notice) -> None:
    assert decide(message(what, due_at=NIGHT), facts(), now_ms=NIGHT) == Wait(MORNING, "quiet hours")
    assert decide(message(what, due_at=NIGHT), facts(), now_ms=MORNING) == Send()


def test_what_is_of_no_use_after_the_quiet_is_dropped_and_said() -> None:
    early = message(REMINDER, due_at=NIGHT, useful_for=MORNING - NIGHT)
    assert decide(early, facts(), now_ms=NIGHT) == Drop("quiet hours", tell=True)


def test_what_is_urgent_knows_no_quiet() -> None:
    assert decide(message(URGENT, due_at=NIGHT), facts(), now_ms=NIGHT) == Send()


def test_a_number_that_is_the_owners_no_more_is_told_nothing() -> None:
    other = Notice("+972509999999", urgent=True)
    assert isinstance(decide(message(other), facts(), now_ms=NOON), Drop)


FACTS = st.builds(
    facts,
    ai_enabled=st.booleans(),
    paused_until=st.none() | st.integers(NOON - HOUR, NOON + 48 * HOUR),
    opted_out=st.booleans(),
    left_to_owner=st.booleans(),
    waiting=st.booleans(),
    connected=st.booleans(),
    still_booked=st.booleans(),
    written_since=st.booleans(),
)


@given(FACTS, st.sampled_from([REMINDER, FOLLOW_UP]), st.integers(NOON - HOUR, NOON + 72 * HOUR))
def test_nothing_goes_out_against_a_gate_or_too_late_and_nothing_waits_for_ever(
    known: Facts, what: Reminder | FollowUp, now_ms: int
) -> None:
    one = message(what)
    decision = decide(one, known, now_ms=now_ms)
    if isinstance(decision, Send):
        assert one.due_at <= now_ms < one.useful_until
        assert known.ai_enabled
        assert known.connected
        assert not known.opted_out
        assert not known.waiting
        assert (known.paused_until or 0) <= now_ms
        assert known.still_booked or isinstance(what, FollowUp)
    if isinstance(decision, Wait):
        assert now_ms < decision.until < one.useful_until
