"""The business profile: who the tenant is, when it is open, what it sells, and whether the assistant answers at all."""

from __future__ import annotations

import datetime as dt
import time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator
from pynamodb.exceptions import PutError

from functions.shared.contracts import TenantField, TenantId
from functions.shared.keys import profile_key
from functions.shared.tables import ProfileItem, find, not_exists

Language = Literal["he", "en"]
Weekday = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
Line = Annotated[str, Field(min_length=1, max_length=200)]


class ProfileChangedError(Exception):
    """Somebody else saved the profile since it was read; load it again and repeat the change."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Opening(Part):
    """One stretch of opening hours in the business's own time zone; `closes` is after `opens` on the same day."""

    opens: dt.time
    closes: dt.time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError("closes must be after opens; split hours that pass midnight over two days")
        return self


class Service(Part):
    """Something that a customer can book."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    names: dict[Language, Line]
    minutes: Annotated[int, Field(gt=0, le=24 * 60)]
    price: Annotated[int, Field(ge=0)]
    """In the currency's smallest unit: agorot, cents."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

    def name(self, language: Language) -> str:
        """The name in `language`, or in whatever language there is one."""
        return self.names.get(language) or next(iter(self.names.values()))


class BusinessProfile(Part):
    """Everything about a tenant that its owner decides."""

    tenant_id: TenantField
    config_version: Annotated[int, Field(ge=0)] = 0
    """Raised by every save; 0 is a profile that was never saved."""
    name: Line
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("he", "en")
    """The first one is spoken when the customer's cannot be told."""
    time_zone: str = "Asia/Jerusalem"
    ai_enabled: bool = True
    takeover_pause_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 30
    """How long the assistant stays silent in a chat after the owner wrote there; 0: only until the customer's next."""
    automatic_texts: tuple[str, ...] = ()
    """Greeting and away texts that WhatsApp Business sends by itself; they look exactly like the owner's replies."""
    hours: dict[Weekday, tuple[Opening, ...]] = {}
    services: tuple[Service, ...] = ()
    resources: Annotated[tuple[Line, ...], Field(min_length=1)] = ("main",)
    """What an appointment occupies: chairs, rooms, people."""
    model: str | None = None
    """Model of the assistant, if not the deployment's."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is no time zone of the IANA database, such as Asia/Jerusalem") from None
        return value

    @field_validator("resources", "languages")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("names must differ")
        return value

    @field_validator("services")
    @classmethod
    def _distinct_services(cls, value: tuple[Service, ...]) -> tuple[Service, ...]:
        if len({service.id for service in value}) != len(value):
            raise ValueError("ids of services must differ")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


_HOURS: TypeAdapter[dict[Weekday, tuple[Opening, ...]]] = TypeAdapter(dict[Weekday, tuple[Opening, ...]])

_cache: dict[TenantId, tuple[float, BusinessProfile]] = {}


def load_profile(tenant_id: TenantId, *, max_age_s: float = 0.0) -> BusinessProfile | None:
    """The tenant's profile, or None if there is no such tenant.

    Strongly consistent, unless `max_age_s` allows one that this process read that many seconds ago. Allow it only where
    an old answer breaks no rule: prices and opening hours in a prompt, but never whether the assistant may speak.
    """
    cached = _cache.get(tenant_id)
    if cached and time.monotonic() - cached[0] < max_age_s:
        return cached[1]
    item = find(ProfileItem, profile_key(tenant_id))
    if item is None:
        _cache.pop(tenant_id, None)
        return None
    profile = from_item(item)
    _cache[tenant_id] = (time.monotonic(), profile)
    return profile


def save_profile(profile: BusinessProfile) -> BusinessProfile:
    """Store `profile` and return it with its `config_version` raised.

    Raises ProfileChangedError if the stored version is not the one that `profile` was loaded with (0: none is stored).
    """
    saved = profile.model_copy(update={"config_version": profile.config_version + 1})
    unchanged = (
        ProfileItem.config_version == profile.config_version if profile.config_version else not_exists(ProfileItem)
    )
    try:
        _to_item(saved).save(condition=unchanged)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise ProfileChangedError(f"the profile of {profile.tenant_id} was changed by somebody else") from error
        raise
    _cache.pop(profile.tenant_id, None)
    return saved


def from_item(item: ProfileItem) -> BusinessProfile:
    """The profile in a row that was read together with others."""
    return BusinessProfile(
        tenant_id=TenantId(item.tenant_id),
        config_version=item.config_version,
        name=item.name,
        languages=item.languages,
        time_zone=item.time_zone,
        ai_enabled=item.ai_enabled,
        takeover_pause_minutes=item.takeover_pause_minutes,
        automatic_texts=item.automatic_texts,
        hours=_HOURS.validate_python(item.hours),
        services=tuple(Service.model_validate(service) for service in item.services),
        resources=item.resources,
        model=item.model,
    )


def _to_item(profile: BusinessProfile) -> ProfileItem:
    pk, sk = profile_key(profile.tenant_id)
    fields = profile.model_dump(mode="json")
    return ProfileItem(pk, sk, **fields)
