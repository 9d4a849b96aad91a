"""The agent's own part of the environment; the rest is in `functions/shared/settings.py`."""

from __future__ import annotations

import os

from functions.shared.settings import SettingsError

DEFAULT_MODEL = "gpt-4.1-mini"
"""Answers in a second or two and calls tools reliably; a profile or OPENAI_MODEL chooses another."""
DEFAULT_BASE_URL = "https://api.openai.com/v1"


def model_name() -> str:
    return os.environ.get("OPENAI_MODEL") or DEFAULT_MODEL


def fallback_model_name() -> str | None:
    """Tried when the first one fails. None: none is chosen."""
    return os.environ.get("OPENAI_FALLBACK_MODEL") or None


def base_url() -> str | None:
    """Of a server that speaks OpenAI's protocol; None: not chosen."""
    return os.environ.get("OPENAI_BASE_URL") or None


def api_key() -> str | None:
    """A key in the environment, for development; deployed, the key is in Secrets Manager."""
    return os.environ.get("OPENAI_API_KEY") or None


def named_api_key(name: str) -> str | None:
    """The same for a business's other server: the key `backup` is in `OPENAI_API_KEY_BACKUP`."""
    return os.environ.get(f"OPENAI_API_KEY_{name.upper()}") or None


def has_model_server() -> bool:
    """Whether the environment names a model; otherwise, with no key in Secrets Manager, the stand-in answers."""
    return api_key() is not None or base_url() is not None


def model_secret_arn() -> str | None:
    return os.environ.get("MODEL_SECRET_ARN") or None


def max_receive_count() -> int:
    """How often the turns queue hands out a doorbell before it goes to the dead letters."""
    return _positive("TURNS_MAX_RECEIVE_COUNT", 3)


def turn_limit_ms() -> int:
    """How long one run of the model and its tools may take."""
    return _positive("TURN_LIMIT_MS", 25_000)


def _positive(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"the environment variable {name} must be a positive whole number, not {value!r}")
    return int(value)
