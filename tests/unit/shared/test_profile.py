"""A profile that cannot work is refused where it is written."""

from __future__ import annotations

from typing import Any

import pytest
from holidays import list_supported_countries
from pydantic import ValidationError

from functions.shared.countries import COUNTRIES
from functions.shared.examples import barber_shop, dental_clinic
from functions.shared.profile import BusinessProfile, Resource


def changed(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON would bring it
    return {**barber_shop().model_dump(mode="json"), **fields}


@pytest.mark.parametrize("profile", [barber_shop(), dental_clinic()], ids=lambda profile: profile.name)
def test_a_profile_survives_json(profile: BusinessProfile) -> None:
    assert BusinessProfile.model_validate_json(profile.model_dump_json()) == profile
    assert profile.zone.key == profile.time_zone


SERVICE = {"id": "cut", "names": {"en": "Cut"}, "minutes": 30, "price": 8_000, "currency": "ILS"}


@pytest.mark.parametrize(
    "fields",
    [
        {"tenant_id": "a#b"},
        {"time_zone": "Jerusalem"},
        {"time_zone": "../etc/passwd"},
        {"languages": []},
        {"languages": ["he", "he"]},
        {"languages": ["fr"]},
        {"hours": {"sunday": [{"opens": "18:00", "closes": "09:00"}]}},
        {"hours": {"someday": []}},
        {"services": [SERVICE, SERVICE]},
        {"services": [{**SERVICE, "price": 80.5}]},
        {"services": [{**SERVICE, "currency": "shekel"}]},
        {"services": [{**SERVICE, "minutes": 0}]},
        {"resources": []},
        {"resources": ["chair", "chair"]},
        {"name": ""},
        {"ai_enabld": True},
        {"audience": "some"},
        {"owner_numbers": ["050-1234567"]},
        {"owner_numbers": ["+972501234567", "+972 50-123-4567"]},
        {"hours": {"sunday": ["9 to 5"]}},
        {"hours": {"sunday": ["09:00-13:00", "12:00-17:00"]}},
        {"holidays": {"country": "XX"}},
        {"closures": [{"first": "2026-12-31", "last": "2026-12-30"}]},
        {"special_days": [{"day": "2026-12-31"}, {"day": "2026-12-31", "hours": ["09:00-12:00"]}]},
        {"resources": [{"name": "chair", "capacity": 0}]},
        {"resources": ["room#2", {"name": "room", "capacity": 2}]},
        {"services": [{**SERVICE, "names": {}}]},
        {"services": [{**SERVICE, "names": {"en": []}}]},
        {"services": [SERVICE, {**SERVICE, "id": "cut2", "names": {"en": ["Trim", "CUT"]}}]},
        {"services": [{**SERVICE, "resources": ["nobody"]}]},
        {"services": [{**SERVICE, "buffer_after": -5}]},
        {"policies": [{"title": {"en": "Late"}, "text": {"he": "איחור"}}]},
        {"knowledge": [{"title": {"en": str(n)}, "text": {"en": "x" * 4_000}} for n in range(16)]},
        {"limits": {"max_appointments": 0}},
        {"quiet_hours": {"nightly": "21-8"}},
        {"quiet_hours": {"weekly": [{"begins": "friday 15:00", "ends": "shabbat 20:00"}]}},
    ],
    ids=str,
)
def test_a_profile_that_cannot_work_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BusinessProfile.model_validate(changed(**fields))


def test_a_service_has_a_name_in_any_language() -> None:
    profile = BusinessProfile.model_validate(changed(services=[SERVICE]))

    assert profile.services[0].name("he") == "Cut"
    assert barber_shop().services[0].name("he") == "תספורת"


def test_every_country_of_the_list_has_holidays_in_the_library() -> None:
    assert set(list_supported_countries(include_aliases=False)) >= COUNTRIES


def test_what_an_owner_writes_by_hand_has_a_short_form() -> None:
    short = BusinessProfile.model_validate(
        changed(
            hours={"sunday": ["9:00-13:00", "16:00 - 19:00"]},
            resources=["chair", {"name": "room", "capacity": 2}],
            owner_numbers=["+972 50-123-4567", 972521234567],
        )
    )

    assert [opening.short for opening in short.hours["sunday"]] == ["09:00-13:00", "16:00-19:00"]
    assert short.resources[0] == Resource(name="chair", capacity=1)
    assert short.owner_numbers == ("+972501234567", "+972521234567")


def test_raising_the_capacity_keeps_the_places_that_are_booked_already() -> None:
    assert Resource(name="room").places == ("room",)
    assert Resource(name="room", capacity=3).places == ("room", "room#2", "room#3")


def test_all_inconsistencies_of_the_services_are_named_at_once_with_their_places() -> None:
    bad = [{**SERVICE, "resources": ["nobody"]}, {**SERVICE, "resources": ["main", "no one"]}]

    with pytest.raises(ValidationError) as refused:
        BusinessProfile.model_validate(changed(services=bad))

    [error] = refused.value.errors()
    assert [place for place, _ in error["ctx"]["problems"]] == [
        (1, "id"),
        (1, "names"),
        (0, "resources", 0),
        (1, "resources", 1),
    ]
