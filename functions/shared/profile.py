"""The business profile: who the tenant is, when it is open, what it sells, and to whom the assistant answers."""

from __future__ import annotations

import time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator
from pynamodb.exceptions import PutError

from functions.shared.contracts import TenantField, TenantId
from functions.shared.keys import profile_key
from functions.shared.profile_parts import (
    Audience,
    Closure,
    Entry,
    Holidays,
    Language,
    Limits,
    Line,
    Location,
    ModelServer,
    Opening,
    Openings,
    Part,
    PhoneNumber,
    Place,
    QuietHours,
    Reminders,
    Resource,
    Service,
    SpecialDay,
    Weekday,
    inconsistent,
    repeated,
)
from functions.shared.tables import ProfileItem, find, not_exists

__all__ = [
    "BusinessProfile",
    "Language",
    "Opening",
    "ProfileChangedError",
    "Resource",
    "Service",
    "Weekday",
    "from_item",
    "load_profile",
    "save_profile",
]

MAX_TEXT = 60_000
"""Characters of all policies and knowledge: the row is read with every message, and DynamoDB ends an item at 400 KB."""


class ProfileChangedError(Exception):
    """Somebody else saved the profile since it was read; load it again and repeat the change."""


class BusinessProfile(Part):
    """Everything about a tenant that its owner decides."""

    tenant_id: TenantField
    config_version: Annotated[int, Field(ge=0)] = 0
    """Raised by every save; 0 is a profile that was never saved."""
    name: Line
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("he", "en")
    """The first one is spoken when the customer's cannot be told."""
    tone: Annotated[str, Field(max_length=500)] = ""
    """How the assistant should sound, in the owner's words."""
    introduction: dict[Language, Line] = Field(default_factory=dict)
    """Said once to each customer, before the first answer: that an assistant writes. Without one, a plain sentence."""
    time_zone: str = "Asia/Jerusalem"
    ai_enabled: bool = True
    audience: Audience = "new_chats"
    """Whom the assistant answers. `new_chats`: chats that the customer began, as far as Kesher saw them begin;
    `unsaved_contacts`: whom the owner has not saved in the phone's address book, and `new_chats` until that is known;
    `everyone`; `nobody`: a person answers."""
    takeover_pause_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 30
    """How long the assistant stays silent in a chat after the owner wrote there; 0: only until the customer's next."""
    owner_numbers: tuple[PhoneNumber, ...] = ()
    """Where the owner is told what needs a person: the first three. Whoever writes from one is no customer."""
    automatic_texts: tuple[str, ...] = ()
    """Greeting and away texts that WhatsApp Business sends by itself; they look exactly like the owner's replies."""
    hours: dict[Weekday, Openings] = Field(default_factory=dict)
    holidays: Holidays | None = None
    closures: tuple[Closure, ...] = ()
    special_days: tuple[SpecialDay, ...] = ()
    """They override weekdays, holidays and closures."""
    quiet_hours: QuietHours = QuietHours()
    reminders: Reminders = Reminders()
    appointment_files: bool = False
    """Whether a booking's confirmation comes with a file for the customer's calendar."""
    location: Location | None = None
    """Sent as a pin when a customer asks for the way."""
    resources: Annotated[tuple[Resource, ...], Field(min_length=1)] = (Resource(name="main"),)
    """What an appointment occupies: chairs, rooms, people."""
    services: tuple[Service, ...] = ()
    limits: Limits = Limits()
    policies: tuple[Entry, ...] = ()
    """Rules of the business that the assistant tells when they matter: cancellation, payment, being late."""
    knowledge: tuple[Entry, ...] = ()
    """What customers ask: parking, products, how to prepare."""
    model: str | None = None
    """Model of the assistant, if not the deployment's."""
    fallback_model: str | None = None
    """Model that is asked when the first one fails or is too slow, if not the deployment's."""
    fallback_server: ModelServer | None = None
    """Where that model is, if not on the server of the first one, which may be what failed."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is no time zone of the IANA database, such as Asia/Jerusalem") from None
        return value

    @field_validator("languages", "owner_numbers")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        inconsistent([((i,), f"{value[i]} is there twice") for i in repeated(list(value))])
        return value

    @field_validator("special_days")
    @classmethod
    def _each_day_once(cls, value: tuple[SpecialDay, ...]) -> tuple[SpecialDay, ...]:
        days = [special.day.isoformat() for special in value]
        inconsistent([((i, "day"), f"{days[i]} is there twice") for i in repeated(days)])
        return value

    @field_validator("resources")
    @classmethod
    def _distinct_resources(cls, value: tuple[Resource, ...]) -> tuple[Resource, ...]:
        places = [place for resource in value for place in resource.places]
        owners = [i for i, resource in enumerate(value) for _ in resource.places]
        inconsistent([((owners[i],), f"the resource {places[i]} is there twice") for i in repeated(places)])
        return value

    @field_validator("services")
    @classmethod
    def _consistent_services(cls, value: tuple[Service, ...], info: ValidationInfo) -> tuple[Service, ...]:
        named = [(i, name) for i, service in enumerate(value) for name in dict.fromkeys(service.all_names)]
        resources: tuple[Resource, ...] | None = info.data.get("resources")
        known = None if resources is None else [resource.name for resource in resources]
        problems: list[tuple[Place, str]] = [
            ((i, "id"), f"two services have the id {value[i].id}") for i in repeated([service.id for service in value])
        ]
        for position in repeated([name for _, name in named]):
            i, name = named[position]
            if any(other.casefold() == name.casefold() for j, other in named[:position] if j != i):
                problems.append(((i, "names"), f"another service is called {name} too"))
        for i, service in enumerate(value):
            for j, resource in enumerate(service.resources):
                if known is not None and resource not in known:
                    problems.append(((i, "resources", j), f"{resource} is none of the resources: {', '.join(known)}"))
        inconsistent(problems)
        return value

    @field_validator("policies", "knowledge")
    @classmethod
    def _not_too_much(cls, value: tuple[Entry, ...]) -> tuple[Entry, ...]:
        length = sum(len(text) for entry in value for text in (*entry.title.values(), *entry.text.values()))
        if length > MAX_TEXT:
            raise ValueError(f"{length} characters altogether; at most {MAX_TEXT} fit")
        return value

    @property
    def assistant_on(self) -> bool:
        """Whether the assistant of this business answers anybody at all."""
        return self.ai_enabled and self.audience != "nobody"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


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
    """The profile in a row that was read together with others; what a row of an older version lacks has its default."""
    stored = {name: getattr(item, name) for name in BusinessProfile.model_fields}
    return BusinessProfile.model_validate({name: value for name, value in stored.items() if value is not None})


def _to_item(profile: BusinessProfile) -> ProfileItem:
    pk, sk = profile_key(profile.tenant_id)
    fields = profile.model_dump(mode="json")
    return ProfileItem(pk, sk, **fields)
