"""The outbox drained through a gateway that answers in every way it can."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.send import gateway as gateway_module
from functions.send import handler
from functions.send.drain import LEASE_MS, Ending, Surroundings, drain
from functions.send.gateway import Gateway
from functions.shared import clock, outbox, sessions, settings
from functions.shared.contracts import Doorbell, Jid, SendCommand, TenantId
from functions.shared.conversation import load_conversation, load_messages
from functions.shared.inbox import RunTurn, Turn, answering, begin_turn, decide
from functions.shared.manner import Manner
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.secret import InternalSecret, SecretCache
from functions.shared.tables import ConversationItem, OutboxItem
from functions.webhook.accept import accept
from tests.integration.fake_gateway import (
    FakeGateway,
    Reply,
    cut,
    garbage,
    not_owner,
    own_session,
    refused,
    running_gateway,
    sent,
    superseded,
    unavailable,
    unknown,
)
from tests.integration.support import (
    SECRET,
    LambdaContextDouble,
    Store,
    accept_and_begin,
    answer_with,
    direct,
    message,
)


@pytest.fixture
def gateway(tenant: TenantId) -> Iterator[FakeGateway]:
    with running_gateway() as running:
        own_session(tenant, running.url)
        yield running


@dataclass
class World:
    """A clock that moves only when the drain sleeps, or the test says so."""

    ahead_ms: int = 0
    slept: list[int] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None
    remaining_ms: int = 120_000
    max_wait_ms: int = 15_000
    secret: InternalSecret = SECRET

    def now_ms(self) -> int:
        return clock.now_ms() + self.ahead_ms

    def sleep_ms(self, wait: int) -> None:
        self.slept.append(wait)
        self.ahead_ms += wait
        self.on_sleep()

    def drain(self, turn: Turn) -> Ending:
        surroundings = Surroundings(
            sender=Gateway(SecretCache(read=lambda: self.secret)),
            now_ms=self.now_ms,
            sleep_ms=self.sleep_ms,
            uniform=lambda _, high: high,
            remaining_ms=lambda: self.remaining_ms,
            max_wait_ms=self.max_wait_ms,
            came_up_since=sessions.came_up_since,
        )
        return drain(turn.tenant_id, turn.conversation_id, surroundings)


def queue(tenant: TenantId, *texts: str, phone: str | None = None) -> Turn:
    """The customer writes, the assistant answers with `texts`: they are QUEUED."""
    chat = None if phone is None else direct(lid=None, phone=Jid(phone))
    turn = accept_and_begin(tenant, "hi", chat=chat)
    answer_with(turn, *texts)
    return turn


def hear(tenant: TenantId, text: str) -> None:
    """The business's own phone writes to the customer."""
    accept(message(tenant, text, from_me=True))


def states(store: Store, turn: Turn) -> list[str]:
    return [row.state for row in store.outbox(turn.tenant_id, turn.conversation_id)]


def emf(capsys: pytest.CaptureFixture[str], metric: str) -> float:
    """The sum of `metric` in the lines of this test so far."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return sum(sum(line.get(metric, [])) for line in lines)


# ---- outcomes ---------------------------------------------------------------------------------------------------


def test_acknowledged_messages_are_sent_in_order_under_their_ids(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one", "two", "three")

    assert World().drain(turn) == "drained"

    rows = store.outbox(tenant)
    assert [row.state for row in rows] == ["SENT"] * 3
    assert gateway.texts() == ["one", "two", "three"]
    assert gateway.ids() == [row.message_id for row in rows]
    assert {call.secret for call in gateway.calls} == {SECRET.current}
    assert {call.tenant for call in gateway.calls} == {tenant}
    assert {(call.command.owner_token, call.command.author) for call in gateway.calls} == {(7, "assistant")}
    assert all(row.sent_at == 1_790_000_000_000 for row in rows)
    assert all((row.sweep_at, row.lease_until, row.error) == (None, None, None) for row in rows)


def test_without_an_acknowledgement_it_is_not_sent_and_the_next_attempt_has_the_same_id(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one", "two")
    gateway.script = [unknown]
    world = World(max_wait_ms=0)

    assert world.drain(turn) == "postponed"

    first, second = store.outbox(tenant)
    assert (first.state, second.state) == ("SENDING", "QUEUED")
    assert first.next_attempt_at is not None
    assert first.next_attempt_at > world.now_ms()
    assert (first.lease_until, first.sweep_at) == (None, first.next_attempt_at)
    assert first.error is not None
    assert "no acknowledgement" in first.error

    world.ahead_ms += 60_000
    assert world.drain(turn) == "drained"
    assert gateway.texts() == ["one", "one", "two"]
    assert gateway.ids() == [first.message_id, first.message_id, second.message_id]
    assert states(store, turn) == ["SENT", "SENT"]


@pytest.mark.parametrize("script", [cut, garbage(200), garbage(500), garbage(502)])
def test_a_lost_answer_is_unknown(
    script: Callable[[SendCommand], Reply], store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one")
    gateway.script = [script]

    World(max_wait_ms=0).drain(turn)

    assert states(store, turn) == ["SENDING"]
    assert "no acknowledgement" in (store.outbox(tenant)[0].error or "")


def test_a_gateway_that_hangs_is_unknown(
    store: Store, tenant: TenantId, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "READ_TIMEOUT_S", 0.2)
    release = threading.Event()
    turn = queue(tenant, "one")
    gateway.script = [lambda command: sent(command) if release.wait(30) else cut(command)]

    World(max_wait_ms=0).drain(turn)
    release.set()

    assert states(store, turn) == ["SENDING"]


def test_a_container_that_is_gone_is_waited_for_and_looked_up_again(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        own_session(tenant, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        turn = queue(tenant, "one")
        [row] = outbox.unfinished(tenant, turn.conversation_id)
        assert Gateway(SecretCache(read=lambda: SECRET)).send(row).outcome == "unavailable"
        world = World()
        world.on_sleep = lambda: own_session(tenant, gateway.url, token=8) if len(world.slept) == 2 else None

        assert world.drain(turn) == "drained"

    assert world.slept == pytest.approx([5_000, 5_000], abs=500)
    assert states(store, turn) == ["SENT"]
    assert [call.command.owner_token for call in gateway.calls] == [8]


def test_a_session_that_reconnects_is_waited_for_within_the_functions_own_time(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one")
    gateway.script = [unavailable, unavailable]
    world = World()

    assert world.drain(turn) == "drained"
    assert len(set(gateway.ids())) == 1
    assert len(world.slept) == 2
    assert store.outbox(tenant)[0].attempts == 3


def test_a_session_that_stays_away_is_left_to_the_sweeper(store: Store, tenant: TenantId, gateway: FakeGateway) -> None:
    turn = queue(tenant, "one", "two")
    gateway.script = [unavailable] * 20
    world = World(max_wait_ms=10_000)

    assert world.drain(turn) == "postponed"
    assert sum(world.slept) <= 10_000
    assert states(store, turn) == ["SENDING", "QUEUED"]
    assert set(gateway.texts()) == {"one"}


def test_the_outage_of_one_business_takes_no_time_from_another(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    down = save_profile(BusinessProfile(tenant_id=TenantId(f"{tenant}-down"), name="Down")).tenant_id
    gateway.script = [lambda command: unavailable(command, retry_after_ms=5_000)] * 10
    own_session(down, gateway.url)
    world = World(max_wait_ms=settings.send_wait_ms())
    waiting = [queue(down, "one", phone=f"97250000{number:04}@s.whatsapp.net") for number in range(10)]

    assert [world.drain(turn) for turn in waiting] == ["postponed"] * 10
    assert world.drain(queue(tenant, "hello")) == "drained"

    assert world.slept == []
    assert gateway.texts() == ["one"] * 10 + ["hello"]


def test_a_session_that_came_up_while_it_refused_is_tried_again_at_once(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one")
    world = World(max_wait_ms=settings.send_wait_ms())

    def a_moment_too_early(command: SendCommand) -> Reply:
        own_session(tenant, gateway.url, up_since=clock.now_ms())
        return unavailable(command, retry_after_ms=5_000)

    gateway.script = [a_moment_too_early]

    assert world.drain(turn) == "drained"
    assert sum(world.slept) <= 500
    assert states(store, turn) == ["SENT"]


def test_a_session_that_moved_is_found_at_its_new_owner(store: Store, tenant: TenantId, gateway: FakeGateway) -> None:
    with running_gateway() as before:
        before.script = [not_owner]
        own_session(tenant, before.url)
        turn = queue(tenant, "one")
        world = World(on_sleep=lambda: own_session(tenant, gateway.url, token=8))

        assert world.drain(turn) == "drained"

    assert (len(before.calls), len(gateway.calls)) == (1, 1)
    assert before.ids() == gateway.ids()
    assert states(store, turn) == ["SENT"]


def test_no_owner_at_all_is_unavailable(store: Store, tenant: TenantId) -> None:
    turn = queue(tenant, "one")
    assert World(max_wait_ms=0).drain(turn) == "postponed"
    own_session(tenant, None)
    assert World(max_wait_ms=0, ahead_ms=60_000).drain(turn) == "postponed"
    assert store.outbox(tenant)[0].error == "no container holds the session of this business"


def test_a_permanent_refusal_fails_at_once_is_counted_and_blocks_nobody(
    store: Store, tenant: TenantId, gateway: FakeGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    turn = queue(tenant, "one", "two")
    gateway.script = [refused("463", permanent=True)]
    capsys.readouterr()

    answer = run_handler(turn)

    assert answer == {"batchItemFailures": []}
    assert states(store, turn) == ["FAILED", "SENT"]
    assert gateway.texts() == ["one", "two"]
    failed = store.outbox(tenant)[0]
    assert failed.error == "refused with 463: restricted"
    assert (failed.sweep_at, failed.next_attempt_at) == (None, None)
    assert emf(capsys, "SendFailed") == 1.0


def test_a_passing_refusal_is_repeated_until_the_deadline_and_fails_then(
    store: Store, tenant: TenantId, gateway: FakeGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    turn = queue(tenant, "one", "two")
    gateway.script = [refused("479", permanent=False)] * 1_000
    world = World(max_wait_ms=30 * 60_000, remaining_ms=60 * 60_000)
    capsys.readouterr()

    assert world.drain(turn) == "drained"

    assert states(store, turn) == ["FAILED", "FAILED"]
    assert sum(world.slept) == pytest.approx(10 * 60_000, abs=5_000)
    assert max(world.slept) <= 60_000
    assert len(set(gateway.ids())) == 1


def test_what_gave_way_to_the_phone_is_cancelled_by_the_next_claim_if_it_was_the_owner(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one", "two")
    gateway.script = [superseded]
    world = World(on_sleep=lambda: hear(tenant, "I will see to this myself"))

    assert world.drain(turn) == "drained"

    assert sum(world.slept) == pytest.approx(2_900, abs=500)
    assert states(store, turn) == ["CANCELLED", "CANCELLED"]
    assert len(gateway.calls) == 1


def test_what_gave_way_to_an_automatic_text_goes_out_after_all(
    store: Store, tenant: TenantId, business: BusinessProfile, gateway: FakeGateway
) -> None:
    save_profile(business.model_copy(update={"automatic_texts": ("We are closed today.",)}))
    turn = queue(tenant, "one")
    gateway.script = [superseded]
    world = World(on_sleep=lambda: hear(tenant, "We are closed today."), max_wait_ms=settings.send_wait_ms())

    assert world.drain(turn) == "drained"

    assert states(store, turn) == ["SENT"]
    assert len(set(gateway.ids())) == 1


def test_a_rotated_secret_is_read_again(store: Store, tenant: TenantId, gateway: FakeGateway) -> None:
    turn = queue(tenant, "one")
    gateway.secret = "the new one"
    minutes = iter([0.0, 100.0, 100.0])
    answers = iter([SECRET, InternalSecret(current="the new one", previous=SECRET.current)])
    cache = SecretCache(read=lambda: next(answers), monotonic=lambda: next(minutes))
    [row] = outbox.unfinished(tenant, turn.conversation_id)

    result = Gateway(cache).send(row)

    assert result.outcome == "sent"


def test_a_secret_that_opens_nothing_is_unavailable_and_a_command_not_understood_is_refused(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one")
    [row] = outbox.unfinished(tenant, turn.conversation_id)
    sender = Gateway(SecretCache(read=lambda: SECRET))

    gateway.script = [garbage(400), garbage(409), garbage(404)]
    assert [sender.send(row).outcome for _ in range(3)] == ["refused", "not_owner", "unavailable"]
    gateway.secret = "another"
    assert sender.send(row).outcome == "unavailable"


# ---- a person wins ----------------------------------------------------------------------------------------------


def test_what_was_queued_before_a_person_took_over_is_cancelled_in_order(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one", "two")
    accept(message(tenant, "It is me", from_me=True))

    assert World().drain(turn) == "drained"

    assert states(store, turn) == ["CANCELLED", "CANCELLED"]
    assert gateway.calls == []
    assert "superseded" in (store.outbox(tenant)[0].error or "")


def test_a_person_between_reading_and_claiming_wins(store: Store, tenant: TenantId) -> None:
    turn = queue(tenant, "one")
    [row] = outbox.unfinished(tenant, turn.conversation_id)
    accept(message(tenant, "It is me", from_me=True))

    with pytest.raises(outbox.OvertakenError):
        outbox.claim(row, now_ms=clock.now_ms(), lease_ms=LEASE_MS)
    assert states(store, turn) == ["QUEUED"]


def test_a_person_between_two_parts_stops_the_second(store: Store, tenant: TenantId, gateway: FakeGateway) -> None:
    turn = queue(tenant, "one", "two")

    def owner_writes(command: SendCommand) -> Reply:
        accept(message(tenant, "It is me", from_me=True))
        return sent(command)

    gateway.script = [owner_writes]

    assert World().drain(turn) == "drained"
    assert states(store, turn) == ["SENT", "CANCELLED"]


def test_a_business_switched_off_sends_no_more(
    store: Store, tenant: TenantId, business: BusinessProfile, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one")
    save_profile(business.model_copy(update={"ai_enabled": False}))

    assert World().drain(turn) == "drained"
    assert (states(store, turn), gateway.calls) == (["CANCELLED"], [])


def test_a_persons_own_message_gives_way_to_nobody(store: Store, tenant: TenantId, gateway: FakeGateway) -> None:
    turn = queue(tenant, "from the console")
    store.outbox(tenant)[0].update(actions=[OutboxItem.author.set("person")])
    store.conversation(tenant).update(actions=[ConversationItem.epoch.set(5)])

    assert World().drain(turn) == "drained"
    assert [call.command.author for call in gateway.calls] == ["person"]


# ---- who may send -----------------------------------------------------------------------------------------------


def test_of_many_claims_at_once_one_holds(store: Store, tenant: TenantId) -> None:
    turn = queue(tenant, "one")
    [row] = outbox.unfinished(tenant, turn.conversation_id)

    def claim(_: int) -> bool:
        try:
            outbox.claim(row, now_ms=clock.now_ms(), lease_ms=LEASE_MS)
        except outbox.RowMovedError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(claim, range(8))).count(True) == 1


def test_a_leased_row_cannot_be_claimed_even_by_who_has_read_its_newest_state(store: Store, tenant: TenantId) -> None:
    turn = queue(tenant, "one")
    [row] = outbox.unfinished(tenant, turn.conversation_id)
    outbox.claim(row, now_ms=clock.now_ms(), lease_ms=LEASE_MS)
    [leased] = outbox.unfinished(tenant, turn.conversation_id)

    with pytest.raises(outbox.RowMovedError):
        outbox.claim(leased, now_ms=clock.now_ms(), lease_ms=LEASE_MS)
    assert outbox.claim(leased, now_ms=clock.now_ms() + LEASE_MS + 1_000, lease_ms=LEASE_MS).attempts == 2


def test_a_row_that_somebody_else_is_sending_is_left_alone_until_its_lease_is_over(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    turn = queue(tenant, "one", "two")
    [row, _] = outbox.unfinished(tenant, turn.conversation_id)
    outbox.claim(row, now_ms=clock.now_ms(), lease_ms=LEASE_MS)  # ... and dies

    assert World().drain(turn) == "leased"
    assert gateway.calls == []

    assert World(ahead_ms=LEASE_MS).drain(turn) == "drained"
    assert gateway.texts() == ["one", "two"]
    assert gateway.ids()[0] == row.message_id


def test_whoever_lost_the_claim_meanwhile_cannot_write_the_rows_state(store: Store, tenant: TenantId) -> None:
    turn = queue(tenant, "one")
    [row] = outbox.unfinished(tenant, turn.conversation_id)
    slow = outbox.claim(row, now_ms=clock.now_ms(), lease_ms=0)
    [expired] = outbox.unfinished(tenant, turn.conversation_id)
    outbox.claim(expired, now_ms=clock.now_ms() + 1, lease_ms=LEASE_MS)

    assert not outbox.postpone(slow, next_attempt_at=0, error="late")
    assert not outbox.give_up(slow, "FAILED", error="late")
    # Only what WhatsApp itself says counts, whoever brings it.
    assert outbox.record_evidence(tenant, turn.conversation_id, slow.sk, "SENT", at=1) == "SENDING"


def test_without_time_for_another_attempt_the_rows_wait(store: Store, tenant: TenantId, gateway: FakeGateway) -> None:
    turn = queue(tenant, "one")

    assert World(remaining_ms=LEASE_MS - 1).drain(turn) == "out_of_time"
    assert (states(store, turn), gateway.calls) == (["QUEUED"], [])


def test_one_conversation_never_waits_for_another(store: Store, tenant: TenantId, gateway: FakeGateway) -> None:
    slow = queue(tenant, "slow one", "slow two", phone="972500000001@s.whatsapp.net")
    quick = queue(tenant, "quick", phone="972500000002@s.whatsapp.net")
    asked, release = threading.Event(), threading.Event()

    def hang(command: SendCommand) -> Reply:
        asked.set()
        release.wait(60)
        return sent(command)

    gateway.script = [hang]
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(World().drain, slow)
        assert asked.wait(30)

        assert World().drain(quick) == "drained"
        assert states(store, quick) == ["SENT"]
        assert (states(store, slow), hanging.done()) == (["SENDING", "QUEUED"], False)

        release.set()
        assert hanging.result(30) == "drained"
    assert gateway.texts() == ["slow one", "quick", "slow two"]


# ---- the function -----------------------------------------------------------------------------------------------


def run_handler(turn: Turn) -> handler.BatchAnswer:
    bell = Doorbell(
        tenant_id=turn.tenant_id, conversation_id=turn.conversation_id, seq=turn.hi, correlation_id="test-ring"
    )
    event: handler.SqsEvent = {"Records": [{"messageId": "m1", "body": bell.to_json()}]}
    return handler.handle(event, cast("LambdaContext", LambdaContextDouble()))


def test_the_function_drains_and_tells_the_log_without_the_customers_number_or_words(
    store: Store, tenant: TenantId, gateway: FakeGateway, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    turn = queue(tenant, "words of the answer", phone="972501234567@s.whatsapp.net")

    assert run_handler(turn) == {"batchItemFailures": []}

    lines = log.getvalue()
    assert "[WA-BG-SEND] Starting" in lines
    assert "[WA-BG-SEND] status=sent" in lines
    [row] = store.outbox(turn.tenant_id, turn.conversation_id)
    told = [json.loads(line) for line in lines.splitlines() if "[WA-BG-SEND]" in line]
    assert row.correlation_id != "test-ring"
    assert {line["correlation_id"] for line in told} == {row.correlation_id}
    assert "972501234567" not in lines
    assert "words of the answer" not in lines
    assert emf(capsys, "MessageSent") == 1.0
    assert states(store, turn) == ["SENT"]


def test_a_failure_of_our_own_store_sends_the_doorbell_back(
    store: Store, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = queue(tenant, "one")
    monkeypatch.setenv("GATEWAY_TABLE", "no-such-table")

    assert run_handler(turn) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_a_doorbell_that_cannot_be_read_goes_back_with_all_behind_it(store: Store) -> None:
    event: handler.SqsEvent = {"Records": [{"messageId": "m1", "body": "?"}, {"messageId": "m2", "body": "?"}]}

    answer = handler.handle(event, cast("LambdaContext", LambdaContextDouble()))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}


# ---- as a person would ------------------------------------------------------------------------------------------


def test_the_first_reply_carries_what_it_answers_and_each_of_them_the_chats_timer(
    store: Store, tenant: TenantId, gateway: FakeGateway
) -> None:
    begun = accept_and_begin(tenant, "hi", "are you open?")
    pending = load_messages(tenant, begun.conversation_id, begun.lo, begun.hi)
    turn = answering(replace(begun, manner=Manner(disappearing_seconds=86_400)), pending)
    answer_with(turn, "Yes.", "Until seven.")

    assert World().drain(turn) == "drained"

    first, second = (call.command for call in gateway.calls)
    assert first.answers == tuple(message.message_id for message in pending)
    assert first.answered_at == pending[-1].sent_at
    assert (second.answers, second.answered_at) == ((), None)
    assert (first.disappearing_seconds, second.disappearing_seconds) == (86_400, 86_400)


def test_a_chats_timer_is_the_turns(store: Store, tenant: TenantId) -> None:
    begun = accept_and_begin(tenant, "hi")
    accept(message(tenant, "still there?").model_copy(update={"disappearing_seconds": 604_800}))

    snapshot = load_conversation(tenant, begun.conversation_id)
    decision = decide(snapshot, snapshot.last_seq, clock.now_ms())

    assert isinstance(decision, RunTurn)
    turn = begin_turn(snapshot, decision, correlation_id="c", now_ms=clock.now_ms())
    assert turn.manner == Manner(disappearing_seconds=604_800)
