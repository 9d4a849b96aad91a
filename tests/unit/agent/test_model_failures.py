"""Whatever a model server does, the customer gets an answer or a person: in OpenAI's protocol and in the others'."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import pytest
from agents.retry import ModelRetryBackoffSettings

from functions.agent import models, turn
from functions.agent.language.phrases import A_PERSON_WILL_ANSWER
from functions.agent.run import MAX_MODEL_CALLS
from functions.agent.turn import Outcome
from functions.shared.profile import BusinessProfile
from tests.unit.agent.model_server import (
    Body,
    Fault,
    ModelServer,
    Reply,
    calls,
    completion,
    completion_calls,
    responses,
    says,
    server,
)
from tests.unit.agent.support import BARBER, Phone

__all__ = ["server"]

Mode = Literal["responses", "completions"]
Trouble = Literal["busy", "broken", "stall", "cut", "garbage", "unknown_tool", "bad_arguments", "empty"]

MAX_RECEIVES = 3
PASSING: tuple[Trouble, ...] = ("busy", "broken", "stall", "cut", "garbage", "empty")
TROUBLES: tuple[Trouble, ...] = (*PASSING, "unknown_tool", "bad_arguments")
MODES: tuple[Mode, ...] = ("responses", "completions")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ATTEMPT_LIMIT_S", 0.15)
    monkeypatch.setattr(models, "BACKOFF", ModelRetryBackoffSettings(initial_delay=0.01, max_delay=0.02, jitter=False))
    models._client.cache_clear()


@pytest.fixture
def connect(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mode, BusinessProfile], Phone]:
    """A customer of a business whose model is on `server`."""

    def connected(mode: Mode, business: BusinessProfile = BARBER) -> Phone:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setattr(models.Server, "is_openai", property(lambda _self: mode == "responses"))
        phone = Phone(business, limit_s=3.0)
        phone.store.introduced = True
        return phone

    return connected


def said(mode: Mode, text: str) -> Reply:
    return 200, {}, responses(says(text)) if mode == "responses" else completion({"content": text})


def called(mode: Mode, name: str, arguments: str) -> Reply:
    return 200, {}, responses(calls(name, arguments)) if mode == "responses" else completion_calls(name, arguments)


def trouble(kind: Trouble, mode: Mode) -> Reply | Fault:
    error: Body = {"error": {"message": "not now", "type": "server_error", "code": None, "param": None}}
    match kind:
        case "busy":
            return 429, {"retry-after-ms": "50"}, error
        case "broken":
            return 500, {}, error
        case "unknown_tool":
            return called(mode, "read_all_customers", "{}")
        case "bad_arguments":
            return called(mode, "book_appointment", '{"when": "tuesday')
        case "empty":
            return said(mode, " ")
        case "stall" | "cut" | "garbage":
            return kind


def deliver(phone: Phone, text: str) -> tuple[Outcome, int]:
    """What the queue does with a doorbell: again after a failure, and at the last time a person is called."""
    seq = phone.store.receive(text)
    for received in range(1, MAX_RECEIVES + 1):
        try:
            return phone.ring(seq), received
        except Exception as error:  # noqa: BLE001 - as the handler does
            reason = type(error).__name__
    return turn.give_up(phone.doorbell(seq), phone.world, reason), MAX_RECEIVES


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", TROUBLES)
def test_after_a_trouble_that_passes_the_customer_is_answered_once(
    server: ModelServer, connect: Callable[[Mode], Phone], mode: Mode, kind: Trouble
) -> None:
    server.replies = [trouble(kind, mode), said(mode, "We open at nine.")]
    phone = connect(mode)
    outcome, _ = deliver(phone, "when do you open?")
    assert outcome == "answered"
    assert phone.store.chat().replies == ["We open at nine."]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", TROUBLES)
def test_a_trouble_that_stays_ends_in_a_hand_over_and_never_in_silence(
    server: ModelServer, connect: Callable[[Mode], Phone], mode: Mode, kind: Trouble
) -> None:
    server.replies = [trouble(kind, mode)]
    phone = connect(mode)
    outcome, _ = deliver(phone, "book me a haircut tomorrow at ten")
    chat = phone.store.chat()
    assert outcome == "handed_over"
    assert chat.replies == [A_PERSON_WILL_ANSWER["en"]]
    assert chat.attention is not None
    assert phone.booked() == []
    assert len(server.asked) <= MAX_RECEIVES * MAX_MODEL_CALLS


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", PASSING)
def test_the_fallback_model_answers_when_the_first_one_does_not(
    server: ModelServer, connect: Callable[[Mode, BusinessProfile], Phone], mode: Mode, kind: Trouble
) -> None:
    business = BARBER.model_copy(update={"model": "large", "fallback_model": "small"})
    server.by_model = {"large": [trouble(kind, mode)], "small": [said(mode, "We open at nine.")]}
    phone = connect(mode, business)
    assert deliver(phone, "when do you open?") == ("answered", 1)
    [kept] = phone.store.chat().turns
    assert (kept.saw["model"], kept.saw["fallback_from"]) == ("small", "large")
    assert kept.saw["fallback_because"]


def test_what_the_first_model_staged_is_not_done_by_the_fallbacks_turn(
    server: ModelServer, connect: Callable[[Mode, BusinessProfile], Phone]
) -> None:
    business = BARBER.model_copy(update={"model": "large", "fallback_model": "small"})
    book = called("responses", "book_appointment", '{"start": "2026-11-24T10:00", "service": "haircut"}')
    server.by_model = {"large": [book, "cut"], "small": [said("responses", "Which time would suit you?")]}
    phone = connect("responses", business)
    assert deliver(phone, "tuesday at ten") == ("answered", 1)
    assert phone.booked() == []


def test_a_model_that_goes_in_circles_is_not_replaced_by_another(
    server: ModelServer, connect: Callable[[Mode, BusinessProfile], Phone]
) -> None:
    business = BARBER.model_copy(update={"model": "large", "fallback_model": "small"})
    server.by_model = {"large": [called("responses", "list_appointments", "{}")], "small": ["stall"]}
    assert deliver(connect("responses", business), "hi") == ("handed_over", 1)
    assert {body["model"] for _, body in server.asked} == {"large"}


def test_a_busy_server_is_given_the_time_that_it_asks_for(
    server: ModelServer, connect: Callable[[Mode], Phone]
) -> None:
    server.replies = [trouble("busy", "responses"), said("responses", "Hello!")]
    phone = connect("responses")
    began = time.monotonic()
    assert deliver(phone, "hi") == ("answered", 1)
    assert time.monotonic() - began >= 0.05
