"""Keys of the app table. The tenant is part of every one of them, so nothing can be read across tenants by mistake."""

from __future__ import annotations

from functions.shared.contracts import ConversationId, TenantId

Key = tuple[str, str]
"""(pk, sk)"""

PROFILE = "PROFILE"
CONNECTION = "CONNECTION"
ALIAS = "ALIAS"
CONVERSATION = "CONVERSATION"
CUSTOMER = "CUSTOMER"
LEAD = "LEAD"
FACTS = "FACTS"
MESSAGE_PREFIX = "MSG#"
ID_PREFIX = "ID#"
TURN_PREFIX = "TURN#"
OUTBOX_PREFIX = "OUT#"
BOOKING_PREFIX = "BOOKING#"
SLOT_PREFIX = "SLOT#"
CHAT_PREFIX = "CHAT#"
CONSENT_PREFIX = "CONSENT#"
SCHEDULED_PREFIX = "LATER#"
DIARY = "DIARY"
FEED = "FEED"
BOOK = "BOOK"


def tenant_pk(tenant_id: str) -> str:
    return f"T#{tenant_id}"


def profile_key(tenant_id: str) -> Key:
    return tenant_pk(tenant_id), PROFILE


def chat_key(tenant_id: str, conversation_id: str) -> Key:
    return tenant_pk(tenant_id), f"{CHAT_PREFIX}{conversation_id}"


def alias_key(tenant_id: str, jid: str) -> Key:
    return f"T#{tenant_id}#ALIAS#{jid}", ALIAS


def contacts_pk(tenant_id: str) -> str:
    return f"T#{tenant_id}#CONTACTS"


def book_key(tenant_id: str) -> Key:
    return contacts_pk(tenant_id), BOOK


def contact_key(tenant_id: str, jid: str) -> Key:
    return contacts_pk(tenant_id), f"CONTACT#{jid}"


def contact_alias_key(tenant_id: str, jid: str) -> Key:
    return contacts_pk(tenant_id), f"{ALIAS}#{jid}"


def conversation_pk(tenant_id: str, conversation_id: str) -> str:
    return f"T#{tenant_id}#C#{conversation_id}"


def calendar_pk(tenant_id: str, day: str) -> str:
    """`day` is `yyyy-mm-dd` in UTC."""
    return f"T#{tenant_id}#CAL#{day}"


def diary_pk(tenant_id: str) -> str:
    return f"T#{tenant_id}#{DIARY}"


def feed_key(tenant_id: str) -> Key:
    return tenant_pk(tenant_id), FEED


def parse_conversation_pk(pk: str) -> tuple[TenantId, ConversationId]:
    """(tenant id, conversation id) of a key made by `conversation_pk`; neither can hold a `#`."""
    _, tenant_id, _, conversation_id = pk.split("#")
    return TenantId(tenant_id), ConversationId(conversation_id)


def message_sk(seq: int) -> str:
    return f"{MESSAGE_PREFIX}{seq:012d}"


def id_sk(message_id: str) -> str:
    return f"{ID_PREFIX}{message_id}"


def turn_sk(hi: int) -> str:
    return f"{TURN_PREFIX}{hi:012d}"


def consent_sk(seq: int) -> str:
    return f"{CONSENT_PREFIX}{seq:012d}"


def outbox_sk(hi: int, part: int) -> str:
    return f"{OUTBOX_PREFIX}{hi:012d}#{part:03d}"


def parse_outbox_sk(sk: str) -> tuple[int, int]:
    """(hi, part) of a key made by `outbox_sk`."""
    _, hi, part = sk.split("#")
    return int(hi), int(part)


def booking_sk(booking_id: str) -> str:
    return f"{BOOKING_PREFIX}{booking_id}"


def slot_sk(resource: str, time_of_day: str) -> str:
    """`time_of_day` is `hh:mm` in UTC."""
    return f"{SLOT_PREFIX}{resource}#{time_of_day}"


def diary_sk(start_ms: int, booking_id: str) -> str:
    return f"{start_ms:015d}#{booking_id}"


def scheduled_sk(name: str) -> str:
    return f"{SCHEDULED_PREFIX}{name}"
