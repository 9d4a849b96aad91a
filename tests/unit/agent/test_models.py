"""Which model answers, and how its calls are bounded."""

from __future__ import annotations

import pytest
from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel

from functions.agent import models, settings
from functions.agent.standin import StandIn
from functions.shared.settings import SettingsError
from infra.cdk.constructs.doorbell_queue import MAX_RECEIVE_COUNT
from tests.unit.agent.support import BARBER


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


def test_without_key_and_address_the_stand_in_answers() -> None:
    assert models.server(models.KeyCache().get()) is None
    assert isinstance(models.model_for(BARBER, None), StandIn)


def test_with_a_key_openais_responses_answer_and_nothing_is_stored_there() -> None:
    server = models.server("sk-test")
    assert server is not None
    model = models.model_for(BARBER, server)
    assert isinstance(model, OpenAIResponsesModel)
    assert model.model == settings.DEFAULT_MODEL
    assert models.settings_for(BARBER, server).store is False


def test_another_server_is_spoken_to_in_chat_completions_with_or_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1")
    monkeypatch.setenv("OPENAI_MODEL", "qwen3")
    server = models.server(None)
    assert server is not None
    model = models.model_for(BARBER, server)
    assert isinstance(model, OpenAIChatCompletionsModel)
    assert model.model == "qwen3"
    assert models.settings_for(BARBER, server).store is None


def test_a_business_may_have_a_model_of_its_own() -> None:
    own = BARBER.model_copy(update={"model": "gpt-5-mini"})
    server = models.server("sk-test")
    model = models.model_for(own, server)
    assert isinstance(model, OpenAIResponsesModel)
    assert model.model == "gpt-5-mini"
    assert models.settings_for(own, server).response_include == ["reasoning.encrypted_content"]
    assert models.settings_for(BARBER, server).response_include is None


def test_every_call_is_bounded_and_only_the_runner_retries() -> None:
    server = models.server("sk-test")
    chosen = models.settings_for(BARBER, server)
    assert chosen.timeout == models.ATTEMPT_LIMIT_S
    assert chosen.retry is not None
    assert chosen.retry.max_retries == 2
    model = models.model_for(BARBER, server)
    assert isinstance(model, OpenAIResponsesModel)
    client = model._client
    assert client is not None
    assert (client.max_retries, client.timeout) == (0, models.ATTEMPT_LIMIT_S)


def test_the_client_is_made_once() -> None:
    first, second = (models.model_for(BARBER, models.server("sk-test")) for _ in range(2))
    assert isinstance(first, OpenAIResponsesModel)
    assert isinstance(second, OpenAIResponsesModel)
    assert first._client is second._client


def test_the_secret_is_read_again_after_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_SECRET_ARN", "arn:test")
    stored = [models.ModelSecret()]
    seconds = [0.0]
    cache = models.KeyCache(lambda _arn: stored[0], lambda: seconds[0])
    assert cache.get() is None
    stored[0] = models.ModelSecret.model_validate({"apiKey": "sk-new", "keys": {"backup": "sk-other"}})
    seconds[0] = 299.0
    assert cache.get() is None
    seconds[0] = 300.0
    assert cache.get() == "sk-new"
    assert (cache.named("backup"), cache.named("another")) == ("sk-other", None)


def test_a_key_in_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_SECRET_ARN", "arn:test")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-own")
    assert models.KeyCache(lambda _arn: pytest.fail("not read")).get() == "sk-own"


def test_the_last_receive_is_the_queues_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TURNS_MAX_RECEIVE_COUNT", raising=False)
    assert settings.max_receive_count() == MAX_RECEIVE_COUNT


def test_a_malformed_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURN_LIMIT_MS", "soon")
    with pytest.raises(SettingsError, match="TURN_LIMIT_MS"):
        settings.turn_limit_ms()
