"""The faults of a model server as `llmock` makes them: OpenAI's own error bodies over a real socket, and its verdict on
how the agent took them.

It has no fault for an answer that is not streamed but the HTTP error and the delay: tried with 0.2.2, `disconnect`,
`corrupt` and `stall` leave such an answer whole, and the agent does not stream. A connection that is cut, a body that
is no JSON, an empty answer, and what is on the wire to the byte are in test_model_failures.py with a server of our own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Literal

import pytest
from agents.retry import ModelRetryBackoffSettings
from llmock.pytest_plugin import LLMock

from functions.agent import models, turn
from functions.agent.language.phrases import A_PERSON_WILL_ANSWER
from functions.agent.turn import Outcome
from tests.unit.agent.support import Phone
from tests.unit.agent.test_model_failures import MAX_RECEIVES, MODES

NINE = "We open at nine."
Mode = Literal["responses", "completions"]


@pytest.fixture(params=MODES)
def phone(request: pytest.FixtureRequest, llmock: LLMock, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """A customer of a business whose model is llmock, in either protocol."""
    mode: Mode = request.param
    monkeypatch.setattr(models, "ATTEMPT_LIMIT_S", 5.0)
    backoff = ModelRetryBackoffSettings(initial_delay=0.02, max_delay=0.2, multiplier=2.0, jitter=True)
    monkeypatch.setattr(models, "BACKOFF", backoff)
    monkeypatch.setattr(models.Server, "is_openai", property(lambda _self: mode == "responses"))
    models._client.cache_clear()
    llmock.tool_mode("off")
    phone = Phone(limit_s=20.0)
    phone.store.introduced = True
    return phone


def deliver(phone: Phone, text: str) -> Outcome:
    """What the queue does with a doorbell, on one event loop as in the function: connections are kept between turns."""

    async def rung(seq: int) -> Outcome:
        reason = ""
        try:
            for _ in range(MAX_RECEIVES):
                try:
                    return await turn.answer(phone.doorbell(seq), phone.world)
                except Exception as error:  # noqa: BLE001 - as the handler does
                    reason = type(error).__name__
            return turn.give_up(phone.doorbell(seq), phone.world, reason)
        finally:
            server = models.server(models.KeyCache().get())
            assert server is not None
            await models._client(server).close()

    return asyncio.run(rung(phone.store.receive(text)))


def test_a_busy_server_is_asked_again_no_sooner_than_it_says(phone: Phone, llmock: LLMock) -> None:
    llmock.rate_limit(retry_after=0.3).reply(NINE)
    began = time.monotonic()
    assert deliver(phone, "when do you open?") == "answered"
    assert time.monotonic() - began >= 0.3
    assert phone.store.chat().replies == [NINE]
    llmock.assert_resilient(strict=True)


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_is_repeated_with_backoff_until_it_has_passed(phone: Phone, llmock: LLMock, status: int) -> None:
    llmock.fail(status, times=2).reply(NINE)
    assert deliver(phone, "when do you open?") == "answered"
    assert phone.store.chat().replies == [NINE]
    llmock.assert_resilient()


FAULTS: dict[str, Callable[[LLMock], object]] = {
    "429": lambda llmock: llmock.rate_limit(times=None, retry_after=0.05),
    "500": lambda llmock: llmock.fail(500, times=None),
    "stall": lambda llmock: llmock.delay(2.0, times=None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_pass_ends_with_a_person_and_in_no_storm(
    phone: Phone, llmock: LLMock, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    phone.limit_s = 1.0
    monkeypatch.setattr(models, "ATTEMPT_LIMIT_S", 0.3)
    FAULTS[fault](llmock)
    assert deliver(phone, "when do you open?") == "handed_over"
    assert phone.store.chat().replies == [A_PERSON_WILL_ANSWER["en"]]
    llmock.assert_resilient()


@pytest.mark.parametrize("kind", ["unknown_tool", "malformed_arguments"])
def test_a_broken_tool_call_is_told_to_the_model_and_the_customer_is_answered(
    phone: Phone, llmock: LLMock, kind: str
) -> None:
    llmock.call_tool("list_appointments").break_tool_call(kind).reply(NINE)
    assert deliver(phone, "when do you open?") == "answered"
    assert phone.store.chat().replies == [NINE]
