"""Keys, ids and queue names: what other parts, and other processes, rely on."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared import ids, keys, settings
from functions.shared.contracts import Doorbell, Sent, TenantId
from functions.shared.queues import deduplication_id, group_id

tenants = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)
conversations = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
SQS_ALPHABET = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


@given(tenants, conversations)
def test_a_conversations_key_says_whose_it_is(tenant: str, conversation: str) -> None:
    assert keys.parse_conversation_pk(keys.conversation_pk(tenant, conversation)) == (tenant, conversation)


@given(st.lists(st.tuples(tenants, conversations), min_size=2, max_size=2, unique=True))
def test_no_two_conversations_share_a_key_or_a_group(two: list[tuple[str, str]]) -> None:
    assert keys.conversation_pk(*two[0]) != keys.conversation_pk(*two[1])
    assert group_id(*two[0]) != group_id(*two[1])


@given(st.lists(st.integers(1, 10**12 - 1), min_size=2))
def test_keys_sort_as_their_numbers_do(numbers: list[int]) -> None:
    for key in (keys.message_sk, keys.turn_sk, lambda number: keys.outbox_sk(number, 0)):
        assert [key(number) for number in sorted(numbers)] == sorted(key(number) for number in numbers)


@given(st.integers(1, 10**12 - 1), st.integers(0, 999))
def test_an_outbox_key_says_its_turn_and_part(hi: int, part: int) -> None:
    assert keys.parse_outbox_sk(keys.outbox_sk(hi, part)) == (hi, part)


@given(tenants, conversations, st.integers(0, 10**12))
def test_sqs_takes_the_names_that_we_give(tenant: str, conversation: str, seq: int) -> None:
    assert SQS_ALPHABET.fullmatch(group_id(tenant, conversation))
    for again in (False, True):
        assert SQS_ALPHABET.fullmatch(deduplication_id(conversation, seq, again=again))


def test_a_doorbell_rung_twice_is_one_and_rung_again_is_another() -> None:
    assert deduplication_id("c1", 7, again=False) == deduplication_id("c1", 7, again=False) == "c1:7"
    assert len({deduplication_id("c1", 7, again=again) for again in (False, True, True)}) == 3


def test_new_ids_fit_the_contract_and_are_never_the_same() -> None:
    made = [(ids.new_conversation_id(), ids.new_message_id()) for _ in range(1_000)]

    assert len({one for pair in made for one in pair}) == 2_000
    for conversation_id, message_id in made[:10]:
        assert re.fullmatch("3EB0[0-9A-F]{18}", message_id)
        assert Doorbell(tenant_id=TenantId("b"), conversation_id=conversation_id, seq=0, correlation_id="c")
        assert Sent(message_id=message_id, acknowledged_at=0)


@given(conversations)
def test_a_conversation_has_one_shard_of_the_sweep_index(conversation: str) -> None:
    assert ids.sweep_shard(conversation) == ids.sweep_shard(conversation)
    assert 0 <= ids.sweep_shard(conversation) < ids.SWEEP_SHARDS


def test_a_setting_that_is_missing_or_malformed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_TABLE", raising=False)
    with pytest.raises(settings.SettingsError, match="APP_TABLE"):
        settings.app_table()
    monkeypatch.setenv("SEND_DEADLINE_MS", "ten minutes")
    with pytest.raises(settings.SettingsError, match="SEND_DEADLINE_MS"):
        settings.send_deadline_ms()
    monkeypatch.setenv("SEND_DEADLINE_MS", "1000")
    assert settings.send_deadline_ms() == 1_000
