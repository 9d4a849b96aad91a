"""A process killed at any point: each tool's effect once, and none before its turn has committed."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agents import Agent, Model, ModelResponse, TResponseInputItem, Usage
from agents.testing import assistant_message, function_call
from botocore.client import BaseClient

from functions.agent import turn
from functions.agent.assistant import AgentCache, create_agent
from functions.agent.context import ToolContext
from functions.agent.store import AppStore
from functions.agent.tools.all import TOOLS
from functions.agent.turn import Outcome
from functions.shared import clock
from functions.shared.contracts import ConversationId, Doorbell, TenantId
from functions.shared.examples import barber_shop
from functions.shared.keys import calendar_pk, conversation_pk
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.profile_parts import Entry, Location
from functions.shared.tables import AppItem
from functions.webhook.accept import accept
from tests.integration.support import Store, message

Arguments = Mapping[str, object]
Step = tuple[str, Arguments | Callable[[str], Arguments]]
"""A tool, and its arguments; some are made of what the tool before it said."""

PLACE = Location(address="1 Main Street", latitude=32.08, longitude=34.78)
PARKING = Entry(title={"en": "Parking"}, text={"en": "Behind the house."})


def day() -> datetime:
    """A Tuesday in a week or two, 10:00 in Jerusalem."""
    zone = barber_shop().zone
    date = datetime.now(zone).date() + timedelta(days=7)
    date += timedelta(days=(1 - date.weekday()) % 7)
    return datetime(date.year, date.month, date.day, 10, tzinfo=zone)


def at(hours: int) -> str:
    return (day() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


def of_the_first(listed: str, **more: object) -> Arguments:
    return {"booking_id": json.loads(listed)["appointments"][0]["booking_id"], **more}


TURNS: Sequence[tuple[str, Sequence[Step]]] = (
    (
        "hello, I come on tuesday at ten",
        [
            ("read_lead", {}),
            ("find_free_slots", {"day": at(0)[:10], "service": "haircut"}),
            ("book_appointment", {"start": at(0), "service": "haircut"}),
            ("remember_about_customer", {"fact": "prefers mornings"}),
        ],
    ),
    (
        "and I have a few more wishes",
        [
            ("search_knowledge", {"query": "parking"}),
            ("send_location", {}),
            ("pass_on_question", {"question": "Is Ron there?"}),
            ("update_lead", {"interest": "hot", "note": "wants a course", "tags": ["course"]}),
            ("tell_owner", {"text": "A big order", "urgent": True}),
            ("schedule_follow_up", {"at": at(48), "text": "How was it?"}),
        ],
    ),
    (
        "one hour later after all",
        [
            ("list_appointments", {}),
            ("move_appointment", lambda said: of_the_first(said, start=at(1), service=None)),
            ("remember_about_customer", {"fact": "prefers eleven o'clock", "replaces": 1}),
            ("cancel_follow_up", {}),
        ],
    ),
    (
        "no, forget about it, this is no good",
        [
            ("list_appointments", {}),
            ("cancel_appointment", of_the_first),
            ("hand_over", {"reason": "is angry"}),
        ],
    ),
)


class Plan(Model):
    """Does the steps of the turn that it finds itself in, one at a time, then answers."""

    async def get_response(  # type: ignore[override]
        self,
        system_instructions: str | None,
        input: list[TResponseInputItem],  # noqa: A002 - the SDK's name
        *_args: object,
        **_more: object,
    ) -> ModelResponse:
        items: list[Any] = list(input)
        asked = max(number for number, item in enumerate(items) if item.get("role") == "user")
        said = [str(item["output"]) for item in items[asked:] if item.get("type") == "function_call_output"]
        steps = next(steps for text, steps in TURNS if text == items[asked]["content"])
        if len(said) == len(steps):
            return ModelResponse(output=[assistant_message("Done.")], usage=Usage(requests=1), response_id=None)
        name, arguments = steps[len(said)]
        given = arguments(said[-1]) if callable(arguments) else arguments
        call = function_call(name, dict(given), call_id=f"c{asked}-{len(said)}")
        return ModelResponse(output=[call], usage=Usage(requests=1), response_id=None)

    def stream_response(self, *_args: object, **_more: object) -> Any:  # noqa: ANN401
        raise NotImplementedError


def agents() -> AgentCache:
    def create(profile: BusinessProfile) -> Agent[ToolContext]:
        agent = create_agent(profile)
        agent.model = Plan()
        return agent

    return AgentCache(create)


class KilledError(BaseException):
    """The process is gone."""


class Reaper:
    """Kills the process before its AWS call number `last`; what the call before it did stays done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.last: int | None = None
        real: Callable[..., dict[str, Any]] = vars(BaseClient)["_make_api_call"]

        def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            self.calls += 1
            if self.calls == self.last:
                raise KilledError
            return real(client, operation, arguments)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def set(self, last: int | None) -> None:
        self.calls, self.last = 0, last


@pytest.fixture
def reaper(store: Store, monkeypatch: pytest.MonkeyPatch) -> Reaper:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SECRET_ARN"):
        monkeypatch.delenv(name, raising=False)
    return Reaper(monkeypatch)


def ring(doorbell: Doorbell) -> Outcome:
    world = turn.World(store=AppStore(), agents=agents(), now_ms=clock.now_ms, limit_s=60)
    return asyncio.run(turn.answer(doorbell, world))


def write(tenant: TenantId, text: str) -> Doorbell:
    first = accept(message(tenant, text)).rings[0]
    return Doorbell(tenant_id=tenant, conversation_id=first.conversation_id, seq=first.seq, correlation_id="test")


def a_business() -> TenantId:
    profile = barber_shop(f"business_{secrets.token_hex(4)}")
    more = {"knowledge": (PARKING,), "owner_numbers": ("+972501112222",), "location": PLACE}
    return save_profile(profile.model_copy(update=more)).tenant_id


# ---- what is in the tables ----------------------------------------------------------------------------------------

_OF_THE_MOMENT = re.compile(
    r"(?:_at|_since|_until|_for)$|^(?:turn_id|message_id|correlation_id|usage|saw|items|tools|deadline|sweep_.*|expires_at)$"
)
_RANDOM = re.compile(r"business_[0-9a-f]{8}|[0-9a-f]{10,}|[0-9A-F]{18,}|\d{13}")


def state(tenant: TenantId, conversation_id: ConversationId) -> list[str]:
    """Every row of the conversation and of the calendar's day, without ids and times of the moment; no holds."""
    days = {day().astimezone(UTC).strftime("%Y-%m-%d")}
    keys = [conversation_pk(tenant, conversation_id), *(calendar_pk(tenant, one) for one in sorted(days))]
    return sorted(row for pk in keys for row in _rows(pk))


def _rows(pk: str) -> Iterator[str]:
    query = {
        "TableName": AppItem._get_connection().table_name,
        "ConsistentRead": True,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
    }
    for item in AppItem.connection().dispatch("Query", query)["Items"]:
        sk = item["sk"]["S"]
        # Messages are not the turn's, and a hold is only a hold: it expires.
        if sk.startswith(("MSG#", "ID#")) or (sk.startswith("SLOT#") and "booking_id" not in item):
            continue
        kept = {name: value for name, value in item.items() if not _OF_THE_MOMENT.search(name)}
        yield _RANDOM.sub("*", json.dumps(kept, sort_keys=True))


def test_killed_at_every_aws_call_of_turns_over_every_tool(reaper: Reaper) -> None:
    """What a killed turn leaves is nothing, so the next kill, one call later, meets the same conversation."""
    unharmed, harmed = a_business(), a_business()
    kills = 0
    for text, _ in TURNS:
        doorbell = write(unharmed, text)
        reaper.set(None)
        assert ring(doorbell) in ("answered", "person_called")
        after = state(unharmed, doorbell.conversation_id)

        doorbell = write(harmed, text)
        before = state(harmed, doorbell.conversation_id)
        assert before != after
        for last in range(1, 200):
            reaper.set(last)
            try:
                ring(doorbell)
            except KilledError:
                kills += 1
            found = state(harmed, doorbell.conversation_id)
            assert found in (before, after), f"{text}: half of the turn is real, killed before its call {last}"
            if found == after:
                break
        reaper.set(None)
        ring(doorbell)
        assert state(harmed, doorbell.conversation_id) == after, text
        assert ring(doorbell) == "nothing_to_do"
    assert kills >= 30, "each turn makes several calls"


def test_the_plan_uses_every_tool_there_is() -> None:
    used = {name for _, steps in TURNS for name, _ in steps}
    assert used == {tool.name for tool in TOOLS} - {"show_all_tools"}
