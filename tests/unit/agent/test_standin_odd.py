"""What odd and hostile customers write: a sensible answer to each, and nothing done that nobody asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from functions.shared.profile import Language
from functions.shared.profile_parts import Location
from kesher import business_file
from tests.unit.agent.support import Phone

_READS = {"find_free_slots", "list_appointments", "search_knowledge", "send_location", "show_all_tools", "update_lead"}


class Odd(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    after: tuple[str, ...] = ()
    does: frozenset[str] = frozenset()
    says: tuple[str, ...]


class File(BaseModel):
    english: tuple[Odd, ...]
    hebrew: tuple[Odd, ...]


_DATA = Path(__file__).parents[2] / "data" / "odd-messages.yaml"
FILE = File.model_validate(YAML(typ="safe").load(_DATA.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("language", "odd"),
    [*(("en", odd) for odd in FILE.english), *(("he", odd) for odd in FILE.hebrew)],
    ids=lambda value: value.text if isinstance(value, Odd) else value,
)
def test_a_sensible_answer(language: Language, odd: Odd) -> None:
    place = Location(address="1 Herzl Street, Tel Aviv", latitude=32.0631, longitude=34.7713)
    known = {"config_version": 1, "owner_numbers": ("+972500000001",), "location": place}
    phone = Phone(business_file.parse(business_file.example("barber", language)).model_copy(update=known))
    phone.talk(*odd.after)
    said = phone.send(odd.text)
    tools = [call for call in phone.store.chat().turns[-1].tools if isinstance(call, dict)]
    done = {str(call["name"]) for call in tools if '"not_possible"' not in str(call["result"])}
    assert done - _READS == odd.does
    assert any(part in said for part in odd.says), said
