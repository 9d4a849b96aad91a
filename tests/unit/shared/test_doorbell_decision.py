"""What a doorbell asks for."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from functions.shared.contracts import ConversationId, Jid, TenantId
from functions.shared.conversation import Snapshot
from functions.shared.inbox import DEBOUNCE_LIMIT_MS, Answered, AssistantOff, NewerComing, RunTurn, decide

NOW = 1_790_000_000_000

SNAPSHOT = Snapshot(
    tenant_id=TenantId("business_1"),
    conversation_id=ConversationId("c1"),
    last_seq=5,
    handled_seq=2,
    epoch=3,
    business_ai_enabled=True,
    ai_enabled=True,
    paused_until=None,
    reply_jid=Jid("1@lid"),
    pending_since=NOW - 1_000,
    customer_name=None,
)

seqs = st.integers(0, 12)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    last = draw(seqs)
    return replace(
        SNAPSHOT,
        last_seq=last,
        handled_seq=draw(st.integers(0, last)),
        business_ai_enabled=draw(st.booleans()),
        ai_enabled=draw(st.booleans()),
        paused_until=draw(st.none() | st.integers(NOW - 2, NOW + 2)),
        pending_since=draw(st.none() | st.integers(NOW - 2 * DEBOUNCE_LIMIT_MS, NOW)),
    )


@given(snapshots(), seqs)
def test_a_turn_covers_exactly_what_waits(snapshot: Snapshot, seq: int) -> None:
    decision = decide(snapshot, seq, NOW)

    if isinstance(decision, RunTurn):
        assert decision == RunTurn(lo=snapshot.handled_seq + 1, hi=snapshot.last_seq, epoch=snapshot.epoch)
        assert decision.lo <= decision.hi


@given(snapshots())
def test_the_newest_doorbell_of_a_waiting_conversation_is_never_put_off(snapshot: Snapshot) -> None:
    waiting = snapshot.handled_seq < snapshot.last_seq
    decision = decide(snapshot, snapshot.last_seq, NOW)

    if not waiting:
        assert decision == Answered()
    elif snapshot.assistant_may_speak(NOW):
        assert isinstance(decision, RunTurn)
    else:
        assert decision == AssistantOff()


@given(snapshots(), seqs)
def test_a_silenced_assistant_runs_no_turn(snapshot: Snapshot, seq: int) -> None:
    decision = decide(replace(snapshot, ai_enabled=False), seq, NOW)

    assert decision in (Answered(), AssistantOff())


@given(snapshots(), seqs)
def test_an_older_doorbell_is_put_off_only_while_a_newer_one_is_coming_and_nobody_waits_long(
    snapshot: Snapshot, seq: int
) -> None:
    if decide(snapshot, seq, NOW) == NewerComing():
        assert snapshot.handled_seq < seq < snapshot.last_seq
        assert snapshot.pending_since is not None
        assert NOW - snapshot.pending_since < DEBOUNCE_LIMIT_MS


def test_who_never_stops_writing_is_answered_after_eight_seconds() -> None:
    waiting = replace(SNAPSHOT, pending_since=NOW - DEBOUNCE_LIMIT_MS + 1)

    assert decide(waiting, 4, NOW) == NewerComing()
    assert decide(waiting, 4, NOW + 1) == RunTurn(3, 5, 3)


def test_a_pause_ends_in_its_last_millisecond() -> None:
    paused = replace(SNAPSHOT, paused_until=NOW)

    assert decide(paused, 5, NOW - 1) == AssistantOff()
    assert decide(paused, 5, NOW) == RunTurn(3, 5, 3)


def test_a_doorbell_of_a_handled_message_leaves_the_newer_ones_to_theirs() -> None:
    assert decide(SNAPSHOT, 2, NOW) == Answered()
