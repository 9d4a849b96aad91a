"""The profile in the table: its versions, rows of older ones, and whom the assistant answers."""

from __future__ import annotations

import json
import secrets

import pytest

from functions.shared import keys
from functions.shared.contracts import TenantId
from functions.shared.examples import barber_shop
from functions.shared.inbox import Reply, TurnOvertakenError, TurnRecord, commit_turn
from functions.shared.profile import BusinessProfile, ProfileChangedError, Resource, load_profile, save_profile
from functions.shared.tables import AppItem, ConversationItem, ProfileItem, find, get_together
from functions.webhook.accept import accept
from tests.integration.support import Store, accept_and_begin, message
from tests.profiles import FULL


def changed(profile: BusinessProfile, **fields: object) -> BusinessProfile:
    return BusinessProfile.model_validate({**profile.model_dump(), **fields})


def test_every_field_comes_back_as_it_was_saved(business: BusinessProfile) -> None:
    saved = save_profile(changed(business, **FULL))
    assert saved.config_version == business.config_version + 1
    assert load_profile(business.tenant_id) == saved


def test_a_save_over_somebody_elses_is_refused(business: BusinessProfile) -> None:
    save_profile(changed(business, name="first"))
    with pytest.raises(ProfileChangedError):
        save_profile(changed(business, name="second"))
    with pytest.raises(ProfileChangedError):
        save_profile(barber_shop(business.tenant_id))
    loaded = load_profile(business.tenant_id)
    assert loaded is not None
    assert loaded.name == "first"


def test_a_row_of_the_first_version_still_loads(store: Store) -> None:
    tenant = f"old_{secrets.token_hex(4)}"
    pk, sk = keys.profile_key(tenant)
    service = {"id": "cut", "names": {"he": "תספורת", "en": "Cut"}, "minutes": 30, "price": 8000, "currency": "ILS"}
    texts = {
        "tenant_id": tenant,
        "name": "Old",
        "time_zone": "Asia/Jerusalem",
        "languages": json.dumps(["he", "en"]),
        "automatic_texts": "[]",
        "hours": json.dumps({"sunday": [{"opens": "09:00:00", "closes": "19:00:00"}]}),
        "services": json.dumps([service]),
        "resources": json.dumps(["room 1", "room 2"]),
    }
    row = {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **texts}.items()}
    numbers = {"config_version": {"N": "3"}, "takeover_pause_minutes": {"N": "30"}, "ai_enabled": {"BOOL": True}}
    AppItem.connection().dispatch("PutItem", {"TableName": AppItem.Meta.table_name, "Item": row | numbers})

    loaded = load_profile(TenantId(tenant))

    assert loaded is not None
    assert (loaded.config_version, loaded.audience, loaded.limits.horizon_days) == (3, "new_chats", 90)
    assert loaded.resources == (Resource(name="room 1"), Resource(name="room 2"))
    assert loaded.services[0].names == {"he": ("תספורת",), "en": ("Cut",)}
    assert save_profile(loaded).config_version == 4


def test_the_audience_nobody_leaves_every_message_to_a_person(store: Store, business: BusinessProfile) -> None:
    save_profile(changed(business, audience="nobody"))
    assert accept(message(business.tenant_id, "hi")).rings == ()


def test_the_audience_nobody_stops_a_turn_under_way(store: Store, business: BusinessProfile) -> None:
    turn = accept_and_begin(business.tenant_id, "hi")
    save_profile(changed(business, audience="nobody"))
    with pytest.raises(TurnOvertakenError):
        commit_turn(turn, replies=[Reply("hello")], record=TurnRecord(items=[]), now_ms=turn.started_at)


@pytest.mark.parametrize(
    ("audience", "answered"), [("new_chats", False), ("unsaved_contacts", False), ("everyone", True)]
)
def test_a_chat_that_the_owner_began_is_the_owners_own(
    store: Store, business: BusinessProfile, audience: str, answered: bool
) -> None:
    save_profile(changed(business, audience=audience, takeover_pause_minutes=0))
    accept(message(business.tenant_id, "when do you deliver the chairs?", from_me=True))
    rings = accept(message(business.tenant_id, "tomorrow")).rings
    assert [ring.queue for ring in rings] == (["turns"] if answered else [])


@pytest.mark.parametrize("audience", ["new_chats", "unsaved_contacts", "everyone"])
def test_a_chat_that_the_customer_began_is_answered(store: Store, business: BusinessProfile, audience: str) -> None:
    save_profile(changed(business, audience=audience))
    assert [ring.queue for ring in accept(message(business.tenant_id, "hi")).rings] == ["turns"]


def test_the_row_tells_whether_the_assistant_is_on(store: Store, business: BusinessProfile) -> None:
    save_profile(changed(business, ai_enabled=False))
    row = find(ProfileItem, keys.profile_key(business.tenant_id))
    assert row is not None
    assert not row.assistant_on


def test_hundreds_of_rows_are_read_together(business: BusinessProfile) -> None:
    keys = [(f"T#{business.tenant_id}#C#{number}", "CONVERSATION") for number in range(450)]
    for pk, sk in keys[::50]:
        ConversationItem(pk, sk, last_seq=1, handled_seq=1, epoch=0, ai_enabled=True, created_at=1).save()

    found = get_together(keys)
    assert [found.get(ConversationItem, key) is not None for key in keys] == [n % 50 == 0 for n in range(450)]
