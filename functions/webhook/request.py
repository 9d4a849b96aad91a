"""An HTTP request on its way to being an event: everything that is checked before anything is stored."""

from __future__ import annotations

import base64
import binascii
from typing import NotRequired, TypedDict

from pydantic import ValidationError

from functions.shared import signing
from functions.shared.contracts import EVENT, MAX_BODY_BYTES, Event
from functions.shared.secret import SecretCache

PATH = "/api/whatsapp/webhook/incoming"


class HttpPart(TypedDict):
    method: str


class RequestContext(TypedDict):
    http: HttpPart


class FunctionUrlEvent(TypedDict):
    """What Lambda passes for a function URL, payload version 2.0; header names are in lower case."""

    rawPath: str
    headers: dict[str, str]
    requestContext: RequestContext
    body: NotRequired[str]
    isBase64Encoded: NotRequired[bool]


class RequestError(Exception):
    """The request is refused: `status` and the contract's ErrorAnswer. Nothing was stored."""

    def __init__(self, status: int, error: str, reason: str) -> None:
        super().__init__(f"{status} {error}: {reason}")
        self.status = status
        self.error = error
        self.reason = reason


def parse(request: FunctionUrlEvent, secrets: SecretCache, now_s: int) -> Event:
    """The event in `request`. Raises RequestError. What costs least is checked first, the body last."""
    if request["rawPath"].rstrip("/") != PATH:
        raise RequestError(404, "not_found", f"events go to POST {PATH}")
    if request["requestContext"]["http"]["method"] != "POST":
        raise RequestError(405, "method_not_allowed", f"events go to POST {PATH}")
    body = _body(request)
    if len(body) > MAX_BODY_BYTES:
        raise RequestError(413, "too_large", f"an event has at most {MAX_BODY_BYTES} bytes")
    _verify(request["headers"], body, secrets, now_s)
    try:
        return EVENT.validate_json(body)
    except ValidationError as error:
        raise RequestError(422, "bad_body", describe(error)) from None


def _body(request: FunctionUrlEvent) -> bytes:
    body = request.get("body", "")
    if not request.get("isBase64Encoded", False):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise RequestError(422, "bad_body", "the body is not valid base64") from None


def _verify(headers: dict[str, str], body: bytes, secrets: SecretCache, now_s: int) -> None:
    timestamp, signature = headers.get(signing.TIMESTAMP_HEADER), headers.get(signing.SIGNATURE_HEADER)
    secret = secrets.get()
    while True:
        try:
            signing.verify(secret.accepted(), timestamp=timestamp, signature=signature, body=body, now_s=now_s)
        except signing.StaleSignatureError as error:
            raise RequestError(401, "bad_signature", str(error)) from None
        except signing.SignatureError as error:
            # The secret may have been rotated since this process read it.
            rotated = secrets.refreshed()
            if rotated is None or rotated == secret:
                raise RequestError(401, "bad_signature", str(error)) from None
            secret = rotated
        else:
            return


def describe(error: ValidationError) -> str:
    """What is wrong with which field, without the values: they are the customer's."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    first = problems[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{field}: {first['msg']}{more}"
