"""Which model answers: OpenAI, any server that speaks its protocol, or the rule-based stand-in when there is neither.

The SDK's defaults are two silent retries and a read time-out of ten minutes; a turn has seconds. Here the client
retries nothing, the runner retries what the server or the network calls passing, and every attempt has its own limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from agents import Agent, Model, ModelRetrySettings, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel
from agents.retry import ModelRetryBackoffSettings, retry_policies
from openai import AsyncOpenAI
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from functions.agent import settings
from functions.agent.standin import StandIn
from functions.shared import aws
from functions.shared.observability import logger
from functions.shared.profile import BusinessProfile

ATTEMPT_LIMIT_S = 12.0
"""One attempt at one model call; a typical one takes 1 to 3 s."""
BACKOFF = ModelRetryBackoffSettings(initial_delay=0.5, max_delay=4.0, multiplier=2.0, jitter=True)
"""Between attempts, in seconds, where the server names no time itself."""
_KEY_MAX_AGE_S = 300.0
_NO_KEY = "none"  # servers on one's own machine want none, the client wants some
_RETRIED_STATUSES = (408, 409, 429, 500, 502, 503, 504)
_REASONING = ("gpt-5", "o1", "o3", "o4")


class ModelSecretError(Exception):
    """The model's secret in Secrets Manager is not the JSON that it should be."""


class ModelSecret(BaseModel):
    """`{"apiKey": "sk-...", "keys": {"backup": "..."}}`; empty until an operator sets it."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)

    api_key: str = Field(default="", repr=False)
    keys: dict[str, str] = Field(default_factory=dict, repr=False)
    """Of the businesses' other servers, by the names that their profiles give."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the model is."""

    base_url: str
    api_key: str

    @property
    def is_openai(self) -> bool:
        return urlsplit(self.base_url).hostname == "api.openai.com"


def read_secret(arn: str) -> ModelSecret:
    """The keys; the first one is empty while nobody has set it. Raises ModelSecretError, without the value."""
    text = aws.secrets_manager().get_secret_value(SecretId=arn)["SecretString"]
    try:
        return ModelSecret.model_validate_json(text)
    except ValidationError:
        raise ModelSecretError('the model\'s secret must be JSON: {"apiKey": "...", "keys": {}}') from None


class KeyCache:
    """The keys of the deployment, read again after five minutes: setting or rotating one needs no deployment."""

    def __init__(
        self, read: Callable[[str], ModelSecret] = read_secret, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._monotonic = monotonic
        self._known: tuple[float, ModelSecret] | None = None

    def get(self) -> str | None:
        """The deployment's own key; None: nobody has set one."""
        return settings.api_key() or self._secret().api_key or None

    def named(self, name: str) -> str | None:
        """The key of another server; None: there is none of this name."""
        return settings.named_api_key(name) or self._secret().keys.get(name) or None

    def _secret(self) -> ModelSecret:
        arn = settings.model_secret_arn()
        if arn is None:
            return ModelSecret()
        if self._known is None or self._monotonic() - self._known[0] >= _KEY_MAX_AGE_S:
            self._known = (self._monotonic(), self._read(arn))
        return self._known[1]


def server(key: str | None) -> Server | None:
    """The model's server, or None: no key and no address of one's own, so the stand-in answers."""
    base_url = settings.base_url()
    if key is None and base_url is None:
        return None
    return Server(base_url or settings.DEFAULT_BASE_URL, key or _NO_KEY)


def fallback_server(
    profile: BusinessProfile, chosen: Server | None, named: Callable[[str], str | None]
) -> Server | None:
    """Where the fallback model is: a server of the business's own, or that of the first one. None: nowhere.

    `named` finds the key of a server by its name. One that cannot be found is told to the operator and leaves the
    business without a fallback: the first model must not suffer from it.
    """
    own = profile.fallback_server
    if chosen is None or own is None:
        return chosen
    key = None if own.key is None else named(own.key)
    if own.key is not None and key is None:
        logger.error("the fallback server's key is not in the model's secret", extra={"key_name": own.key})
        return None
    return Server(own.base_url, key or _NO_KEY)


@cache
def _client(chosen: Server) -> AsyncOpenAI:
    """One for the process, bound to its one event loop: a new one for each event costs 17 ms."""
    return AsyncOpenAI(base_url=chosen.base_url, api_key=chosen.api_key, timeout=ATTEMPT_LIMIT_S, max_retries=0)


def name_for(profile: BusinessProfile) -> str:
    """Of the model that answers this business's customers."""
    return profile.model or settings.model_name()


def fallback_name_for(profile: BusinessProfile, chosen: Server | None, spare: Server | None = None) -> str | None:
    """Of the model that is asked when the first one fails; None: there is none, or it is the same.

    `spare` is its server: on another one, the same model is another.
    """
    if chosen is None:
        return None
    name = profile.fallback_model or settings.fallback_model_name()
    if spare is not None and spare != chosen:
        return name or name_for(profile)
    return None if name == name_for(profile) else name


def model_for(profile: BusinessProfile, chosen: Server | None, name: str | None = None) -> Model:
    """The model `name`, or the one that answers this business's customers."""
    if chosen is None:
        return StandIn(profile)
    name = name or name_for(profile)
    if chosen.is_openai:
        return OpenAIResponsesModel(name, _client(chosen))
    return OpenAIChatCompletionsModel(name, _client(chosen))


def label(agent: Agent[Any]) -> str:
    """What an agent's model is called, for the audit."""
    name = getattr(agent.model, "model", None)
    return str(name) if name else type(agent.model).__name__


def settings_for(profile: BusinessProfile, chosen: Server | None, name: str | None = None) -> ModelSettings:
    """Time-outs, retries and privacy of every call of that model."""
    name = name or name_for(profile)
    reasons = chosen is not None and chosen.is_openai and name.startswith(_REASONING)
    return ModelSettings(
        store=False if chosen is None or chosen.is_openai else None,  # others refuse what they do not know
        parallel_tool_calls=None,
        max_tokens=4_000,
        timeout=ATTEMPT_LIMIT_S,
        # Nothing is stored at OpenAI, so a reasoning model must carry its thoughts from call to call itself.
        response_include=["reasoning.encrypted_content"] if reasons else None,
        retry=ModelRetrySettings(
            max_retries=2,
            backoff=BACKOFF,
            policy=retry_policies.any(
                retry_policies.provider_suggested(),
                retry_policies.network_error(),
                retry_policies.http_status(_RETRIED_STATUSES),
            ),
        ),
    )
