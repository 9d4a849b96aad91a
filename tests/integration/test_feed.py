"""The owner's calendar feed: all appointments of one business, for whoever holds its token and nobody else."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import cast

import icalendar
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from typer.testing import CliRunner

from functions.agent.calendar import booking
from functions.agent.context import ToolContext
from functions.agent.tools.results import Booked
from functions.feed import handler
from functions.feed.handler import FeedAnswer
from functions.shared import clock
from functions.shared.contracts import TenantId
from functions.shared.examples import barber_shop
from functions.shared.feed_token import feed_token, path_of
from functions.shared.keys import CUSTOMER, conversation_pk
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.tables import CustomerItem
from kesher.cli import app
from tests.integration.agent.test_calendar import DAYS_AHEAD, commit, profile_of, turn_of
from tests.integration.support import LambdaContextDouble, Store


def get(path: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> FeedAnswer:
    request: handler.FeedRequest = {
        "rawPath": path,
        "headers": headers or {},
        "requestContext": {"http": {"method": method}},
    }
    return handler.handle(request, cast("LambdaContext", LambdaContextDouble()))


def events(answer: FeedAnswer) -> dict[str, str]:
    """Summaries by uid."""
    assert answer["statusCode"] == 200, answer
    found = icalendar.Calendar.from_ical(answer["body"]).walk("VEVENT")
    return {str(event["UID"]): str(event["SUMMARY"]) for event in found}


def day(ahead: int) -> str:
    return f"{(datetime.now(UTC) + timedelta(days=ahead)):%Y-%m-%d}"


def change(context: ToolContext) -> None:
    assert commit(context.staging.all())


@pytest.fixture
def shop(business: BusinessProfile) -> BusinessProfile:
    return save_profile(profile_of(business, 1).model_copy(update={"config_version": business.config_version}))


@pytest.fixture
def path(shop: BusinessProfile) -> str:
    return path_of(shop.tenant_id, feed_token(shop.tenant_id, now_ms=clock.now_ms()))


def book(shop: BusinessProfile, customer: str, at: str) -> str:
    context = turn_of(shop, customer)
    made = booking.book(context, at, "haircut")
    assert isinstance(made, Booked), made
    change(context)
    CustomerItem(conversation_pk(shop.tenant_id, customer), CUSTOMER, name=f"Dana {customer}").save()
    return made.booking_id


def test_it_holds_what_is_booked_follows_a_move_and_forgets_what_is_cancelled(
    store: Store, shop: BusinessProfile, path: str
) -> None:
    kept, moved, cancelled = (
        book(shop, f"c{i}", f"{day(DAYS_AHEAD)}T{at}") for i, at in enumerate(("09:00", "09:45", "10:30"))
    )
    uid = f"{{}}@{shop.tenant_id}.kesher".format
    before = events(get(path))
    assert before.keys() == {uid(kept), uid(moved), uid(cancelled)}
    assert before[uid(kept)].startswith("Dana c0")

    context = turn_of(shop, "c1")
    booking.move(context, moved, f"{day(DAYS_AHEAD + 1)}T09:00")
    change(context)
    context = turn_of(shop, "c2")
    booking.cancel(context, cancelled)
    change(context)

    after = get(path)
    assert events(after).keys() == {uid(kept), uid(moved)}
    assert day(DAYS_AHEAD + 1).replace("-", "") in after["body"]


def test_nobody_reads_without_the_token_and_nobody_learns_whether_there_is_a_business(
    store: Store, shop: BusinessProfile, path: str
) -> None:
    other = save_profile(barber_shop(f"{shop.tenant_id}_other"))
    own = path_of(other.tenant_id, feed_token(other.tenant_id, now_ms=1))
    token = own.split("/")[2]
    without = TenantId(f"{shop.tenant_id}_none")
    wrong = [
        path[:-5] + ("AA.ics" if path[-6:-4] != "AA" else "BB.ics"),
        f"/{shop.tenant_id}/{token}",
        f"/{without}/{token}",
        f"/{without}/{'-' * 43}.ics",
        f"/{shop.tenant_id}/.ics",
        f"/{shop.tenant_id}/",
        "/",
        path.upper(),
        f"{path}/",
        f"/../{path}",
        f"/{shop.tenant_id}%2F{token}",
    ]
    answers = [get(one) for one in wrong] + [get(path, method="POST")]
    assert answers == [{"statusCode": 404, "headers": {"cache-control": "no-store"}, "body": ""}] * len(answers)
    assert events(get(own)) == {}, "its own token opens its own calendar"


def test_a_new_token_revokes_the_old_one(store: Store, shop: BusinessProfile, path: str) -> None:
    tenant = shop.tenant_id
    assert path_of(tenant, feed_token(tenant, now_ms=2)) == path, "the same at the second time"
    renewed = path_of(tenant, feed_token(tenant, now_ms=3, new=True))
    assert renewed != path
    assert get(path)["statusCode"] == 404
    assert get(renewed)["statusCode"] == 200


def test_a_phone_is_told_what_it_has_already(store: Store, shop: BusinessProfile, path: str) -> None:
    first = get(path)
    assert first["headers"]["cache-control"] == "private, max-age=300"
    again = get(path, headers={"if-none-match": first["headers"]["etag"]})
    assert (again["statusCode"], again["body"]) == (304, "")
    book(shop, "c1", f"{day(DAYS_AHEAD)}T09:00")
    assert get(path, headers={"if-none-match": first["headers"]["etag"]})["statusCode"] == 200
    assert get(path, method="HEAD")["body"] == ""


def test_the_window_is_bounded(store: Store, shop: BusinessProfile, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in ("09:00", "09:45", "10:30"):
        book(shop, f"c{at[:2]}{at[3:]}", f"{day(DAYS_AHEAD)}T{at}")
    monkeypatch.setattr(handler, "MOST", 2)
    assert len(events(get(path))) == 2
    monkeypatch.setattr(handler, "AHEAD", timedelta(days=DAYS_AHEAD - 2))
    assert len(events(get(path))) == 0


def test_the_token_is_in_no_log_line(store: Store, path: str, log: io.StringIO) -> None:
    get(path)
    get(f"{path}x")
    assert path.split("/")[2][:10] not in log.getvalue()
    assert "calendar read" in log.getvalue()


def test_the_command_prints_the_address_and_makes_a_new_one(
    store: Store, shop: BusinessProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEED_URL", "https://feed.example.com/")

    def kesher(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["business", "feed", "--tenant", shop.tenant_id, *arguments])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    first = kesher()
    assert first == kesher()
    assert first.startswith(f"https://feed.example.com/{shop.tenant_id}/")
    assert kesher("--new") != first
    assert get(first.removeprefix("https://feed.example.com"))["statusCode"] == 404
