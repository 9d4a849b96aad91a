"""The webhook against real tables and queues: what is refused stores nothing, what is accepted is stored once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.shared import aws, clock, secret, settings
from functions.shared.contracts import MAX_BODY_BYTES, Chat, Jid, MessageReceived, TenantId, UnsupportedContent
from functions.shared.inbox import forget_if_handled
from functions.shared.keys import CUSTOMER, LEAD, conversation_pk
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.tables import ConversationItem, CustomerItem, LeadItem, find
from functions.shared.transactions import LabelledWrite, RefusedError
from functions.webhook import handler
from functions.webhook.chats import read_chat
from functions.webhook.message import Draft
from functions.webhook.request import FunctionUrlEvent
from tests.integration.support import (
    LID,
    PHONE,
    SECRET,
    Store,
    body_of,
    direct,
    message,
    post,
    signed,
)


def take(event: MessageReceived) -> str:
    """Post an event that is accepted; returns the result."""
    answer = post(signed(event))
    assert answer["statusCode"] == 200, answer
    result: str = body_of(answer)["result"]
    return result


def at_once(events: list[MessageReceived]) -> list[str]:
    """Post all of them from as many threads."""
    with ThreadPoolExecutor(len(events)) as threads:
        return list(threads.map(take, events))


# ---- what is refused --------------------------------------------------------------------------------------------

Forge = Callable[[MessageReceived], FunctionUrlEvent]


def altered(event: MessageReceived) -> FunctionUrlEvent:
    request = signed(event)
    request["body"] = request["body"].replace("hi", "ho")
    return request


def unsigned(event: MessageReceived) -> FunctionUrlEvent:
    request = signed(event)
    request["headers"] = {}
    return request


def moved_in_time(event: MessageReceived) -> FunctionUrlEvent:
    request = signed(event, at_s=clock.now_ms() // 1000 - 301)
    request["headers"]["x-kesher-timestamp"] = str(clock.now_ms() // 1000)
    return request


REFUSED: list[tuple[str, Forge, int, str]] = [
    ("forged", lambda event: signed(event, secret="a guess"), 401, "bad_signature"),
    ("altered", altered, 401, "bad_signature"),
    ("unsigned", unsigned, 401, "bad_signature"),
    ("old", lambda event: signed(event, at_s=clock.now_ms() // 1000 - 301), 401, "bad_signature"),
    ("from the future", lambda event: signed(event, at_s=clock.now_ms() // 1000 + 303), 401, "bad_signature"),
    ("replayed under a new time stamp", moved_in_time, 401, "bad_signature"),
    ("on another path", lambda event: signed(event, path="/"), 404, "not_found"),
    ("by another method", lambda event: signed(event, method="GET"), 405, "method_not_allowed"),
    ("too large", lambda event: signed("x" * (MAX_BODY_BYTES + 1)), 413, "too_large"),
    ("no JSON", lambda event: signed("hello"), 422, "bad_body"),
    ("empty", lambda event: signed(""), 422, "bad_body"),
    (
        "without a message id",
        lambda event: signed(event.to_json().replace('"messageId"', '"messageid"')),
        422,
        "bad_body",
    ),
    ("for an unknown business", lambda event: signed(message(TenantId("nobody"))), 404, "unknown_tenant"),
]


@pytest.mark.parametrize(("forge", "refusal"), [(case[1], case[2:]) for case in REFUSED], ids=[c[0] for c in REFUSED])
def test_a_refused_event_stores_nothing_rings_nobody_and_is_counted(
    forge: Forge, refusal: tuple[int, str], store: Store, tenant: TenantId, capsys: pytest.CaptureFixture[str]
) -> None:
    before = store.count()
    request = forge(message(tenant))
    capsys.readouterr()

    answer = post(request)

    assert (answer["statusCode"], body_of(answer)["error"]) == refusal
    assert store.count() == before
    assert (store.rings("turns"), store.rings("outgoing")) == ([], [])
    metric = next(json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line)
    assert metric["EventRejected"] == [1.0]


def test_a_bad_body_is_named_without_the_customers_words(store: Store, tenant: TenantId) -> None:
    event = json.loads(message(tenant, "my secret").to_json())
    event["content"]["text"] = ["my secret"]

    reason = body_of(post(signed(json.dumps(event))))["reason"]

    assert "content" in reason
    assert "string" in reason
    assert "secret" not in reason


def test_both_secrets_are_in_force_while_one_replaces_the_other(store: Store, tenant: TenantId) -> None:
    assert SECRET.previous is not None
    for number, key in enumerate((SECRET.current, SECRET.previous)):
        assert post(signed(message(tenant, f"{number}"), secret=key))["statusCode"] == 200


def test_a_rotated_secret_is_read_again_before_a_refusal(
    store: Store, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = aws.secrets_manager().create_secret(Name=f"rotating-{tenant}", SecretString='{"current": "old"}')
    monkeypatch.setenv("INTERNAL_SECRET_ARN", made["ARN"])
    minutes = iter([0.0, 1000.0, 1000.0])
    fresh = secret.SecretCache(monotonic=lambda: next(minutes))
    monkeypatch.setattr(handler, "internal_secret", lambda: fresh)
    assert post(signed(message(tenant), secret="old"))["statusCode"] == 200

    aws.secrets_manager().put_secret_value(SecretId=made["ARN"], SecretString='{"current": "new"}')

    assert post(signed(message(tenant), secret="new"))["statusCode"] == 200


def test_a_body_in_base64_is_the_same_body(store: Store, tenant: TenantId) -> None:
    request = signed(message(tenant, "שלום"))
    request["body"], request["isBase64Encoded"] = base64.b64encode(request["body"].encode()).decode(), True

    assert post(request)["statusCode"] == 200
    assert "שלום" in store.messages(tenant)[0].content


def test_a_store_that_fails_is_our_failure_and_asks_for_a_repetition(
    store: Store, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = message(tenant)
    with monkeypatch.context() as broken:
        broken.setenv("TURNS_QUEUE_URL", settings.turns_queue_url().replace("turns-", "gone-"))
        assert post(signed(event))["statusCode"] == 503

    assert take(event) == "duplicate"
    assert [bell.seq for bell in store.rings("turns")] == [1]


@pytest.mark.parametrize("kind", ["group", "status", "newsletter", "broadcast"])
def test_other_chats_than_a_customers_are_ignored(kind: str, store: Store, tenant: TenantId) -> None:
    before = store.count()
    chat = Chat.model_validate({"kind": kind, "jid": "120363000000000000@g.us"})

    assert take(message(tenant, chat=chat)) == "ignored"
    assert store.count() == before


# ---- what is stored ---------------------------------------------------------------------------------------------


def test_a_first_message_makes_a_customer_a_lead_and_a_conversation(store: Store, tenant: TenantId) -> None:
    event = message(tenant, "שלום")

    assert take(event) == "accepted"

    conversation_id = store.conversation_id(tenant)
    assert store.conversation_id(tenant, PHONE) == conversation_id
    assert "97250" not in conversation_id
    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq, conversation.epoch) == (1, 0, 0)
    assert (conversation.reply_jid, conversation.sweep_shard is not None) == (LID, True)
    customer = find(CustomerItem, (conversation_pk(tenant, conversation_id), CUSTOMER))
    assert customer is not None
    assert (customer.name, customer.lid, customer.phone_jid) == ("Dana", LID, PHONE)
    assert customer.first_contact == customer.last_contact == event.sent_at
    lead = find(LeadItem, (conversation_pk(tenant, conversation_id), LEAD))
    assert lead is not None
    assert (lead.stage, lead.source) == ("new", "whatsapp")
    bells = store.rings("turns")
    assert [(bell.tenant_id, bell.conversation_id, bell.seq) for bell in bells] == [(tenant, conversation_id, 1)]
    assert bells[0].correlation_id == event.correlation_id


def test_what_this_version_does_not_understand_is_stored_as_such_and_answered(store: Store, tenant: TenantId) -> None:
    event = message(tenant).model_copy(update={"content": UnsupportedContent(what="imageMessage")})

    assert take(event) == "accepted"
    assert json.loads(store.messages(tenant)[0].content) == {"kind": "unsupported", "what": "imageMessage"}
    assert len(store.rings("turns")) == 1


def test_an_answer_goes_where_the_newest_message_came_from(store: Store, tenant: TenantId) -> None:
    take(message(tenant))
    assert store.conversation(tenant).reply_jid == LID

    take(message(tenant, chat=direct(lid=None)))
    assert store.conversation(tenant).reply_jid == PHONE


def test_a_message_is_in_the_sweepers_index_until_it_is_handled(store: Store, tenant: TenantId) -> None:
    for seq in (1, 2):
        take(message(tenant))
        conversation = store.conversation(tenant)
        assert conversation.sweep_shard is not None
        assert conversation.sweep_at is not None

        set_conversation(store, tenant, handled_seq=seq)
        assert forget_if_handled(tenant, store.conversation_id(tenant))
        conversation = store.conversation(tenant)
        assert (conversation.sweep_shard, conversation.sweep_at) == (None, None)


def test_the_same_webhook_ten_times_at_once_and_later_is_one_message(store: Store, tenant: TenantId) -> None:
    event = message(tenant)

    results = at_once([event] * 10)
    results += [take(event) for _ in range(3)]

    assert sorted(results) == ["accepted"] + ["duplicate"] * 12
    assert [item.seq for item in store.messages(tenant)] == [1]
    assert store.conversation(tenant).last_seq == 1
    assert {bell.seq for bell in store.rings("turns")} == {1}


def test_a_handled_duplicate_rings_nobody(store: Store, tenant: TenantId) -> None:
    event = message(tenant)
    take(event)
    set_conversation(store, tenant, handled_seq=1)
    store.drain_queues()

    assert take(event) == "duplicate"
    assert store.rings("turns") == []


def test_messages_at_once_get_numbers_without_gaps(store: Store, tenant: TenantId) -> None:
    events = [message(tenant, f"{number}") for number in range(10)]

    assert at_once(events) == ["accepted"] * 10
    stored = store.messages(tenant)
    assert [item.seq for item in stored] == list(range(1, 11))
    assert {item.message_id for item in stored} == {event.message_id for event in events}
    assert store.conversation(tenant).last_seq == 10
    assert {bell.seq for bell in store.rings("turns")} == set(range(1, 11))


def test_first_messages_by_lid_and_by_phone_at_once_are_one_customer(store: Store, tenant: TenantId) -> None:
    chats = [direct(), direct(lid=None), Chat(kind="direct", jid=PHONE, lid=LID, phone_jid=PHONE)] * 3
    # Whoever comes by the phone alone may be first; then the LID is named by one of the others.
    assert at_once([message(tenant, chat=chat) for chat in chats]) == ["accepted"] * 9

    assert store.conversation_id(tenant, LID) == store.conversation_id(tenant, PHONE)
    assert [item.seq for item in store.messages(tenant)] == list(range(1, 10))


def test_two_first_messages_that_both_found_nobody_cannot_both_found_a_conversation(
    store: Store, tenant: TenantId
) -> None:
    events = [message(tenant), message(tenant, chat=direct(lid=None))]
    states = [read_chat(tenant, event.chat, event.message_id) for event in events]
    transactions = [LabelledWrite() for _ in events]
    for transaction, state, event in zip(transactions, states, events, strict=True):
        Draft.of(state, event, "customer", clock.now_ms()).write(transaction)

    transactions[0].commit()

    with pytest.raises(RefusedError) as refused:
        transactions[1].commit()
    assert refused.value.labels == ("names",)


# ---- two conversations that turn out to be one ------------------------------------------------------------------


def test_when_two_names_meet_the_later_conversation_leads_to_the_earlier_and_nothing_moves(
    store: Store, tenant: TenantId
) -> None:
    by_phone, by_lid, by_both = (
        message(tenant, "one", chat=direct(lid=None)),
        message(tenant, "two", chat=direct(phone=None)),
        message(tenant, "three"),
    )
    take(by_phone)
    earlier = store.conversation_id(tenant, PHONE)
    take(by_lid)
    later = store.conversation_id(tenant, LID)
    assert earlier != later

    assert take(by_both) == "accepted"

    assert (store.conversation_id(tenant, PHONE), store.conversation_id(tenant, LID)) == (earlier, later)
    assert store.conversation(tenant, later).merged_into == earlier
    assert store.conversation(tenant, earlier).merged_from == [later]
    assert [item.message_id for item in store.messages(tenant, earlier)] == [by_phone.message_id, by_both.message_id]
    assert [item.message_id for item in store.messages(tenant, later)] == [by_lid.message_id]
    # What comes by either name goes to the earlier one from now on, and nothing is taken twice.
    assert [take(event) for event in (by_phone, by_lid, by_both)] == ["duplicate"] * 3
    take(message(tenant, "four", chat=direct(phone=None)))
    assert store.conversation(tenant, earlier).last_seq == 3
    assert store.conversation(tenant, later).last_seq == 1


def test_a_conversation_that_is_merged_between_reading_and_writing_takes_no_message(
    store: Store, tenant: TenantId
) -> None:
    """Its id would be looked for in the other conversation, and the message be taken twice."""
    take(message(tenant, "one", chat=direct(lid=None)))
    take(message(tenant, "two", chat=direct(phone=None)))
    late = message(tenant, "late", chat=direct(phone=None))
    state = read_chat(tenant, late.chat, late.message_id)
    take(message(tenant, "three"))

    transaction = LabelledWrite()
    Draft.of(state, late, "customer", clock.now_ms()).write(transaction)
    with pytest.raises(RefusedError) as refused:
        transaction.commit()

    assert refused.value.labels == ("conversation",)
    assert take(late) == "accepted"
    assert [item.seq for item in store.messages(tenant, store.conversation_id(tenant, PHONE))] == [1, 2, 3]


def test_the_owner_silences_every_conversation_of_the_customer(store: Store, tenant: TenantId) -> None:
    take(message(tenant, "one", chat=direct(lid=None)))
    take(message(tenant, "two", chat=direct(phone=None)))
    later = store.conversation_id(tenant, LID)
    take(message(tenant, "three"))

    take(message(tenant, "I am here", from_me=True))

    silenced = store.conversation(tenant, later)
    assert (silenced.epoch, silenced.handled_seq, silenced.sweep_at) == (1, 1, None)
    assert {bell.conversation_id for bell in store.rings("outgoing")} == {
        later,
        store.conversation_id(tenant, PHONE),
    }


# ---- the business's own messages --------------------------------------------------------------------------------


def test_the_owners_reply_takes_over(store: Store, tenant: TenantId, business: BusinessProfile) -> None:
    take(message(tenant))
    store.drain_queues()
    reply = message(tenant, "It is me, Ron", from_me=True)

    assert take(reply) == "accepted"

    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq, conversation.epoch) == (2, 2, 1)
    assert conversation.paused_until == reply.sent_at + business.takeover_pause_minutes * 60_000
    assert (conversation.sweep_shard, conversation.sweep_at, conversation.pending_since) == (None, None, None)
    assert conversation.reply_jid == LID
    assert [item.author for item in store.messages(tenant)] == ["customer", "owner"]
    assert store.rings("turns") == []
    assert [bell.seq for bell in store.rings("outgoing")] == [2]
    # The owner's name is not the customer's.
    customer = find(CustomerItem, (conversation_pk(tenant, store.conversation_id(tenant)), CUSTOMER))
    assert customer is not None
    assert customer.name == "Dana"


def test_the_owners_reply_ten_times_at_once_raises_the_epoch_once(store: Store, tenant: TenantId) -> None:
    take(message(tenant))
    reply = message(tenant, "me", from_me=True)

    assert sorted(at_once([reply] * 10)) == ["accepted"] + ["duplicate"] * 9
    assert store.conversation(tenant).epoch == 1


def test_after_the_owners_reply_the_customer_waits_for_a_person(store: Store, tenant: TenantId) -> None:
    take(message(tenant))
    take(message(tenant, "me", from_me=True))
    store.drain_queues()

    take(message(tenant, "thanks!"))

    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq, conversation.sweep_at) == (3, 2, None)
    assert store.rings("turns") == []


def test_an_owners_reply_of_hours_ago_pauses_nothing_now(store: Store, tenant: TenantId) -> None:
    take(message(tenant))
    take(message(tenant, "me", from_me=True, sent_at=clock.now_ms() - 3 * 3_600_000))
    store.drain_queues()

    take(message(tenant, "and now?"))

    assert [bell.seq for bell in store.rings("turns")] == [3]


def test_a_business_that_wants_no_pause_answers_the_next_message(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    save_profile(business.model_copy(update={"takeover_pause_minutes": 0}))
    take(message(tenant))
    take(message(tenant, "me", from_me=True))
    store.drain_queues()

    take(message(tenant, "thanks!"))

    assert [bell.seq for bell in store.rings("turns")] == [3]


def test_the_owner_who_writes_first_begins_a_conversation_that_waits_for_nobody(store: Store, tenant: TenantId) -> None:
    take(message(tenant, "Your order is ready", from_me=True))

    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq, conversation.epoch) == (1, 1, 1)
    assert (conversation.reply_jid, conversation.sweep_at) == (None, None)


def test_an_automatic_text_is_shown_and_takes_nothing_over(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    greeting = message(tenant, f" {business.automatic_texts[0]}\n", from_me=True)
    take(greeting)

    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq, conversation.epoch) == (1, 1, 0)
    assert [item.author for item in store.messages(tenant)] == ["automatic"]
    assert (store.rings("turns"), store.rings("outgoing")) == ([], [])


def test_an_automatic_text_behind_a_waiting_message_rings_for_it(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    take(message(tenant))
    take(message(tenant, business.automatic_texts[0], from_me=True))

    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq, conversation.epoch) == (2, 0, 0)
    assert {bell.seq for bell in store.rings("turns")} == {1, 2}


# ---- the assistant is off ---------------------------------------------------------------------------------------


def test_a_business_without_assistant_stores_and_rings_nobody(
    store: Store, tenant: TenantId, business: BusinessProfile
) -> None:
    save_profile(business.model_copy(update={"ai_enabled": False}))

    assert take(message(tenant)) == "accepted"
    assert_waits_for_a_person(store, tenant)


@pytest.mark.parametrize("switch", [{"ai_enabled": False}, {"paused_until": clock.now_ms() + 3_600_000}])
def test_a_chat_without_assistant_stores_and_rings_nobody(
    switch: dict[str, int | bool], store: Store, tenant: TenantId
) -> None:
    take(message(tenant))
    set_conversation(store, tenant, handled_seq=1, **switch)
    forget_if_handled(tenant, store.conversation_id(tenant))
    store.drain_queues()
    event = message(tenant)

    assert [take(event), take(event)] == ["accepted", "duplicate"]
    assert_waits_for_a_person(store, tenant)


def test_a_pause_that_is_over_is_no_pause(store: Store, tenant: TenantId) -> None:
    take(message(tenant))
    set_conversation(store, tenant, handled_seq=1, paused_until=clock.now_ms() - 1)
    store.drain_queues()

    take(message(tenant))

    assert [bell.seq for bell in store.rings("turns")] == [2]


def assert_waits_for_a_person(store: Store, tenant: TenantId) -> None:
    conversation = store.conversation(tenant)
    assert conversation.last_seq > conversation.handled_seq
    assert (conversation.sweep_shard, conversation.sweep_at) == (None, None)
    assert store.rings("turns") == []


def set_conversation(store: Store, tenant: TenantId, **values: int | bool) -> None:
    """As if the agent or the console had written."""
    actions = [getattr(ConversationItem, name).set(value) for name, value in values.items()]
    store.conversation(tenant).update(actions=actions)


def test_a_lid_that_changes_its_phone_still_leads_to_one_conversation(store: Store, tenant: TenantId) -> None:
    take(message(tenant))
    new_phone = Jid("972509999999@s.whatsapp.net")

    take(message(tenant, chat=direct(phone=new_phone)))

    assert store.conversation_id(tenant, new_phone) == store.conversation_id(tenant, LID)
