"""Agents are cached for five minutes, by business, channel and version."""

from __future__ import annotations

import pytest
from agents import Agent

from functions.agent.assistant import TTL_S, AgentCache
from functions.agent.context import ToolContext
from functions.shared.examples import dental_clinic
from functions.shared.profile import BusinessProfile
from tests.unit.agent.support import BARBER


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def counting_cache(seconds: Seconds) -> tuple[AgentCache, list[BusinessProfile]]:
    made: list[BusinessProfile] = []

    def create(profile: BusinessProfile) -> Agent[ToolContext]:
        made.append(profile)
        return Agent(name=profile.name)

    return AgentCache(create, seconds), made


def test_the_second_turn_of_a_business_hits_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    cache, made = counting_cache(Seconds())
    with caplog.at_level("INFO"):
        assert cache.get(BARBER) is cache.get(BARBER)
    assert len(made) == 1
    assert [record.message for record in caplog.records] == ["Agent created", "CACHE HIT"]
    for record in caplog.records:
        where = {key: vars(record)[key] for key in ("business", "channel", "config_version")}
        assert where == {"business": "business_1", "channel": "whatsapp", "config_version": 1}


def test_a_new_version_of_the_configuration_is_never_answered_with_the_old_agent() -> None:
    cache, made = counting_cache(Seconds())
    cache.get(BARBER)
    cache.get(BARBER.model_copy(update={"config_version": 2}))
    assert [profile.config_version for profile in made] == [1, 2]


def test_businesses_do_not_share_an_agent() -> None:
    cache, _ = counting_cache(Seconds())
    clinic = dental_clinic().model_copy(update={"config_version": 1})
    assert cache.get(BARBER) is not cache.get(clinic)


def test_after_five_minutes_the_agent_is_made_anew() -> None:
    seconds = Seconds()
    cache, made = counting_cache(seconds)
    cache.get(BARBER)
    seconds.now = TTL_S - 0.1
    cache.get(BARBER)
    assert len(made) == 1
    seconds.now = TTL_S
    cache.get(BARBER)
    assert len(made) == 2


def test_the_cache_is_bounded() -> None:
    cache, made = counting_cache(Seconds())
    for version in range(300):
        cache.get(BARBER.model_copy(update={"config_version": version}))
    cache.get(BARBER.model_copy(update={"config_version": 299}))
    cache.get(BARBER.model_copy(update={"config_version": 0}))
    assert len(made) == 301
