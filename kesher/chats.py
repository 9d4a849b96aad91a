"""What `kesher chat` does, on the deployment that this process points at. Raises what the stores raise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from functions.shared import clock, queues, takeover
from functions.shared.chats import Overview, list_chats, load_chat
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import ConversationNotFoundError, PastTurn, load_history, load_messages
from functions.shared.observability import masked
from functions.shared.profile import BusinessProfile, load_profile
from functions.shared.say import say as say_to
from kesher.audit import entry
from kesher.direction import isolated
from kesher.transcript import Line, transcript

SHOWN_MESSAGES = 50
SHOWN_TURNS = 100


def show_all(console: Console, tenant: str, *, phones: bool) -> None:
    """All conversations, those that need a person first."""
    now_ms = clock.now_ms()
    profile = profile_of(tenant)
    table = Table("chat", "customer", "last contact", "waiting", "assistant", "needs you", box=None, pad_edge=False)
    for chat in list_chats(profile.tenant_id, now_ms=now_ms):
        table.add_row(
            chat.conversation_id,
            escape(customer_of(chat, whole=phones)),
            when(chat.last_contact, profile),
            str(chat.waiting or ""),
            assistant_in(chat, profile, now_ms),
            escape(chat.needs_attention or ""),
            style="bold" if chat.needs_attention else None,
        )
    if not profile.ai_enabled:
        console.print("The assistant is off for the whole business: `kesher chat on` switches it on.")
    if table.row_count:
        console.print(table)
    else:
        console.print(f"Nobody has written to {escape(profile.name)} yet.")


def show(console: Console, tenant: str, chat: str, *, phones: bool, turns: bool = False) -> None:
    """The newest messages, and who handled each of them; or, if `turns`, what the assistant did and why."""
    profile, now_ms = profile_of(tenant), clock.now_ms()
    found = load_chat(profile.tenant_id, ConversationId(chat), now_ms=now_ms)
    one = found.conversation_id
    console.print(f"{escape(customer_of(found, whole=phones))}; assistant {assistant_in(found, profile, now_ms)}")
    if found.needs_attention:
        console.print(f"[bold]Needs you:[/] {escape(found.needs_attention)}")
    past = load_history(profile.tenant_id, one, SHOWN_TURNS)
    if turns:
        _show_turns(console, past, profile)
        return
    first = max(1, found.last_seq - SHOWN_MESSAGES + 1)
    messages = load_messages(profile.tenant_id, one, first, found.last_seq)
    table = Table("when", "who", "said", "handled by", box=None, pad_edge=False)
    for line in transcript(messages, past):
        table.add_row(when(line.at, profile), _who(line), said(line), escape(line.handled_by))
    console.print(table)


def _show_turns(console: Console, past: Sequence[PastTurn], profile: BusinessProfile) -> None:
    if not past:
        console.print("The assistant has handled nothing in this chat yet.")
    for one in map(entry, past):
        console.print(f"[bold]{when(one.at, profile)}[/] {escape(one.headline)}", soft_wrap=True, highlight=False)
        for line in one.lines:
            console.print(f"  {escape(line)}", soft_wrap=True, highlight=False)


def pause(console: Console, tenant: str, chat: str, minutes: int | None) -> None:
    """Silence the assistant in one chat for a while."""
    profile = profile_of(tenant)
    until = clock.now_ms() + (minutes or profile.takeover_pause_minutes or 30) * 60_000
    takeover.pause(profile.tenant_id, ConversationId(chat), until=until, ring=queues.ring_again)
    console.print(f"The assistant is silent in this chat until {when(until, profile)}.")


def resume(console: Console, tenant: str, chat: str) -> None:
    """End a pause."""
    _give_back(console, tenant, chat, takeover.resume)


def off(console: Console, tenant: str, chat: str | None) -> None:
    """Switch the assistant off, in one chat or for the whole business."""
    if chat is None:
        takeover.switch_business_off(TenantId(tenant))
        console.print(f"The assistant of {tenant} is off. What it had not sent yet will not go out.")
    else:
        takeover.switch_off(TenantId(tenant), ConversationId(chat), now_ms=clock.now_ms(), ring=queues.ring_again)
        console.print("The assistant is off in this chat.")


def on(console: Console, tenant: str, chat: str | None) -> None:
    """Switch the assistant on again, in one chat or for the whole business."""
    if chat is not None:
        _give_back(console, tenant, chat, takeover.switch_on)
        return
    waited = takeover.switch_business_on(TenantId(tenant), now_ms=clock.now_ms(), ring=queues.ring_again)
    console.print(f"The assistant of {tenant} is on; customers were waiting in {waited} chats.")


def say(console: Console, tenant: str, chat: str, text: str) -> None:
    """Answer a customer in the business's name."""
    profile = profile_of(tenant)
    minutes = profile.takeover_pause_minutes
    say_to(
        profile.tenant_id,
        ConversationId(chat),
        text,
        pause_minutes=minutes,
        now_ms=clock.now_ms(),
        ring=queues.ring_again,
    )
    console.print(f"It is on its way. The assistant is silent in this chat for {minutes} minutes.")


def _give_back(console: Console, tenant: str, chat: str, give: Callable[..., bool]) -> None:
    tenant_id, conversation_id, now_ms = TenantId(tenant), ConversationId(chat), clock.now_ms()
    may_speak = give(tenant_id, conversation_id, now_ms=now_ms, ring=queues.ring_again)
    found = load_chat(tenant_id, conversation_id, now_ms=now_ms)
    if found.opted_out_at is not None:
        console.print("The pause is over, but the assistant stays silent in this chat: the customer opted out.")
    elif found.left_to_owner:
        console.print("The pause is over, but the assistant leaves this chat to you: the customer is a saved contact.")
    elif may_speak:
        console.print("The assistant answers in this chat again.")
    else:
        console.print("The pause is over, but the assistant is off for this chat or for the business: see `on`.")


def profile_of(tenant: str) -> BusinessProfile:
    """Raises ConversationNotFoundError."""
    profile = load_profile(TenantId(tenant))
    if profile is None:
        raise ConversationNotFoundError(f"there is no business {tenant}")
    return profile


# ---- words ------------------------------------------------------------------------------------------------------


def customer_of(chat: Overview, *, whole: bool) -> str:
    """Name and phone; the phone masked unless `whole`."""
    phone = chat.phone_jid and (f"+{chat.phone_jid.partition('@')[0]}" if whole else masked(chat.phone_jid))
    return " ".join(part for part in (chat.name, phone) if part) or "unknown"


def assistant_in(chat: Overview, profile: BusinessProfile, now_ms: int) -> str:
    """Whether the assistant answers in this chat."""
    if chat.opted_out_at is not None:
        return "opted out"
    if chat.left_to_owner:
        return "off (saved contact)"
    if chat.speaks_at is None:
        return "off" if not chat.ai_enabled else "off (business)"
    return "on" if chat.speaks_at <= now_ms else f"paused until {when(chat.speaks_at, profile)}"


def when(at: int | None, profile: BusinessProfile) -> str:
    """A moment in the business's own time."""
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(profile.zone):%d.%m. %H:%M}"


def said(line: Line) -> Text:
    """The words, and below them in a line of its own what they were, so that no direction meets another."""
    parts = [isolated(part) for part in line.text.split("\n") if part]
    if line.mark is not None:
        lines = [isolated(part) for part in line.original.split("\n")] if line.original else []
        was = (": ", Text("\n").join(lines)) if lines else ()
        parts.append(Text.assemble(f"({line.mark}", *was, ")", style="dim"))
    return Text("\n").join(parts)


def _who(line: Line) -> str:
    return {"customer": "customer", "owner": "a person", "automatic": "automatic text", "assistant": "assistant"}[
        line.who
    ]
