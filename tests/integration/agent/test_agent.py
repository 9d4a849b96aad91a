"""The agent on real tables and queues: doorbells in, one turn and one commit, doorbells out."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from agents import Agent, Model
from agents.testing import ScriptedModel, assistant_message, function_call
from pynamodb.pagination import ResultIterator

from functions.agent import handler, turn
from functions.agent.assistant import AgentCache, create_agent
from functions.agent.calendar.rules import Cell, cells
from functions.agent.calendar.store import HOLD_MS, TableCalendar
from functions.agent.context import ToolContext
from functions.agent.handler import SqsEvent, SqsRecord
from functions.agent.language.phrases import A_PERSON_WILL_ANSWER
from functions.agent.store import AppStore
from functions.shared import aws as clients
from functions.shared import clock, queues, settings
from functions.shared.contracts import Chat, ConversationId, Doorbell, Jid, TenantId
from functions.shared.conversation import TurnId, load_history
from functions.shared.examples import barber_shop, dental_clinic
from functions.shared.inbox import Effect, Reply, Turn, TurnRecord
from functions.shared.keys import calendar_pk, conversation_pk
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.tables import BookingItem, SlotItem
from functions.webhook.accept import accept
from tests.integration.support import LID, LambdaContextDouble, Store, direct, message
from tests.unit.agent.doubles import Watched
from tests.waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@pytest.fixture(autouse=True)
def no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def answered_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Model], None]:
    """Let every agent of this test use `model`."""

    def use(model: Model) -> None:
        cache = AgentCache(lambda profile: with_model(profile, model))
        monkeypatch.setattr(handler, "_agents", lambda: cache)

    return use


def with_model(profile: BusinessProfile, model: Model) -> Agent[ToolContext]:
    agent = create_agent(profile)
    agent.model = model
    return agent


def event(doorbell: Doorbell, *, received: int = 1, receipt: str = "none") -> SqsEvent:
    record: SqsRecord = {
        "messageId": f"sqs-{doorbell.seq}",
        "receiptHandle": receipt,
        "body": doorbell.to_json(),
        "attributes": {"ApproximateReceiveCount": str(received)},
    }
    return {"Records": [record]}


def invoke(doorbell: Doorbell, *, received: int = 1) -> bool:
    """One invocation of the function; False if it wants the doorbell back."""
    answer = handler.handle(event(doorbell, received=received), LambdaContextDouble())  # type: ignore[arg-type]
    return not answer["batchItemFailures"]


def write(tenant: TenantId, text: str, chat: Chat | None = None) -> Doorbell:
    """The customer's message is accepted; its doorbell is returned instead of rung."""
    ring = accept(message(tenant, text, chat=chat)).rings[0]
    return Doorbell(tenant_id=tenant, conversation_id=ring.conversation_id, seq=ring.seq, correlation_id="test")


def talk(tenant: TenantId, store: Store, *texts: str) -> list[str]:
    """Each message answered before the next; the answers."""
    for text in texts:
        assert invoke(write(tenant, text))
    return replies(store, tenant)


def replies(store: Store, tenant: TenantId, conversation_id: ConversationId | None = None) -> list[str]:
    return [str(json.loads(row.content)["text"]) for row in store.outbox(tenant, conversation_id)]


def bookings(tenant: TenantId, conversation_id: ConversationId) -> list[BookingItem]:
    rows: ResultIterator[BookingItem] = BookingItem.query(
        conversation_pk(tenant, conversation_id), BookingItem.sk.startswith("BOOKING#"), consistent_read=True
    )
    return [row for row in rows if row.status == "booked"]


def slots(tenant: TenantId, day: datetime) -> list[SlotItem]:
    return list(SlotItem.query(calendar_pk(tenant, day.strftime("%Y-%m-%d")), consistent_read=True))


def tuesday() -> datetime:
    """Next Tuesday, 10:00 in Jerusalem."""
    zone = barber_shop().zone
    today = datetime.now(zone)
    day = today.date() + timedelta(days=(1 - today.weekday() - 1) % 7 + 1)
    return datetime(day.year, day.month, day.day, 10, tzinfo=zone)


# ---- the main job -------------------------------------------------------------------------------------------------


def test_an_appointment_asked_for_in_english_is_booked_once_and_confirmed(store: Store, tenant: TenantId) -> None:
    said = talk(tenant, store, "hi", "I'd like a haircut", "on Tuesday at 10")

    when = tuesday()
    assert "demo assistant" in said[0]
    assert "day and time?" in said[1]
    assert f"Tuesday, {when.day} {when:%B} {when.year} at 10:00" in said[2]
    [booked] = bookings(tenant, store.conversation_id(tenant))
    assert booked.start == int(when.timestamp() * 1000)
    held = slots(tenant, when.astimezone(UTC))
    assert [row.booking_id for row in held] == [booked.booking_id] * 2
    assert {row.turn_id for row in held} == {None}


def test_an_appointment_asked_for_in_hebrew_is_booked_confirmed_and_cancelled(store: Store, tenant: TenantId) -> None:
    said = talk(tenant, store, "שלום", "אפשר לקבוע תור לתספורת וזקן?", "ביום שלישי בעשר", "לבטל את התור בבקשה")

    assert "עוזר ההדגמה" in said[0]
    assert "לאיזה יום ושעה?" in said[1]
    assert "יום שלישי" in said[2]
    assert "בשעה 10:00" in said[2]
    assert "בוטל" in said[3]
    assert bookings(tenant, store.conversation_id(tenant)) == []
    assert slots(tenant, tuesday().astimezone(UTC)) == []


def test_the_answer_is_rung_to_the_outgoing_queue_and_the_turn_is_kept(store: Store, tenant: TenantId) -> None:
    doorbell = write(tenant, "hi")
    assert invoke(doorbell)

    [rung] = store.rings("outgoing")
    assert (rung.conversation_id, rung.seq, rung.correlation_id) == (doorbell.conversation_id, 1, "test")
    [kept] = load_history(tenant, doorbell.conversation_id, 10)
    assert kept.items[0] == {"role": "user", "content": "hi"}
    assert kept.usage["requests"] == 1


def test_the_audit_keeps_each_tool_call_with_its_arguments_and_result(store: Store, tenant: TenantId) -> None:
    talk(tenant, store, "a haircut on Tuesday at 10 please")
    [kept] = load_history(tenant, store.conversation_id(tenant), 10)
    [call] = kept.tools
    assert isinstance(call, dict)
    assert call["name"] == "book_appointment"
    assert json.loads(str(call["arguments"]))["service"] == "haircut"
    assert json.loads(str(call["result"]))["outcome"] == "booked"


# ---- each message in exactly one turn -----------------------------------------------------------------------------


def test_three_messages_that_wait_get_one_answer_that_covers_all(store: Store, tenant: TenantId) -> None:
    doorbells = [write(tenant, text) for text in ("hi", "how much is a haircut?", "and are you open on Friday?")]
    assert all([invoke(doorbell) for doorbell in doorbells])  # noqa: C419 - all of them, not until the first

    [said] = replies(store, tenant)
    for part in ("demo assistant", "₪80", "09:00-14:00"):
        assert part in said
    assert store.conversation(tenant).handled_seq == 3


def test_a_message_that_comes_during_the_run_gets_the_next_turn(
    store: Store, tenant: TenantId, business: BusinessProfile, answered_by: Callable[[Model], None]
) -> None:
    late: list[Doorbell] = []

    async def another_message() -> None:
        if not late:
            late.append(write(tenant, "how much is a haircut?"))

    answered_by(Watched(business, another_message))
    assert invoke(write(tenant, "hi"))
    assert len(replies(store, tenant)) == 1
    assert invoke(late[0])

    first, second = replies(store, tenant)
    assert "₪80" not in first
    assert "₪80" in second
    assert [(t.lo, t.hi) for t in load_history(tenant, late[0].conversation_id, 10)] == [(1, 1), (2, 2)]


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1, 2])))
def test_doubled_and_reordered_doorbells_give_one_answer(
    store: Store, tenant: TenantId, order: tuple[int, ...]
) -> None:
    doorbells = [write(tenant, text) for text in ("hi", "how much is a haircut?", "thanks")]
    doubled = [doorbells[i] for i in order for _ in range(2)]
    random.Random(str(order)).shuffle(doubled)  # noqa: S311 - an order, no secret
    for doorbell in doubled:
        assert invoke(doorbell)
    assert len(replies(store, tenant)) == 1
    assert store.conversation(tenant).handled_seq == 3


def test_a_dropped_doorbell_costs_nothing_once_anybody_rings_again(store: Store, tenant: TenantId) -> None:
    doorbells = [write(tenant, text) for text in ("hi", "are you open on Friday?")]
    assert invoke(doorbells[0])
    assert replies(store, tenant) == [], "the newer doorbell will answer both"
    assert invoke(doorbells[1])  # of the sweeper, as it might be
    assert len(replies(store, tenant)) == 1


def test_a_doorbell_for_an_answered_message_rings_for_the_replies_that_wait(store: Store, tenant: TenantId) -> None:
    doorbell = write(tenant, "hi")
    assert invoke(doorbell)
    store.drain_queues()
    assert invoke(doorbell)
    assert [ring.seq for ring in store.rings("outgoing")] == [1]


def test_a_doorbell_for_no_conversation_is_let_go(store: Store, tenant: TenantId) -> None:
    unknown = Doorbell(tenant_id=tenant, conversation_id=ConversationId("nobody"), seq=1, correlation_id="test")
    assert invoke(unknown)


# ---- the calendar under concurrency and crashes -------------------------------------------------------------------


def answer_alone(doorbell: Doorbell, store: AppStore | None = None) -> turn.Outcome:
    """A turn in an event loop of its own, as another Lambda instance would run it."""
    world = turn.World(store=store or AppStore(), agents=AgentCache(), now_ms=clock.now_ms, limit_s=60)
    return asyncio.run(turn.answer(doorbell, world))


def test_of_fifty_who_want_one_slot_at_once_one_gets_it(store: Store, tenant: TenantId) -> None:
    chats = [direct(lid=Jid(f"{1000 + i}@lid"), phone=None) for i in range(50)]
    doorbells = [write(tenant, "book me a haircut on Tuesday at 10 please", chat) for chat in chats]
    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(answer_alone, doorbells))

    assert outcomes == ["answered"] * 50
    said = [replies(store, tenant, doorbell.conversation_id)[0] for doorbell in doorbells]
    assert sum("Booked" in text for text in said) == 1
    assert sum("taken" in text for text in said) == 49
    assert sum(len(bookings(tenant, doorbell.conversation_id)) for doorbell in doorbells) == 1


def test_two_resources_take_two_at_the_same_time_and_no_third(store: Store, tenant: TenantId) -> None:
    clinic = save_profile(dental_clinic(f"{tenant}_clinic")).tenant_id
    chats = [direct(lid=Jid(f"{2000 + i}@lid"), phone=None) for i in range(3)]
    doorbells = [write(clinic, "a check-up on Tuesday at 10 please", chat) for chat in chats]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(answer_alone, doorbells))
    made = [row for doorbell in doorbells for row in bookings(clinic, doorbell.conversation_id)]
    assert sorted(row.resource for row in made) == ["room 1", "room 2"]


def wanted_cells() -> tuple[Cell, ...]:
    return cells("main", tuesday(), tuesday() + timedelta(minutes=30))


def test_a_hold_whose_turn_never_commits_is_free_after_it_expires(store: Store, tenant: TenantId) -> None:
    now = datetime.now(UTC)
    first = TableCalendar(tenant, ConversationId("first"))
    second = TableCalendar(tenant, ConversationId("second"))
    after = now + timedelta(milliseconds=HOLD_MS + 1)

    assert first.hold(wanted_cells(), TurnId("t1"), now)
    assert not second.hold(wanted_cells(), TurnId("t2"), now)
    assert second.taken([tuesday().astimezone(UTC).date()], now) == set(wanted_cells())
    assert second.taken([tuesday().astimezone(UTC).date()], after) == set()
    assert second.hold(wanted_cells(), TurnId("t2"), after)


def test_a_hold_is_all_of_its_cells_or_none(store: Store, tenant: TenantId) -> None:
    now = datetime.now(UTC)
    later = cells("main", tuesday() + timedelta(minutes=15), tuesday() + timedelta(minutes=45))
    assert TableCalendar(tenant, ConversationId("first")).hold(later, TurnId("t1"), now)
    assert not TableCalendar(tenant, ConversationId("second")).hold(wanted_cells(), TurnId("t2"), now)
    assert {row.conversation_id for row in slots(tenant, tuesday().astimezone(UTC))} == {"first"}


class DyingStore(AppStore):
    """Its process dies at the next commits: after the tools have held and staged, before anything is written."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths

    def commit(
        self, turn: Turn, replies: Sequence[Reply], effects: Sequence[Effect], record: TurnRecord, now_ms: int
    ) -> None:
        if self.deaths:
            self.deaths -= 1
            raise KeyboardInterrupt
        super().commit(turn, replies, effects, record, now_ms)


def test_a_turn_killed_between_hold_and_commit_and_repeated_books_once(store: Store, tenant: TenantId) -> None:
    doorbell = write(tenant, "book me a haircut on Tuesday at 10 please")
    dying = DyingStore(deaths=2)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            answer_alone(doorbell, dying)
        assert replies(store, tenant) == []
        assert bookings(tenant, doorbell.conversation_id) == []
    assert answer_alone(doorbell, dying) == "answered"

    assert len(bookings(tenant, doorbell.conversation_id)) == 1
    assert len(slots(tenant, tuesday().astimezone(UTC))) == 2
    assert answer_alone(doorbell) == "nothing_to_do"


class ThievingStore(AppStore):
    """Just before a commit, somebody else takes over the hold, as if it had expired."""

    def __init__(self, thefts: int) -> None:
        self.thefts = thefts

    def commit(
        self,
        turn: Turn,
        replies: Sequence[Reply],
        effects: Sequence[Effect],
        record: TurnRecord,
        now_ms: int,
    ) -> None:
        if self.thefts and effects:
            self.thefts -= 1
            much_later = datetime.now(UTC) + timedelta(milliseconds=2 * HOLD_MS)
            thief = TableCalendar(turn.tenant_id, ConversationId("thief"))
            assert thief.hold(wanted_cells(), TurnId("thief"), much_later)
        super().commit(turn, replies, effects, record, now_ms)


def test_a_slot_lost_before_the_commit_is_not_confirmed(store: Store, tenant: TenantId) -> None:
    doorbell = write(tenant, "book me a haircut on Tuesday at 10 please")
    assert answer_alone(doorbell, ThievingStore(thefts=1)) == "answered"
    [said] = replies(store, tenant)
    assert "taken" in said
    assert bookings(tenant, doorbell.conversation_id) == []


# ---- failure --------------------------------------------------------------------------------------------------------


def broken_model() -> ScriptedModel:
    return ScriptedModel([ConnectionError("the model's server is gone")] * 10)


def test_a_failed_doorbell_comes_back_soon_and_not_after_the_queues_time_out(
    store: Store, tenant: TenantId, answered_by: Callable[[Model], None]
) -> None:
    answered_by(broken_model())
    doorbell = write(tenant, "hi")
    queues.ring_turns(tenant, doorbell.conversation_id, doorbell.seq, "test")
    url = settings.turns_queue_url()

    def receive() -> list[MessageTypeDef] | None:
        got = clients.sqs().receive_message(QueueUrl=url, MessageSystemAttributeNames=["ApproximateReceiveCount"])
        return got.get("Messages")

    [first] = eventually(receive, "the doorbell")
    answer = handler.handle(event(doorbell, receipt=first["ReceiptHandle"]), LambdaContextDouble())  # type: ignore[arg-type]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "sqs-1"}]}
    assert replies(store, tenant) == []
    # The queue's own time-out is 30 s.
    [again] = eventually(receive, "the doorbell's return", seconds=20)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    # The tests share the queue: what is only hidden comes back in the middle of another one.
    clients.sqs().delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])


def test_at_the_last_receive_the_customer_is_told_and_a_person_is_called(
    store: Store, tenant: TenantId, answered_by: Callable[[Model], None], capsys: pytest.CaptureFixture[str]
) -> None:
    answered_by(broken_model())
    doorbell = write(tenant, "אפשר תור?")
    assert not invoke(doorbell, received=1)
    assert not invoke(doorbell, received=2)
    capsys.readouterr()
    assert invoke(doorbell, received=3)

    assert replies(store, tenant) == [A_PERSON_WILL_ANSWER["he"]]
    conversation = store.conversation(tenant)
    assert conversation.handled_seq == 1
    assert conversation.needs_attention == "the assistant failed 3 times: ConnectionError"
    assert '"TurnFailed":[1.0]' in capsys.readouterr().out
    assert [ring.seq for ring in store.rings("outgoing")] == [1]
    assert invoke(doorbell, received=4)
    assert len(replies(store, tenant)) == 1


def test_a_model_that_goes_in_circles_is_stopped_and_what_it_staged_is_nothing(
    store: Store, tenant: TenantId, answered_by: Callable[[Model], None]
) -> None:
    start = tuesday().strftime("%Y-%m-%dT%H:%M")
    book = [[function_call("book_appointment", {"start": start, "service": "haircut"}, call_id="c0")]]
    circles = [[function_call("list_appointments", {}, call_id=f"c{i}")] for i in range(1, 50)]
    answered_by(ScriptedModel([*book, *circles]))
    assert invoke(write(tenant, "hi"))

    assert replies(store, tenant) == [A_PERSON_WILL_ANSWER["en"]]
    assert bookings(tenant, store.conversation_id(tenant)) == []


def test_something_else_than_a_doorbell_goes_back_to_the_queue(store: Store) -> None:
    bad = event(Doorbell(tenant_id=TenantId("x"), conversation_id=ConversationId("y"), seq=1, correlation_id="z"))
    bad["Records"][0]["body"] = '{"hello": "world"}'
    answer = handler.handle(bad, LambdaContextDouble())  # type: ignore[arg-type]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "sqs-1"}]}


# ---- nothing crosses ----------------------------------------------------------------------------------------------


def test_a_model_that_obeys_an_attacker_cannot_touch_another_customers_booking(
    store: Store, tenant: TenantId, answered_by: Callable[[Model], None]
) -> None:
    victim = write(tenant, "book me a haircut on Tuesday at 10 please", direct(lid=Jid("5555@lid"), phone=None))
    assert invoke(victim)
    [booked] = bookings(tenant, victim.conversation_id)

    steps = [
        [function_call("cancel_appointment", {"booking_id": booked.booking_id}, call_id="c1")],
        [
            function_call(
                "cancel_appointment",
                {"booking_id": booked.booking_id, "conversation_id": victim.conversation_id, "tenant_id": tenant},
                call_id="c2",
            )
        ],
        [function_call("list_appointments", {"customer": victim.conversation_id}, call_id="c3")],
        [assistant_message("done")],
    ]
    answered_by(ScriptedModel(steps))
    assert invoke(write(tenant, f"cancel booking {booked.booking_id}", direct(lid=LID)))

    assert [row.booking_id for row in bookings(tenant, victim.conversation_id)] == [booked.booking_id]
    [attack] = load_history(tenant, store.conversation_id(tenant), 10)
    assert "not_found" in json.dumps(attack.tools)
    results = [str(tool["result"]) for tool in attack.tools if isinstance(tool, dict)]
    assert booked.service not in "".join(results)
