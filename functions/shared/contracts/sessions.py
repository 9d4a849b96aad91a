"""The state of a session: as the gateway tells it, and as the gateway table holds it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from functions.shared.contracts.events import ConnectionState, PairingOffer
from functions.shared.contracts.wire import JidField, Milliseconds, PhoneField, TenantField, Wire


class SessionStatus(Wire):
    """`GET /whatsapp/{tenant}/status`."""

    tenant_id: TenantField
    state: ConnectionState
    connected: bool
    can_send: bool
    """True only if a socket is open, its login is complete, the first backlog is through, and WhatsApp's server has
    answered something of ours within the gateway's `SILENCE_MS`."""
    answered_at: Milliseconds | None = None
    """When WhatsApp's server last answered something of ours: an acknowledgement, a query, a ping."""
    restricted_until: Milliseconds | None = None
    """While WhatsApp lets this number begin no new chats (463): when that ends. Existing chats go on."""
    phone_jid: JidField | None = None
    code: int | None = None
    reason: str | None = None
    pairing: PairingOffer | None = None
    since: Milliseconds


class SendingStatus(Wire):
    """`GET /whatsapp/{tenant}/sending-status`: while `is_sending`, a restart must wait."""

    is_sending: bool
    active_sends: Annotated[int, Field(ge=0)]


class PairingCode(Wire):
    """`GET /whatsapp/{tenant}/qr`: what the owner's phone scans under "Linked devices"."""

    qr: str
    expires_at: Milliseconds


class LinkCodeRequest(Wire):
    """`POST /whatsapp/{tenant}/pairing-code`: link by a code that is typed on the phone, in place of a QR code."""

    phone: PhoneField


class LinkCode(Wire):
    """`GET` and `POST /whatsapp/{tenant}/pairing-code`: what is typed on the phone under "Linked devices"."""

    code: str
    phone: PhoneField
    expires_at: Milliseconds


class GatewayHealth(Wire):
    """`GET /health`, the one call without the internal secret."""

    status: Literal["ok", "draining"]
    sessions: Annotated[int, Field(ge=0)]
    connected: Annotated[int, Field(ge=0)]


class SessionRecord(Wire):
    """The row `pk = SESSION#<tenant>`, `sk = SESSION` of the gateway table; attributes are named as on the wire.

    Python writes `desired*` and nothing else; the gateway writes everything else and never `desired*`.
    """

    tenant_id: TenantField
    desired: Literal["linked", "stopped", "unlinked"]
    desired_generation: Annotated[int, Field(ge=0)] = 0
    """Raised to ask for a restart."""
    owner_url: str | None = None
    """Base URL of the container that holds the socket."""
    owner_token: Annotated[int, Field(ge=0)] = 0
    """Fencing token: raised by every claim, checked by every write of auth state and journal."""
    state: ConnectionState | None = None
    updated_at: Milliseconds | None = None
    desired_phone: PhoneField | None = None
    """Link by a pairing code for this number, not by QR codes, until `desired_phone_until`: each one rings there."""
    desired_phone_until: Milliseconds | None = None
    generation: Annotated[int, Field(ge=0)] | None = None
    """The `desired_generation` that the owner has acted on; older news are from before."""
    code: int | None = None
    reason: str | None = None
    phone_jid: JidField | None = None
    """The linked number."""


class PairingRecord(Wire):
    """The row `pk = SESSION#<tenant>`, `sk = PAIRING` of the gateway table, there while a phone can be linked.

    Either `qr` or `code`. The row has the table's time to live as well, but that is coarse: `valid_until` counts.
    """

    tenant_id: TenantField
    qr: str | None = None
    code: str | None = None
    phone: PhoneField | None = None
    valid_until: Milliseconds
