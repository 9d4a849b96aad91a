"""A file that the agent wants sent is an object of the media bucket, or the answer goes out without it."""

from __future__ import annotations

import secrets

import boto3
import pytest

from functions.agent.store import AppStore
from functions.shared import aws
from kesher.local.emulator import Emulator
from tests.integration.support import Store


def test_a_file_is_kept_in_the_bucket_under_its_key_and_type(
    store: Store, aws: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = f"media-{secrets.token_hex(4)}"
    client = boto3.client("s3", endpoint_url=aws.endpoint)
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setenv("MEDIA_BUCKET", bucket)
    assert AppStore().keep_file("media/a.ics", b"BEGIN:VCALENDAR", "text/calendar")
    kept = client.get_object(Bucket=bucket, Key="media/a.ics")
    assert (kept["Body"].read(), kept["ContentType"]) == (b"BEGIN:VCALENDAR", "text/calendar")


def test_a_bucket_that_does_not_answer_costs_the_file_and_not_the_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_BUCKET", "there-is-no-such-bucket")
    assert not AppStore().keep_file("media/a.ics", b"x", "text/calendar")
    monkeypatch.delenv("MEDIA_BUCKET")
    assert not AppStore().keep_file("media/a.ics", b"x", "text/calendar")
    assert aws.s3() is aws.s3()
