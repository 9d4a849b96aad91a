"""The internal secret is rotatable, and a forger cannot make us ask for it at will."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.shared import aws
from functions.shared.secret import InternalSecret, SecretCache, SecretError, fetch

OLD = InternalSecret(current="old")
NEW = InternalSecret(current="new", previous="old")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cache(clock: Clock, *answers: InternalSecret) -> SecretCache:
    remaining: Iterator[InternalSecret] = iter(answers)
    return SecretCache(read=lambda: next(remaining), monotonic=clock)


def test_the_secret_is_read_once() -> None:
    secrets = cache(Clock(), OLD)

    assert [secrets.get(), secrets.get()] == [OLD, OLD]


def test_it_is_read_again_at_most_once_a_minute() -> None:
    clock = Clock()
    secrets = cache(clock, OLD, NEW)
    secrets.get()

    clock.now = 59.9
    assert secrets.refreshed() is None
    clock.now = 60.0
    assert secrets.refreshed() == NEW
    assert secrets.get() == NEW
    clock.now = 119.9
    assert secrets.refreshed() is None


def test_both_secrets_verify_and_the_current_one_comes_first() -> None:
    assert NEW.accepted() == ("new", "old")
    assert OLD.accepted() == ("old",)


@pytest.mark.parametrize("text", ["", "plain text", "[]", "{}", '{"current": ""}', '{"current": 1}'])
def test_a_malformed_secret_is_named_but_never_shown(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def get_secret_value(self, **_: str) -> dict[str, str]:
            return {"SecretString": text}

    monkeypatch.setenv("INTERNAL_SECRET_ARN", "arn")
    monkeypatch.setattr(aws, "secrets_manager", Client)

    with pytest.raises(SecretError, match="must be JSON") as error:
        fetch()
    assert error.value.__cause__ is None
