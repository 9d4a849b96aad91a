"""Scheduled messages on real tables: each goes out exactly once or never, whatever happens around its time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from functions.agent.calendar import booking, reminders
from functions.agent.calendar.store import TableCalendar
from functions.agent.context import ToolContext
from functions.agent.tools.results import Booked
from functions.shared import clock, due, outbox, promote, queues, takeover, transactions
from functions.shared.contracts import Contact, ContactsUpdated, ConversationId, MessageStatus, TextContent
from functions.shared.conversation import load_conversation, load_messages
from functions.shared.endings import ConsentChange, end
from functions.shared.inbox import Reply, TurnRecord, commit_turn
from functions.shared.keys import CONNECTION, booking_sk, conversation_pk, tenant_pk
from functions.shared.owners import jid_of
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.scheduled import FollowUp, Schedule, Scheduled, scheduled_in
from functions.shared.tables import BookingItem, ConnectionItem, ConversationItem, OutboxItem, ScheduledItem
from functions.shared.waking import wake_scheduled
from functions.sweeper.sweep import sweep
from functions.webhook.accept import accept
from tests.integration.support import LID, PHONE, Store, accept_and_begin, direct, message
from tests.unit.agent.support import context_of

HOUR = 3_600_000
OWNER = "+972501111111"
WEEK = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def in_days(days: int, hour: int = 10) -> datetime:
    return (datetime.now(UTC) + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)


@dataclasses.dataclass
class Customer:
    """A customer whose turns book, move and cancel, and whose answers all went out."""

    profile: BusinessProfile
    store: Store

    @property
    def conversation_id(self) -> ConversationId:
        return self.store.conversation_id(self.profile.tenant_id)

    def turn(self, act: Callable[[ToolContext], object]) -> object:
        turn = accept_and_begin(self.profile.tenant_id, "please")
        calendar = TableCalendar(turn.tenant_id, turn.conversation_id)
        context = dataclasses.replace(
            context_of(self.profile, now=datetime.now(UTC), turn_id=turn.turn_id),
            conversation_id=turn.conversation_id,
            calendar=calendar,
        )
        result = act(context)
        effects = [*context.staging.all(), *reminders.effects(context)]
        commit_turn(turn, replies=[Reply("done")], effects=effects, record=TurnRecord(items=[]), now_ms=clock.now_ms())
        self.deliver()
        return result

    def books(self, at: datetime) -> str:
        made = self.turn(lambda context: booking.book(context, f"{at:%Y-%m-%dT%H:%M}", "haircut"))
        assert isinstance(made, Booked), made
        return made.booking_id

    def deliver(self) -> None:
        for row in outbox.unfinished(self.profile.tenant_id, self.conversation_id):
            outbox.record_evidence(self.profile.tenant_id, self.conversation_id, row.sk, "SENT", at=1)

    def follow_up(self, due_at: int) -> None:
        """Scheduled by a turn, as its tool would."""

        def act(context: ToolContext) -> None:
            seq = load_conversation(context.tenant_id, context.conversation_id).last_seq
            one = Scheduled(
                context.tenant_id, context.conversation_id, "follow-up", due_at, due_at + 24 * HOUR,
                "Still interested?", "a follow-up", FollowUp(seq),
            )  # fmt: skip
            context.staging.add(Schedule([one]))

        self.turn(act)

    def promote(self, at_ms: int) -> list[promote.Outcome]:
        """What is waiting, looked at once."""
        return [
            promote.promote(
                self.profile.tenant_id, self.conversation_id, row.sk[6:], now_ms=at_ms, ring=queues.ring_again
            )
            for row in self.rows("waiting")
        ]

    def rows(self, state: str) -> list[ScheduledItem]:
        found = scheduled_in(self.profile.tenant_id, self.conversation_id)
        return [row for row in found if row.state == state and row.kind != "notice"]

    def notices(self) -> list[str]:
        found = scheduled_in(self.profile.tenant_id, self.conversation_id)
        return [row.text for row in found if row.kind == "notice"]

    def got(self) -> list[str]:
        """What is in the outbox besides answers."""
        rows = self.store.outbox(self.profile.tenant_id)
        texts = [TextContent.model_validate_json(row.content).text for row in rows]
        return [text for text in texts if text != "done"]


@pytest.fixture
def customer(store: Store, business: BusinessProfile) -> Customer:
    """Of a business that is always open, in UTC so that a test says what it means; its owner wants to be told."""
    changes = {"time_zone": "UTC", "hours": {day: ["00:00-23:45"] for day in WEEK}, "owner_numbers": [OWNER]}
    profile = BusinessProfile.model_validate(business.model_dump(mode="json") | changes)
    return Customer(save_profile(profile), store)


APPOINTMENT = in_days(3)
DUE = ms(APPOINTMENT - timedelta(days=1))


def test_a_reminder_goes_out_once_when_it_is_due_behind_all_answers(customer: Customer, store: Store) -> None:
    customer.books(APPOINTMENT)
    assert customer.promote(DUE - 1) == ["waits"]
    store.drain_queues()
    assert customer.promote(DUE) == ["queued"]
    assert customer.promote(DUE) == []

    [text] = customer.got()
    assert "Haircut" in text
    tenant, chat = customer.profile.tenant_id, customer.conversation_id
    [row] = outbox.unfinished(tenant, chat)
    assert outbox.claim(row, now_ms=DUE, lease_ms=1_000).author == "assistant"
    assert [bell.conversation_id for bell in store.rings("outgoing")] == [chat]
    assert load_messages(tenant, chat, 1, 9)[-1].author == "assistant", "the model will read what was sent"
    conversation = store.conversation(tenant)
    assert conversation.handled_seq == conversation.last_seq


def test_the_sweeper_finds_what_is_due_and_rings_for_it(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    rung: list[str] = []

    def ring(queue: str, tenant: str, *_: object) -> None:
        if tenant == customer.profile.tenant_id:
            rung.append(queue)

    for _ in range(3):
        sweep(now_ms=DUE, ring=ring, has_time=lambda: True)
    assert rung == ["outgoing"]
    assert len(customer.got()) == 1


def test_ten_sweepers_at_once_send_one(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    [row] = customer.rows("waiting")

    def look(_: int) -> str:
        try:
            return promote.promote(
                customer.profile.tenant_id, customer.conversation_id, row.sk[6:], now_ms=DUE, ring=queues.ring_again
            )
        except transactions.ContentionError:
            return "contended"

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(look, range(10))).count("queued") == 1
    assert len(customer.got()) == 1


def test_a_sweeper_killed_before_or_after_its_transaction_loses_and_doubles_nothing(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer.books(APPOINTMENT)
    real = transactions.transact

    def killed_before(write: transactions.Writer) -> None:
        raise KeyboardInterrupt

    def killed_after(write: transactions.Writer) -> None:
        real(write)
        raise KeyboardInterrupt

    for dies in (killed_before, killed_after):
        monkeypatch.setattr("functions.shared.promote.transact", dies)
        with pytest.raises(KeyboardInterrupt):
            customer.promote(DUE)
    monkeypatch.setattr("functions.shared.promote.transact", real)
    assert customer.promote(DUE) == []
    assert len(customer.got()) == 1
    [row] = outbox.unfinished(customer.profile.tenant_id, customer.conversation_id)
    stored = [one for one in customer.store.outbox(customer.profile.tenant_id) if one.sk == row.sk]
    assert stored[0].sweep_at is not None, "the lost doorbell is the sweeper's"


def test_a_moved_appointment_is_reminded_of_at_its_new_time_only(customer: Customer) -> None:
    booking_id = customer.books(APPOINTMENT)
    later = in_days(5)
    customer.turn(lambda context: booking.move(context, booking_id, f"{later:%Y-%m-%dT%H:%M}"))
    assert customer.promote(DUE) == ["waits"]
    assert customer.promote(ms(later - timedelta(days=1))) == ["queued"]
    [text] = customer.got()
    assert f"{later.day} " in text


def test_an_appointment_moved_after_its_reminder_gets_another(customer: Customer) -> None:
    booking_id = customer.books(APPOINTMENT)
    customer.promote(DUE)
    customer.deliver()
    later = in_days(5)
    customer.turn(lambda context: booking.move(context, booking_id, f"{later:%Y-%m-%dT%H:%M}"))
    assert customer.promote(ms(later - timedelta(days=1))) == ["queued"]
    assert len(customer.got()) == 2


def test_a_cancelled_appointment_is_never_reminded_of(customer: Customer) -> None:
    booking_id = customer.books(APPOINTMENT)
    [row] = customer.rows("waiting")
    customer.turn(lambda context: booking.cancel(context, booking_id))
    assert customer.rows("waiting") == []
    row.save()  # as if the profile had other lead times when it was booked, so that the row was left
    assert customer.promote(DUE) == ["dropped"]
    assert customer.got() == []
    assert customer.notices() == []


def test_a_cancellation_that_comes_between_reading_and_writing_wins(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking_id = customer.books(APPOINTMENT)
    key = conversation_pk(customer.profile.tenant_id, customer.conversation_id), booking_sk(booking_id)

    def decided(one: Scheduled, facts: due.Facts, *, now_ms: int) -> due.Decision:
        found = due.decide(one, facts, now_ms=now_ms)
        # By another conversation's turn, or a console: neither the chat nor the scheduled row is touched.
        BookingItem(*key).update(actions=[BookingItem.status.set("cancelled")])
        return found

    monkeypatch.setattr("functions.shared.promote.decide", decided)
    assert customer.promote(DUE) == ["dropped"]
    assert customer.got() == []


@pytest.mark.parametrize("gate", ["pause", "off", "opt out", "write", "business off"])
def test_whatever_closes_between_reading_and_writing_holds(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, gate: str
) -> None:
    customer.books(APPOINTMENT)
    tenant, chat = customer.profile.tenant_id, customer.conversation_id
    close: dict[str, Callable[[], object]] = {
        "pause": lambda: takeover.pause(tenant, chat, until=DUE + HOUR, ring=queues.ring_again),
        "off": lambda: takeover.switch_off(tenant, chat, now_ms=DUE, ring=queues.ring_again),
        "opt out": lambda: customer.store.conversation(tenant).update([ConversationItem.opted_out_at.set(1)]),
        "write": lambda: accept(message(tenant, "wait")),
        "business off": lambda: takeover.switch_business_off(tenant),
    }
    closing = [close[gate]]

    def decided(one: Scheduled, facts: due.Facts, *, now_ms: int) -> due.Decision:
        found = due.decide(one, facts, now_ms=now_ms)
        if closing:
            closing.pop()()
        return found

    monkeypatch.setattr("functions.shared.promote.decide", decided)
    assert customer.promote(DUE) == ["dropped" if gate == "opt out" else "waits"]
    assert customer.got() == []


def test_who_opted_out_is_not_reminded_and_the_owner_hears_of_it(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    end(accept_and_begin(customer.profile.tenant_id, "stop"), ConsentChange("opted_out", "done", 2), now_ms=1)
    assert customer.promote(DUE) == ["dropped"]
    assert customer.got() == []
    [told] = customer.notices()
    assert "הלקוח ביקש לא לקבל הודעות" in told


def test_whom_the_owner_saved_since_is_not_reminded_and_the_owner_hears_of_it(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    tenant = customer.profile.tenant_id
    save_profile(customer.profile.model_copy(update={"audience": "unsaved_contacts"}))
    contact = Contact(jid=PHONE, saved=True)
    accept(
        ContactsUpdated(tenant_id=tenant, correlation_id="c", book_at=1, revision=1, contacts=(contact,), complete=True)
    )
    assert customer.promote(DUE) == ["dropped"]
    assert customer.got() == []
    [told] = customer.notices()
    assert "נשמר באנשי הקשר" in told


def test_a_person_who_has_the_chat_is_not_talked_over(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    tenant, chat = customer.profile.tenant_id, customer.conversation_id
    takeover.pause(tenant, chat, until=DUE + HOUR, ring=queues.ring_again)
    assert customer.promote(DUE) == ["waits"]
    assert customer.promote(DUE + HOUR) == ["queued"]


def next_sweep(now_ms: int) -> None:
    sweep(now_ms=now_ms, ring=lambda *_: None, has_time=lambda: True)


@pytest.mark.parametrize("give_back", [takeover.resume, takeover.switch_on])
def test_what_waited_for_a_person_goes_with_the_first_sweep_after_they_gave_the_word_back(
    customer: Customer, give_back: Callable[..., bool]
) -> None:
    customer.books(APPOINTMENT)
    tenant, chat = customer.profile.tenant_id, customer.conversation_id
    takeover.pause(tenant, chat, until=DUE + 12 * HOUR, ring=queues.ring_again)
    next_sweep(DUE)
    assert customer.got() == []
    give_back(tenant, chat, now_ms=DUE + 60_000, ring=queues.ring_again)
    next_sweep(DUE + 60_001)
    assert len(customer.got()) == 1


def test_a_pause_that_was_made_longer_is_waited_for_and_ends_by_itself(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    tenant, chat = customer.profile.tenant_id, customer.conversation_id
    takeover.pause(tenant, chat, until=DUE + 60_000, ring=queues.ring_again)
    next_sweep(DUE)
    takeover.pause(tenant, chat, until=DUE + HOUR, ring=queues.ring_again)
    next_sweep(DUE + 60_000)
    next_sweep(DUE + HOUR - 1)
    assert customer.got() == []
    next_sweep(DUE + HOUR)
    assert len(customer.got()) == 1


def test_a_message_that_nobody_woke_looks_again_by_itself(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever resumed died between the two writes, or a pause was made shorter."""
    customer.books(APPOINTMENT)
    tenant, chat = customer.profile.tenant_id, customer.conversation_id
    takeover.pause(tenant, chat, until=DUE + 12 * HOUR, ring=queues.ring_again)
    next_sweep(DUE)
    monkeypatch.setattr("functions.shared.takeover.wake_scheduled", lambda *_, **__: 0)
    takeover.resume(tenant, chat, now_ms=DUE + 1, ring=queues.ring_again)
    next_sweep(DUE + due.OFF_MS)
    assert len(customer.got()) == 1


def test_a_woken_message_that_was_moved_meanwhile_keeps_its_new_time(customer: Customer) -> None:
    booking_id = customer.books(APPOINTMENT)
    later = in_days(5)
    customer.turn(lambda context: booking.move(context, booking_id, f"{later:%Y-%m-%dT%H:%M}"))
    assert wake_scheduled(customer.profile.tenant_id, customer.conversation_id, now_ms=DUE) == 0
    next_sweep(DUE)
    assert customer.got() == []


def test_a_business_that_was_switched_off_reminds_nobody(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    takeover.switch_business_off(customer.profile.tenant_id)
    assert customer.promote(DUE) == ["waits"]
    assert customer.promote(ms(APPOINTMENT)) == ["dropped"]
    assert customer.got() == []
    assert len(customer.notices()) == 1


def test_a_customer_who_waits_for_an_answer_gets_that_first(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    accept(message(customer.profile.tenant_id, "one more thing"))
    assert customer.promote(DUE) == ["waits"]
    customer.turn(lambda _: None)
    assert customer.promote(DUE + HOUR) == ["queued"]


def test_while_whatsapp_is_away_a_reminder_waits(customer: Customer) -> None:
    customer.books(APPOINTMENT)
    connection = ConnectionItem(tenant_pk(customer.profile.tenant_id), CONNECTION, state="disconnected", at=1)
    connection.save()
    assert customer.promote(DUE) == ["waits"]
    connection.update(actions=[ConnectionItem.state.set("connected")])
    assert customer.promote(DUE + 1) == ["queued"]


def test_quiet_hours_are_waited_for_and_what_is_of_no_use_after_them_is_dropped(customer: Customer) -> None:
    quiet = {"quiet_hours": {"nightly": "21:00-08:00"}, "reminders": {"minutes_before": [720]}}
    customer.profile = save_profile(BusinessProfile.model_validate(customer.profile.model_dump(mode="json") | quiet))
    customer.books(in_days(3, hour=10))  # due at 22:00, useful until 9:45
    customer.books(in_days(4, hour=8))  # due at 20:00: before the quiet
    customer.books(in_days(5, hour=9))  # due at 21:00, useful until 8:45
    customer.books(in_days(6, hour=8).replace(minute=15))  # due at 20:15; looked at too late, useful until 8:00
    at = [ms(in_days(day, hour)) for day, hour in ((2, 22), (3, 8), (3, 20), (4, 21), (5, 8), (5, 22))]
    outcomes = [sorted(one for one in customer.promote(now) if one != "waits") for now in at]
    assert outcomes == [[], ["queued"], ["queued"], [], ["queued"], ["dropped"]]
    assert len(customer.notices()) == 1


def test_a_follow_up_goes_to_who_has_not_written_since(customer: Customer) -> None:
    customer.follow_up(DUE)
    assert customer.promote(DUE - 1) == ["waits"]
    assert customer.promote(DUE) == ["queued"]
    assert customer.got() == ["Still interested?"]


@pytest.mark.parametrize("by_the_owner", [False, True])
def test_who_wrote_since_is_not_followed_up(customer: Customer, by_the_owner: bool) -> None:
    customer.follow_up(DUE)
    if by_the_owner:
        accept(message(customer.profile.tenant_id, "I will call you", from_me=True))
    else:
        customer.turn(lambda _: None)
    assert customer.promote(DUE) == ["dropped"]
    assert customer.got() == []


def test_a_conversation_that_was_merged_is_reminded_where_it_goes_on(customer: Customer, store: Store) -> None:
    tenant = customer.profile.tenant_id
    accept(message(tenant, "earlier", chat=direct(lid=None)))  # by phone
    earlier = store.conversation_id(tenant, PHONE)
    answer_everything(store, customer, earlier)
    turn_by_lid = accept_and_begin(tenant, "please", chat=direct(phone=None))
    context = dataclasses.replace(
        context_of(customer.profile, now=datetime.now(UTC), turn_id=turn_by_lid.turn_id),
        conversation_id=turn_by_lid.conversation_id,
        calendar=TableCalendar(tenant, turn_by_lid.conversation_id),
    )
    booking.book(context, f"{APPOINTMENT:%Y-%m-%dT%H:%M}", "haircut")
    effects = [*context.staging.all(), *reminders.effects(context)]
    commit_turn(turn_by_lid, replies=[], effects=effects, record=TurnRecord(items=[]), now_ms=clock.now_ms())
    later = turn_by_lid.conversation_id
    assert later != earlier
    accept(message(tenant, "both names", chat=direct()))
    answer_everything(store, customer, earlier)
    [row] = scheduled_in(tenant, later)
    assert promote.promote(tenant, later, row.sk[6:], now_ms=DUE, ring=queues.ring_again) == "queued"
    assert [one.chat_jid for one in store.outbox(tenant, earlier)] == [LID]
    assert store.outbox(tenant, later) == []


@pytest.mark.parametrize("promised_by", ["the later name", "the earlier name"])
@pytest.mark.parametrize("wrote", [False, True])
def test_a_receipt_that_joins_two_names_is_no_word_of_the_customers(
    customer: Customer, store: Store, promised_by: str, wrote: bool
) -> None:
    tenant, names = customer.profile.tenant_id, [direct(lid=None), direct(phone=None)]
    earlier, _ = (accept_and_begin(tenant, "hi", chat=name).conversation_id for name in names)
    promised, other = names if promised_by == "the earlier name" else names[::-1]
    turn = accept_and_begin(tenant, "write me again on Sunday", chat=promised)
    one = Scheduled(
        tenant, turn.conversation_id, "follow-up", DUE, DUE + HOUR, "Hello!", "a follow-up", FollowUp(turn.hi)
    )
    [sent] = commit_turn(
        turn, replies=[Reply("gladly")], effects=[Schedule([one])], record=TurnRecord([]), now_ms=clock.now_ms()
    )
    if wrote:
        accept(message(tenant, "I came by myself", chat=other))
    receipt = {"chat": direct(), "message_id": sent, "status": "delivered", "at": 1}
    accept(MessageStatus.model_validate({"tenant_id": tenant, "correlation_id": "test-receipt", **receipt}))
    answer_everything(store, customer, earlier)

    ended = promote.promote(tenant, turn.conversation_id, "follow-up", now_ms=DUE, ring=queues.ring_again)

    assert ended == ("dropped" if wrote else "queued")
    texts = [row.content for row in store.outbox(tenant, earlier)]
    assert any("Hello!" in text for text in texts) is not wrote


def answer_everything(store: Store, customer: Customer, chat: ConversationId) -> None:
    conversation = store.conversation(customer.profile.tenant_id, chat)
    conversation.update(actions=[ConversationItem.handled_seq.set(conversation.last_seq)])


def test_a_turn_that_began_before_a_reminder_queues_nothing_behind_its_back(customer: Customer, store: Store) -> None:
    """The drain reads an outbox backwards to its first finished row: nothing may be queued in front of one."""
    customer.books(APPOINTMENT)
    turn = accept_and_begin(customer.profile.tenant_id, "hello?")
    assert customer.promote(DUE) == ["waits"]
    commit_turn(turn, replies=[Reply("done")], record=TurnRecord(items=[]), now_ms=clock.now_ms())
    assert customer.promote(DUE + HOUR) == ["queued"]
    unfinished = outbox.unfinished(customer.profile.tenant_id, customer.conversation_id)
    assert "done" in unfinished[0].content.to_json()
    keys: Sequence[str] = [row.sk for row in unfinished]
    assert list(keys) == sorted(keys)


# ---- the owner --------------------------------------------------------------------------------------------------


def owners_messages(customer: Customer) -> list[str]:
    store, tenant = customer.store, customer.profile.tenant_id
    chat = store.conversation_id(tenant, jid_of(OWNER))
    rows: list[OutboxItem] = store.outbox(tenant, chat)
    return [TextContent.model_validate_json(row.content).text for row in rows]


def test_the_owner_is_told_once_in_a_chat_of_their_own(customer: Customer, store: Store) -> None:
    tenant = customer.profile.tenant_id
    for days in (3, 4):
        customer.books(in_days(days))
    takeover.switch_business_off(tenant)
    customer.promote(ms(in_days(9)))
    told = [row for row in scheduled_in(tenant, customer.conversation_id) if row.kind == "notice"]
    assert len(told) == 2
    for _ in range(2):
        for row in told:
            promote.promote(tenant, customer.conversation_id, row.sk[6:], now_ms=row.due_at, ring=queues.ring_again)
    assert len(owners_messages(customer)) == 2
    chat = store.conversation_id(tenant, jid_of(OWNER))
    first, _ = outbox.unfinished(tenant, chat)
    assert outbox.claim(first, now_ms=first.deadline - 1, lease_ms=1).chat_jid == jid_of(OWNER), "though off"
    assert load_conversation(tenant, chat).is_owner
    assert not load_conversation(tenant, customer.conversation_id).is_owner
