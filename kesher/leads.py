"""What `kesher lead` does, on the deployment that this process points at. Raises what the stores raise."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from functions.shared import clock, leads
from functions.shared.chats import family, list_chats
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import Snapshot, load_conversation
from functions.shared.leads import Interest, Lead, LeadChange, Stage
from functions.shared.profile import BusinessProfile
from functions.shared.transactions import ContentionError, RefusedError, transact
from kesher.chats import profile_of, when

ATTEMPTS = 5
"""The assistant may note something at this moment."""


def show_all(console: Console, tenant: str, *, stage: Stage | None, tag: str | None, phones: bool) -> None:
    """All leads, the hot ones first."""
    profile, now_ms = profile_of(tenant), clock.now_ms()
    table = Table("chat", "customer", "stage", "next step", "tags", "last contact", box=None, pad_edge=False)
    for snapshot, lead, last_contact in _by_stage(_leads(profile, now_ms)):
        if (stage and lead.stage != stage) or (tag and tag.casefold() not in map(str.casefold, lead.tags)):
            continue
        table.add_row(
            snapshot.conversation_id,
            escape(_who(snapshot, whole=phones)),
            lead.stage,
            escape(lead.next_step or ""),
            escape(", ".join(lead.tags)),
            when(last_contact, profile),
            style="bold" if lead.stage == "hot" else None,
        )
    console.print(table)


def show(console: Console, tenant: str, chat: str, *, phones: bool) -> None:
    """One lead with all its notes."""
    profile = profile_of(tenant)
    snapshot = _read(profile.tenant_id, chat)
    _print(console, snapshot, leads.settled(snapshot.lead, clock.now_ms()), profile, whole=phones)


def change(
    console: Console,
    tenant: str,
    chat: str,
    *,
    interest: Interest | None,
    note: str | None,
    tags: list[str],
    untag: list[str],
    next_step: str | None,
    source: str | None,
) -> None:
    """Change a lead, whoever else does."""

    def changed(lead: Lead, now_ms: int) -> Lead:
        if interest is not None:
            lead = leads.interested(lead, interest)
        if note:
            lead = leads.noted(lead, note, now_ms)
        lead = leads.tagged(lead, tags, untag)
        if next_step is not None:
            lead = leads.planned(lead, next_step)
        return leads.from_source(lead, source) if source else lead

    profile = profile_of(tenant)
    snapshot, lead = _changed(profile.tenant_id, chat, changed)
    _print(console, snapshot, lead, profile, whole=False)


def _changed(tenant_id: TenantId, chat: str, changed: Callable[[Lead, int], Lead]) -> tuple[Snapshot, Lead]:
    now_ms = clock.now_ms()
    for _ in range(ATTEMPTS):
        snapshot = _read(tenant_id, chat)
        lead = changed(leads.settled(snapshot.lead, now_ms), now_ms)
        try:
            transact(LeadChange(tenant_id, snapshot.conversation_id, lead).write)
        except RefusedError:
            continue
        return snapshot, lead
    raise ContentionError("somebody else changes this lead at this moment; try again")


def _leads(profile: BusinessProfile, now_ms: int) -> list[tuple[Snapshot, Lead, int | None]]:
    found = []
    for chat in list_chats(profile.tenant_id, now_ms=now_ms):
        snapshot = load_conversation(profile.tenant_id, chat.conversation_id)
        if not snapshot.is_owner:
            found.append((snapshot, leads.settled(snapshot.lead, now_ms), chat.last_contact))
    return found


def _by_stage(found: list[tuple[Snapshot, Lead, int | None]]) -> list[tuple[Snapshot, Lead, int | None]]:
    order: tuple[Stage, ...] = ("hot", "new", "engaged", "booked", "customer", "lost")
    return sorted(found, key=lambda one: (order.index(one[1].stage), -(one[2] or 0)))


def _read(tenant_id: TenantId, chat: str) -> Snapshot:
    """Followed to where the conversation was merged into."""
    root, *_ = family(tenant_id, ConversationId(chat))
    return load_conversation(tenant_id, root)


def _print(console: Console, snapshot: Snapshot, lead: Lead, profile: BusinessProfile, *, whole: bool) -> None:
    console.print(f"{escape(_who(snapshot, whole=whole))}: [bold]{lead.stage}[/], from {escape(lead.source)}")
    if lead.visit_at is not None:
        console.print(f"Booked until {when(lead.visit_at, profile)}")
    if lead.customer_since is not None:
        console.print(f"Customer since {when(lead.customer_since, profile)}")
    if lead.next_step:
        console.print(f"Next: {escape(lead.next_step)}")
    if lead.tags:
        console.print(f"Tags: {escape(', '.join(lead.tags))}")
    for note in lead.notes:
        console.print(f"{when(note.at, profile)}  {escape(note.text)}", soft_wrap=True, highlight=False)


def _who(snapshot: Snapshot, *, whole: bool) -> str:
    phone = snapshot.customer_phone
    shown = phone and (phone if whole else f"***{phone[-2:]}")
    return " ".join(part for part in (snapshot.customer_name, shown) if part) or "unknown"
