"""The phone's address book and whom the assistant answers, from the owner's phone to the customer's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.shared.contacts import saved_among
from functions.shared.profile import load_profile, save_profile
from kesher.local.simulator import SimulatorClient
from kesher.local.system import LocalSystem
from tests.e2e.conftest import BUSINESS, TENANT, Customer
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _unsaved_contacts_only(system: LocalSystem) -> Iterator[None]:
    before = load_profile(TENANT)
    assert before is not None
    save_profile(before.model_copy(update={"audience": "unsaved_contacts"}))
    yield
    now = load_profile(TENANT)
    assert now is not None
    save_profile(now.model_copy(update={"audience": before.audience}))


def is_saved(customer: Customer) -> bool:
    return bool(saved_among(TENANT, {"customer": [f"{customer.phone}@s.whatsapp.net"]}))


def test_a_customer_who_is_saved_is_left_to_the_owner_until_they_are_removed(
    customer: Customer, client: SimulatorClient
) -> None:
    customer.say("hi")
    customer.answers(1, seconds=180)

    client.save_contact(BUSINESS, customer.phone, "Dana from work")
    eventually(lambda: is_saved(customer), "the contact in the table", seconds=120)
    customer.say("shall we eat together?")
    eventually(lambda: len(customer.turns()) == 2, "the turn that says nothing", seconds=180)
    assert customer.turns()[-1].outcome == "silent"

    client.remove_contact(BUSINESS, customer.phone)
    eventually(lambda: not is_saved(customer), "the removal in the table", seconds=120)
    customer.say("hi again")
    assert len(customer.answers(2, seconds=180)) == 2
