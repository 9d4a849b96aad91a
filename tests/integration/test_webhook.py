"""The webhook against real tables and queues."""

from __future__ import annotations

from typing import cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.shared.contracts import TenantId
from functions.webhook import handler
from functions.webhook.handler import FunctionUrlAnswer
from functions.webhook.request import FunctionUrlEvent
from tests.integration.support import LambdaContextDouble, Store, body_of, message, signed


def post(request: FunctionUrlEvent) -> FunctionUrlAnswer:
    return handler.handle(request, cast("LambdaContext", LambdaContextDouble()))


def test_a_first_message_is_stored_and_rings_once(store: Store, tenant: TenantId) -> None:
    answer = post(signed(message(tenant, "שלום")))

    assert (answer["statusCode"], body_of(answer)) == (200, {"result": "accepted"})
    conversation = store.conversation(tenant)
    assert (conversation.last_seq, conversation.handled_seq, conversation.epoch) == (1, 0, 0)
    assert [bell.seq for bell in store.rings("turns")] == [1]
