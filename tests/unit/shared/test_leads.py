"""How a lead moves: facts move it by themselves, people and models say the rest, and everything is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared import leads
from functions.shared.leads import STAGES, Lead, Note, Stage

DAY = 86_400_000


def test_the_way_of_a_customer() -> None:
    lead = leads.answered(Lead())
    assert lead.stage == "engaged"
    lead = leads.interested(lead, "hot")
    lead = leads.with_appointments(lead, [2 * DAY], now_ms=DAY)
    assert lead.stage == "booked"
    lead = leads.settled(lead, 2 * DAY)
    assert (lead.stage, lead.customer_since) == ("customer", 2 * DAY)
    lead = leads.with_appointments(lead, [9 * DAY, 8 * DAY], now_ms=3 * DAY)
    assert (lead.stage, lead.visit_at) == ("booked", 9 * DAY)
    assert leads.settled(lead, 10 * DAY).customer_since == 2 * DAY


@pytest.mark.parametrize(("since", "stage"), [(None, "engaged"), (5, "customer")])
def test_who_cancels_is_what_they_were(since: int | None, stage: Stage) -> None:
    booked = Lead(stage="booked", visit_at=9 * DAY, customer_since=since)
    assert leads.with_appointments(booked, [], now_ms=DAY).stage == stage


def test_an_appointment_is_a_fact_that_nobody_talks_away() -> None:
    booked = Lead(stage="booked", visit_at=9)
    assert all(leads.interested(booked, one) == booked for one in ("engaged", "hot", "lost"))
    assert leads.interested(Lead(stage="customer"), "engaged").stage == "customer"
    assert leads.interested(Lead(stage="customer"), "hot").stage == "hot"


def test_notes_and_tags_are_kept_once() -> None:
    lead = leads.noted(leads.noted(Lead(), " wants  a\nfade ", 1), "wants a fade", 2)
    assert lead.notes == (Note(1, "wants a fade"),)
    lead = leads.tagged(lead, ["VIP", "vip", "kids"], [])
    assert lead.tags == ("VIP", "kids")
    assert leads.tagged(lead, [], ["Vip"]).tags == ("kids",)
    assert leads.planned(leads.planned(lead, "call"), "  ").next_step is None


@given(st.lists(st.tuples(st.text(max_size=400), st.text(max_size=50), st.text(max_size=300)), max_size=40))
def test_whatever_is_noted_stays_bounded(noted: list[tuple[str, str, str]]) -> None:
    lead = Lead()
    for at, (note, tag, step) in enumerate(noted):
        lead = leads.planned(leads.tagged(leads.noted(lead, note, at), [tag]), step)
    assert len(lead.notes) <= leads.MAX_NOTES
    assert all(0 < len(note.text) <= leads.MAX_NOTE for note in lead.notes)
    assert len(lead.tags) <= leads.MAX_TAGS
    assert all(0 < len(tag) <= leads.MAX_TAG for tag in lead.tags)
    assert len(lead.next_step or "") <= leads.MAX_NEXT_STEP


LEADS = st.builds(
    Lead,
    stage=st.sampled_from(STAGES),
    notes=st.lists(st.builds(Note, st.integers(0, 9), st.sampled_from("abc")), max_size=3).map(tuple),
    tags=st.lists(st.sampled_from(["vip", "VIP", "kids"]), max_size=2, unique_by=str.casefold).map(tuple),
    next_step=st.none() | st.just("call"),
    visit_at=st.none() | st.integers(1, 9),
    customer_since=st.none() | st.integers(1, 9),
    hot_told_at=st.none() | st.integers(1, 9),
    revision=st.integers(0, 9),
)


@given(st.lists(LEADS, min_size=1, max_size=4))
def test_one_person_with_several_conversations_is_one_lead(several: list[Lead]) -> None:
    joined = leads.joined(several)
    assert {note for lead in several for note in lead.notes} == set(joined.notes)
    assert {tag.casefold() for lead in several for tag in lead.tags} == {tag.casefold() for tag in joined.tags}
    assert (joined.hot_told_at is None) == all(lead.hot_told_at is None for lead in several), "told once, not twice"
    assert (joined.stage == "booked") == any(lead.stage == "booked" for lead in several)
    assert joined.revision == several[0].revision, "it is written to the conversation that goes on"
