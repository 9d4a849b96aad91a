"""The fallback model on a server of its own: it answers whatever has become of the first server, and each sees its own
key only."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from agents.retry import ModelRetryBackoffSettings
from pydantic import ValidationError

from functions.agent import models
from functions.agent.assistant import create_agent, create_spare
from functions.shared.profile import BusinessProfile
from functions.shared.profile_parts import ModelServer as ServerOf
from tests.unit.agent.model_server import Fault, ModelServer, Reply, completion, running, server
from tests.unit.agent.support import BARBER, Phone
from tests.unit.agent.test_model_failures import deliver

__all__ = ["server"]

LIMIT_S = 3.0
ERROR: dict[str, Any] = {"error": {"message": "not now", "type": "server_error", "code": None, "param": None}}
SAID: Reply = (200, {}, completion({"content": "We open at nine."}))
TROUBLES: dict[str, Reply | Fault] = {
    "hung": "stall",
    "500": (500, {}, ERROR),
    "429": (429, {"Retry-After": "1"}, ERROR),
    "401": (401, {}, ERROR),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ATTEMPT_LIMIT_S", 0.15)
    monkeypatch.setattr(models, "BACKOFF", ModelRetryBackoffSettings(initial_delay=0.01, max_delay=0.02, jitter=False))
    models._client.cache_clear()
    monkeypatch.delenv("MODEL_SECRET_ARN", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-first")
    monkeypatch.setenv("OPENAI_API_KEY_BACKUP", "sk-second")


@pytest.fixture
def second() -> Iterator[ModelServer]:
    with running() as one:
        one.replies = [SAID]
        yield one


def business(second: ModelServer, **changes: object) -> BusinessProfile:
    fallback = {"fallback_server": {"base_url": second.url, "key": "backup"}}
    return BusinessProfile.model_validate(BARBER.model_dump(mode="json") | fallback | changes)


def phone_of(profile: BusinessProfile) -> Phone:
    phone = Phone(profile, limit_s=LIMIT_S)
    phone.store.introduced = True
    return phone


def dead_url() -> str:
    """An address at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}/v1"


@pytest.mark.parametrize("trouble", ["dead", *TROUBLES])
def test_the_second_server_answers_in_the_same_turn_when_the_first_does_not(
    server: ModelServer, second: ModelServer, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    server.replies = [TROUBLES.get(trouble, "stall")]
    monkeypatch.setenv("OPENAI_BASE_URL", dead_url() if trouble == "dead" else server.url)
    phone = phone_of(business(second, fallback_model="other"))
    began = time.monotonic()
    assert deliver(phone, "when do you open?") == ("answered", 1)
    assert time.monotonic() - began < 4 * LIMIT_S
    assert phone.store.chat().replies == ["We open at nine."]
    assert [body["model"] for _, body in second.asked] == ["other"]
    assert (server.keys <= {"sk-first"}, second.keys) == (True, {"sk-second"})
    assert phone.store.chat().turns[0].saw["fallback_because"]


def test_the_same_model_on_another_server_is_another(
    server: ModelServer, second: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies = [TROUBLES["500"]]
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    assert deliver(phone_of(business(second, model="qwen3")), "hi") == ("answered", 1)
    assert {body["model"] for _, body in (*server.asked, *second.asked)} == {"qwen3"}


def test_a_server_that_wants_no_key_is_not_shown_the_deployments(
    server: ModelServer, second: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies = [TROUBLES["500"]]
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    assert deliver(phone_of(business(second, fallback_server={"base_url": second.url})), "hi") == ("answered", 1)
    assert second.keys == {"none"}


def test_a_key_that_is_not_there_costs_the_fallback_and_not_the_first_model(
    server: ModelServer, second: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.delenv("OPENAI_API_KEY_BACKUP")
    profile = business(second)
    assert create_spare(profile, create_agent(profile)) is None
    server.replies = [SAID]
    assert deliver(phone_of(profile), "hi") == ("answered", 1)
    assert second.asked == []


def test_both_servers_broken_end_in_a_hand_over(
    server: ModelServer, second: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies, second.replies = [TROUBLES["500"]], [TROUBLES["500"]]
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    phone = phone_of(business(second))
    assert deliver(phone, "hi")[0] == "handed_over"
    assert len(phone.store.chat().replies) == 1


@pytest.mark.parametrize(
    "address",
    ["", "models.example.com", "ftp://a.example", "https://", "https://sk-1@a.example/v1", "http://a:port/v1"],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="without a key in it"):
        ServerOf(base_url=address)
