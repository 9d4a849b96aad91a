"""The policies of the functions are enough, shown by running them under the emulator's enforcement.

That they are not too much, test_pipeline_stack.py says. Two things differ from AWS and are mended before the emulator
enforces: requests to it are plain HTTP, which the queues refuse, and its `Ref` of a secret is a name and not the ARN.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import requests

from functions.shared.contracts import Chat, ConversationId, Jid, MessageId, MessageReceived, TenantId, TextContent
from functions.shared.examples import barber_shop
from functions.shared.feed_token import feed_token, path_of
from functions.shared.profile import BusinessProfile, save_profile
from functions.shared.scheduled import notices, scheduled_in, to_item
from kesher.local.deploy import Deployment, deploy
from kesher.local.emulator import Emulator
from kesher.local.environment import speaking_to
from kesher.local.functions import log_lines, signed
from tests.waiting import eventually

TENANT = TenantId("business_1")
OWNED, OWNER = TenantId("business_owned"), "+972501111111"


@dataclass(frozen=True)
class Enforced:
    emulator: Emulator
    deployment: Deployment
    secret: str

    def log(self, function: str) -> str:
        return "\n".join(line.text for line in log_lines(self.emulator, function))

    def sweep(self) -> str:
        lambda_ = self.emulator.session().client("lambda", endpoint_url=self.emulator.endpoint)
        answer = lambda_.invoke(FunctionName=self.deployment.sweeper_function, Payload=b"{}")
        return answer["Payload"].read().decode()


@pytest.fixture(scope="module")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    folder = tmp_path_factory.mktemp("enforced")
    with Emulator(folder, persist=True) as lenient:
        deployment = deploy(lenient)
        secret = _mend(lenient, deployment)
        with speaking_to({**lenient.environment, "APP_TABLE": deployment.app_table}):
            save_profile(barber_shop(TENANT))
    with Emulator(folder, persist=True, enforce_permissions=True) as emulator:
        yield Enforced(emulator, deployment, secret)


def _mend(emulator: Emulator, deployment: Deployment) -> str:
    """Mend what differs from AWS; the internal secret's value."""
    session, endpoint = emulator.session(), emulator.endpoint
    sqs = session.client("sqs", endpoint_url=endpoint)
    for url in sqs.list_queues()["QueueUrls"]:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    secrets = session.client("secretsmanager", endpoint_url=endpoint)
    names = {deployment.internal_secret_arn: "", deployment.model_secret_arn: ""}
    arns = {name: secrets.describe_secret(SecretId=name)["ARN"] for name in names}
    iam = session.client("iam", endpoint_url=endpoint)
    for role in (role["RoleName"] for role in iam.list_roles()["Roles"]):
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
            for name, arn in arns.items():
                document = document.replace(f'"{name}"', f'"{arn}"')
            iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)
    value = json.loads(secrets.get_secret_value(SecretId=deployment.internal_secret_arn)["SecretString"])
    return str(value["current"])


def _event() -> bytes:
    now = time.time_ns() // 1_000_000
    jid = Jid("972540000001@s.whatsapp.net")
    message = MessageReceived(
        tenant_id=TENANT, correlation_id="permissions", chat=Chat(kind="direct", jid=jid, phone_jid=jid),
        message_id=MessageId("3EB0"), from_me=False, sent_at=now, received_at=now, backlog=False,
        content=TextContent(text="hi"),
    )  # fmt: skip
    return message.to_json().encode()


def test_a_message_goes_through_all_functions_with_their_own_permissions(enforced: Enforced) -> None:
    url, body, at = enforced.deployment.webhook_url, _event(), str(int(time.time()))
    signature = hmac.new(enforced.secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"X-Kesher-Timestamp": at, "X-Kesher-Signature": f"v1={signature}", "Content-Type": "application/json"}
    answer = requests.post(url, data=body, headers=signed(enforced.emulator, url, body, headers), timeout=60)

    assert answer.json() == {"result": "accepted"}, enforced.log(enforced.deployment.webhook_function)
    agent, send = enforced.deployment.agent_function, enforced.deployment.send_function
    eventually(lambda: "TurnCommitted" in enforced.log(agent), "a committed turn", seconds=180)
    # No gateway runs here, so send finds nobody who owns the session: it has read all that it reads by then.
    eventually(lambda: "END RequestId" in enforced.log(send), "the end of the send function", seconds=180)
    assert '"looked_at"' in enforced.sweep()
    for function in (enforced.deployment.webhook_function, agent, send, enforced.deployment.sweeper_function):
        assert "AccessDenied" not in enforced.log(function)
        assert '"level":"ERROR"' not in enforced.log(function)


def test_the_sweeper_promotes_what_is_due(enforced: Enforced) -> None:
    with speaking_to({**enforced.emulator.environment, "APP_TABLE": enforced.deployment.app_table}):
        owned = BusinessProfile.model_validate(
            barber_shop(OWNED).model_dump(mode="json")
            # A holiday is looked up and a zone is read; the long-past due time is no reason to drop it.
            | {"owner_numbers": [OWNER], "holidays": {"country": "GB"}, "quiet_hours": {"holidays": True}}
        )
        save_profile(owned)
        [due] = notices(owned, ConversationId("c1"), "told", "hello", urgent=False, now_ms=1)
        to_item(replace(due, useful_until=2**42)).save()
    enforced.sweep()
    with speaking_to({**enforced.emulator.environment, "APP_TABLE": enforced.deployment.app_table}):
        [row] = scheduled_in(OWNED, ConversationId("c1"))
        # On one of eight days a year it waits, which needs the same permissions and libraries.
        assert row.state == "queued" or row.reason == "quiet hours", enforced.log(enforced.deployment.sweeper_function)


def test_a_phone_reads_the_owners_calendar_without_a_signature(enforced: Enforced) -> None:
    with speaking_to({**enforced.emulator.environment, "APP_TABLE": enforced.deployment.app_table}):
        token = feed_token(TENANT, now_ms=1)
    url = f"{enforced.deployment.feed_url}{path_of(TENANT, token)}"
    answer = requests.get(url, timeout=60)

    assert answer.status_code == 200, enforced.log(enforced.deployment.feed_function)
    assert answer.text.startswith("BEGIN:VCALENDAR")
    assert requests.get(f"{url}x", timeout=60).status_code == 404
    assert token not in enforced.log(enforced.deployment.feed_function)


def test_a_missing_permission_would_have_shown(enforced: Enforced) -> None:
    iam = enforced.emulator.session().client("iam", endpoint_url=enforced.emulator.endpoint)
    [role] = [role["RoleName"] for role in iam.list_roles()["Roles"] if "SweeperRole" in role["RoleName"]]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)

    assert "AccessDenied" in enforced.sweep() + enforced.log(enforced.deployment.sweeper_function)
