"""A profile that cannot work is refused where it is written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from functions.shared.examples import barber_shop, dental_clinic
from functions.shared.profile import BusinessProfile


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
