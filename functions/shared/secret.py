"""The internal secret between the gateway and the functions, rotatable without an outage."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.shared import aws, settings

REFRESH_AT_MOST_EVERY_S = 60.0
"""A forger must not be able to make us call Secrets Manager at will."""


class SecretError(Exception):
    """The secret in Secrets Manager is not the JSON that it should be."""


class InternalSecret(BaseModel):
    """`{"current": "...", "previous": "..."}`: both verify, `current` signs and opens the gateway."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    current: str = Field(min_length=1)
    previous: str | None = None

    def accepted(self) -> tuple[str, ...]:
        return (self.current, self.previous) if self.previous else (self.current,)


def fetch() -> InternalSecret:
    """Read the secret; raises SecretError, without the value, if it is malformed."""
    text = aws.secrets_manager().get_secret_value(SecretId=settings.internal_secret_arn())["SecretString"]
    try:
        return InternalSecret.model_validate_json(text)
    except ValidationError:
        raise SecretError('the internal secret must be JSON: {"current": "...", "previous": "..."}') from None


class SecretCache:
    """The secret as last read. `monotonic` is in seconds."""

    def __init__(
        self, read: Callable[[], InternalSecret] = fetch, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._monotonic = monotonic
        self._secret: InternalSecret | None = None
        self._read_at = 0.0

    def get(self) -> InternalSecret:
        return self._secret or self._load()

    def refreshed(self) -> InternalSecret | None:
        """The secret read again, or None if that was done less than a minute ago."""
        if self._secret is not None and self._monotonic() - self._read_at < REFRESH_AT_MOST_EVERY_S:
            return None
        return self._load()

    def _load(self) -> InternalSecret:
        self._read_at = self._monotonic()
        self._secret = self._read()
        return self._secret


@cache
def internal_secret() -> SecretCache:
    """The cache of this process."""
    return SecretCache()
