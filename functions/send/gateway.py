"""The call to the container that owns the tenant's session. Every way it can end is one of the contract's results."""

from __future__ import annotations

import requests
from pydantic import ValidationError
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, RequestException
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from functions.send.outcome import Result
from functions.shared import sessions
from functions.shared.contracts import SEND_RESULT, NotOwner, Refused, SendCommand, SessionRecord, Unavailable, Unknown
from functions.shared.outbox import Row
from functions.shared.secret import SecretCache

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 35.0
"""Longer than the gateway's own 30 s for the acknowledgement, so that its answer is heard."""
RETRY_AFTER_MS = 5_000
"""Longer than an invocation waits: without an owner nothing can be sent, and the next owner's `connected` rings."""

_NOT_TAKEN = {401, 403, 404, 408, 425, 429}
"""The gateway did not even look at the message."""


class Gateway:
    """Sends rows through whoever owns the session. Looks the owner up for each row: sessions move."""

    def __init__(self, secrets: SecretCache) -> None:
        self._secrets = secrets

    def send(self, row: Row) -> Result:
        """Post `row` once. Raises only for failures of our own stores, before anything was posted."""
        session = sessions.load_session(row.tenant_id)
        if session is None or session.owner_url is None:
            return _unavailable(row, "no container holds the session of this business")
        secret = self._secrets.get().current
        response = self._post(row, session, session.owner_url, secret)
        if isinstance(response, requests.Response) and response.status_code == 401:
            rotated = self._secrets.refreshed()
            if rotated is not None and rotated.current != secret:
                response = self._post(row, session, session.owner_url, rotated.current)
        return result_of(response, row) if isinstance(response, requests.Response) else response

    def _post(self, row: Row, session: SessionRecord, owner_url: str, secret: str) -> requests.Response | Result:
        command = SendCommand(
            message_id=row.message_id,
            chat_jid=row.chat_jid,
            author=row.author,
            content=row.content,
            quoted=row.manner.quoted,
            disappearing_seconds=row.manner.disappearing_seconds,
            answers=row.manner.answers,
            answered_at=row.manner.answered_at,
            correlation_id=row.correlation_id,
            owner_token=session.owner_token,
        )
        headers = {
            "Content-Type": "application/json",
            "X-Internal-Secret": secret,
            # A pooled connection dies while Lambda is frozen, and the next request would end as unknown.
            "Connection": "close",
        }
        url = f"{owner_url.rstrip('/')}/whatsapp/{row.tenant_id}/messages"
        try:
            return requests.post(
                url,
                data=command.to_json().encode(),
                headers=headers,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
            )
        except RequestException as error:
            if never_arrived(error):
                return _unavailable(row, f"the container does not answer ({type(error).__name__})")
            return Unknown(message_id=row.message_id, reason=f"the answer was lost ({type(error).__name__})")


def never_arrived(error: RequestException) -> bool:
    """Whether the request ended before a connection stood, so that nothing can have been sent."""
    if isinstance(error, ConnectTimeout):
        return True
    if not isinstance(error, RequestsConnectionError):
        return False
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError))


def result_of(response: requests.Response, row: Row) -> Result:
    """The contract's result in an answer of the gateway; an answer outside the contract is read by its status."""
    try:
        result = SEND_RESULT.validate_json(response.content)
    except ValidationError:
        return _by_status(response.status_code, row)
    if result.message_id != row.message_id:
        return Unknown(message_id=row.message_id, reason="the gateway answered for another message")
    return result


def _by_status(status: int, row: Row) -> Result:
    if status in _NOT_TAKEN:
        return _unavailable(row, f"the gateway answered {status}")
    if status == 409:
        return NotOwner(message_id=row.message_id, reason="the session has moved")
    if 400 <= status < 500:
        reason = "the gateway refuses the command; it and this function are of different versions"
        return Refused(message_id=row.message_id, code=str(status), reason=reason, permanent=True)
    return Unknown(message_id=row.message_id, reason=f"the gateway answered {status}")


def _unavailable(row: Row, reason: str) -> Unavailable:
    return Unavailable(message_id=row.message_id, reason=reason, retry_after_ms=RETRY_AFTER_MS)
