"""The state of an outgoing message only rises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from functions.shared.outbox import RANK, UNFINISHED, State, rises

states = st.sampled_from(list(RANK))


def after(heard: list[State]) -> State:
    """The state of a row once it was told all of `heard`."""
    state: State = "QUEUED"
    for said in heard:
        if rises(state, said):
            state = said
    return state


@given(st.lists(states))
def test_whatever_is_heard_in_whatever_order_the_highest_rank_stays(heard: list[State]) -> None:
    assert RANK[after(heard)] == max([0, *(RANK[said] for said in heard)])


@given(st.lists(states))
def test_hearing_it_all_again_changes_nothing(heard: list[State]) -> None:
    assert after(heard + heard) == after(heard)


@given(states, states)
def test_of_two_states_at_most_one_rises_to_the_other(one: State, other: State) -> None:
    assert not (rises(one, other) and rises(other, one))


def test_a_receipt_lifts_what_we_gave_up_and_nothing_lowers_it_again() -> None:
    assert after(["SENDING", "FAILED", "DELIVERED", "CANCELLED", "SENT", "QUEUED"]) == "DELIVERED"


def test_a_message_that_was_given_up_stays_given_up_as_it_was() -> None:
    assert after(["FAILED", "CANCELLED"]) == "FAILED"
    assert after(["CANCELLED", "FAILED", "SENDING"]) == "CANCELLED"


def test_only_what_may_still_go_out_is_unfinished() -> None:
    assert {state for state in RANK if RANK[state] < RANK["FAILED"]} == set(UNFINISHED)
