"""What a row is due for, and what an attempt made of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from functions.send.gateway import never_arrived
from functions.send.outcome import (
    MAX_BACKOFF_MS,
    Delivered,
    Due,
    Failed,
    Leased,
    NotYet,
    Result,
    TooLate,
    TryAgain,
    Void,
    backoff_ms,
    next_step,
    outcome_of,
)
from functions.shared.contracts import (
    ConversationId,
    Jid,
    MessageId,
    NotOwner,
    Refused,
    Sent,
    Superseded,
    TenantId,
    TextContent,
    Unavailable,
    Unknown,
)
from functions.shared.manner import PLAIN
from functions.shared.outbox import Row

NOW = 1_790_000_000_000
ID = MessageId("3EB0A1B2C3D4E5F6A7B8C9")
ROW = Row(
    tenant_id=TenantId("business_1"),
    conversation_id=ConversationId("c1"),
    sk="OUT#000000000001#000",
    message_id=ID,
    state="SENDING",
    epoch=3,
    author="assistant",
    chat_jid=Jid("1@lid"),
    content=TextContent(text="answer"),
    manner=PLAIN,
    correlation_id="c",
    attempts=1,
    lease_until=None,
    next_attempt_at=None,
    deadline=NOW + 600_000,
)


def step(row: Row, *, epoch: int = 3, assistant_on: bool = True) -> object:
    return next_step(row, epoch=epoch, assistant_on=assistant_on, now_ms=NOW)


def test_a_row_that_nothing_holds_back_is_due() -> None:
    assert step(ROW) == Due()


def test_a_leased_row_is_left_alone_whatever_else_is_true_of_it() -> None:
    leased = replace(ROW, lease_until=NOW + 1, deadline=NOW - 1)

    assert step(leased, epoch=4) == Leased()
    assert step(replace(ROW, lease_until=NOW)) == Due()


def test_an_assistants_row_gives_way_and_a_persons_does_not() -> None:
    assert isinstance(step(ROW, epoch=4), Void)
    assert isinstance(step(ROW, assistant_on=False), Void)
    person = replace(ROW, author="person")
    assert step(person, epoch=4, assistant_on=False) == Due()


def test_a_row_waits_for_its_next_attempt_and_never_beyond_its_deadline() -> None:
    assert step(replace(ROW, next_attempt_at=NOW + 5)) == NotYet(NOW + 5)
    assert step(replace(ROW, next_attempt_at=NOW)) == Due()
    assert isinstance(step(replace(ROW, next_attempt_at=NOW + 5, deadline=NOW)), TooLate)


TRANSIENT: list[Result] = [
    Unknown(message_id=ID, reason="no acknowledgement"),
    Unavailable(message_id=ID, reason="reconnecting", retry_after_ms=0),
    NotOwner(message_id=ID, reason="moved"),
    Refused(message_id=ID, code="479", reason="later", permanent=False),
    Superseded(message_id=ID, reason="the phone wrote"),
]
FINAL: list[tuple[Result, object]] = [
    (Sent(message_id=ID, acknowledged_at=7), Delivered(7)),
    (Refused(message_id=ID, code="463", reason="restricted", permanent=True), Failed("refused with 463: restricted")),
]


@pytest.mark.parametrize(("result", "outcome"), FINAL, ids=lambda value: type(value).__name__)
def test_an_answer_that_settles_it(result: Result, outcome: object) -> None:
    assert outcome_of(result, ROW, now_ms=NOW, uniform=lambda low, _: low) == outcome


@given(st.sampled_from(TRANSIENT), st.integers(1, 100), st.integers(-10_000, 600_000), st.floats(0, 1))
def test_an_answer_that_settles_nothing_is_tried_again_later_but_in_time(
    result: Result, attempts: int, time_left: int, chance: float
) -> None:
    row = replace(ROW, attempts=attempts, deadline=NOW + time_left)

    outcome = outcome_of(result, row, now_ms=NOW, uniform=lambda low, high: low + chance * (high - low))

    assert isinstance(outcome, TryAgain)
    assert NOW <= outcome.at <= max(row.deadline, NOW)
    assert outcome.at <= NOW + MAX_BACKOFF_MS


def test_the_gateways_own_wish_is_respected() -> None:
    result = Unavailable(message_id=ID, reason="reconnecting", retry_after_ms=20_000)

    assert outcome_of(result, ROW, now_ms=NOW, uniform=lambda low, _: low) == TryAgain(NOW + 20_000, "reconnecting")


def test_a_message_that_gave_way_to_the_phone_asks_again_soon_because_the_next_claim_knows_who_wrote() -> None:
    result = Superseded(message_id=ID, reason="the phone wrote")

    assert outcome_of(result, ROW, now_ms=NOW, uniform=lambda low, _: low) == TryAgain(NOW + 2_900, "the phone wrote")


def test_the_limits_of_a_number_are_waited_for_exactly_however_often_they_were_asked() -> None:
    result = Unavailable(message_id=ID, reason="as many as it may", retry_after_ms=12_345, paced=True)

    outcome = outcome_of(result, replace(ROW, attempts=50), now_ms=NOW, uniform=lambda _, high: high)

    assert outcome == TryAgain(NOW + 12_345, "as many as it may")


def test_a_restriction_says_when_it_ends_and_a_row_that_is_too_late_says_what_it_waited_for() -> None:
    restricted = Refused(message_id=ID, code="463", reason="Restricted.", permanent=True, until=1_795_379_700_000)

    assert outcome_of(restricted, ROW, now_ms=NOW, uniform=lambda low, _: low) == Failed(
        "refused with 463: Restricted. The restriction ends on 22.11.2026 at 20:35 UTC."
    )
    late = replace(ROW, deadline=NOW, error="as many messages as it may")
    assert step(late) == TooLate("too late: as many messages as it may")


@given(st.integers(0, 1_000), st.floats(0, 1))
def test_backoff_grows_and_stays_within_a_minute(attempts: int, chance: float) -> None:
    def uniform(low: float, high: float) -> float:
        return low + chance * (high - low)

    assert 500 <= backoff_ms(attempts, uniform) <= backoff_ms(attempts + 1, uniform) <= MAX_BACKOFF_MS


def test_only_a_request_that_found_no_connection_surely_sent_nothing() -> None:
    pool = HTTPConnectionPool("127.0.0.1")
    refused = NewConnectionError(pool, "refused")  # type: ignore[arg-type] # any pool will do
    assert never_arrived(requests.ConnectionError(MaxRetryError(pool, "/", refused)))
    assert never_arrived(requests.ConnectTimeout())
    assert not never_arrived(requests.ConnectionError(ProtocolError("Connection aborted.")))
    assert not never_arrived(requests.ConnectionError())
    assert not never_arrived(requests.ReadTimeout())
    assert not never_arrived(requests.exceptions.ChunkedEncodingError())
