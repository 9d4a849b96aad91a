"""Businesses to try the product with; the demo and the tests share them."""

from __future__ import annotations

import datetime as dt

from functions.shared.contracts import TenantId
from functions.shared.profile import BusinessProfile, Opening, Resource, Service


def barber_shop(tenant_id: str = "business_1") -> BusinessProfile:
    """A barber in Tel Aviv: Hebrew and English, one chair, open Sunday to Friday noon."""
    day = (Opening(opens=dt.time(9), closes=dt.time(19)),)
    return BusinessProfile(
        tenant_id=TenantId(tenant_id),
        name="מספרת רון",
        languages=("he", "en"),
        time_zone="Asia/Jerusalem",
        automatic_texts=("תודה שפניתם למספרת רון! נחזור אליכם בהקדם.",),
        hours={
            "sunday": day,
            "monday": day,
            "tuesday": day,
            "wednesday": day,
            "thursday": day,
            "friday": (Opening(opens=dt.time(9), closes=dt.time(14)),),
        },
        services=(
            Service(
                id="haircut", names={"he": ("תספורת",), "en": ("Haircut",)}, minutes=30, price=8_000, currency="ILS"
            ),
            Service(
                id="beard", names={"he": ("עיצוב זקן",), "en": ("Beard trim",)}, minutes=30, price=5_000, currency="ILS"
            ),
            Service(
                id="haircut_beard",
                names={"he": ("תספורת וזקן",), "en": ("Haircut and beard",)},
                minutes=60,
                price=12_000,
                currency="ILS",
            ),
        ),
    )


def dental_clinic(tenant_id: str = "business_2") -> BusinessProfile:
    """A clinic with two rooms and a lunch break, so that appointments can stand side by side."""
    day = (
        Opening(opens=dt.time(8, 30), closes=dt.time(13)),
        Opening(opens=dt.time(14), closes=dt.time(18, 30)),
    )
    return BusinessProfile(
        tenant_id=TenantId(tenant_id),
        name="Smile Clinic",
        languages=("en", "he"),
        time_zone="Asia/Jerusalem",
        hours={"sunday": day, "monday": day, "tuesday": day, "wednesday": day, "thursday": day},
        services=(
            Service(
                id="checkup", names={"en": ("Check-up",), "he": ("בדיקה",)}, minutes=30, price=25_000, currency="ILS"
            ),
            Service(
                id="cleaning",
                names={"en": ("Cleaning",), "he": ("ניקוי אבנית",)},
                minutes=45,
                price=35_000,
                currency="ILS",
            ),
        ),
        resources=(Resource(name="room 1"), Resource(name="room 2")),
    )
