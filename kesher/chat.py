"""`kesher chat`: who is talking with whom, and giving the word to a person or back to the assistant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from functions.shared import clock, queues, takeover
from functions.shared.chats import Overview, list_chats, load_chat
from functions.shared.contracts import ConversationId, TenantId
from functions.shared.conversation import ConversationNotFoundError, load_history, load_messages
from functions.shared.observability import masked
from functions.shared.profile import BusinessProfile, load_profile
from functions.shared.say import NobodyToAnswerError
from functions.shared.say import say as say_to
from functions.shared.transactions import ContentionError
from kesher.target import TargetError, aim
from kesher.transcript import Line, transcript

app = typer.Typer(help="Conversations: look at them, and decide who answers.", no_args_is_help=True)

SHOWN_MESSAGES = 50
SHOWN_TURNS = 100

ChatArgument = Annotated[str, typer.Argument(help="Id of the conversation, as `kesher chat list` shows it.")]
AnyChatArgument = Annotated[
    str | None, typer.Argument(help="Id of the conversation; without one, the whole business.", show_default=False)
]
TenantOption = Annotated[str, typer.Option("--tenant", help="Id of the business.")]
StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack", help="Prefix of the stacks in AWS, usually Kesher.", show_default=False, envvar="KESHER_STACK"
    ),
]
PhonesOption = Annotated[bool, typer.Option("--phones", help="Show whole phone numbers.")]


@contextmanager
def _told() -> Iterator[Console]:
    """What can go wrong, said to a person."""
    console = Console()
    try:
        yield console
    except (TargetError, ConversationNotFoundError, NobodyToAnswerError, ContentionError) as error:
        console.print(f"[red]{escape(str(error))}[/]", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from error
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        console.print(f"[red]AWS did not answer as hoped:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from error


@app.command("list")
def list_(tenant: TenantOption = "business_1", stack: StackOption = None, phones: PhonesOption = False) -> None:
    """All conversations, those that need a person first."""
    with _told() as console:
        aim(stack)
        now_ms = clock.now_ms()
        profile = _profile(tenant)
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
        console.print(table)


@app.command()
def show(
    chat: ChatArgument, tenant: TenantOption = "business_1", stack: StackOption = None, phones: PhonesOption = False
) -> None:
    """The newest messages, and who handled each of them."""
    with _told() as console:
        aim(stack)
        profile, now_ms = _profile(tenant), clock.now_ms()
        found = load_chat(profile.tenant_id, ConversationId(chat), now_ms=now_ms)
        one = found.conversation_id
        console.print(f"{escape(customer_of(found, whole=phones))}; assistant {assistant_in(found, profile, now_ms)}")
        if found.needs_attention:
            console.print(f"[bold]Needs you:[/] {escape(found.needs_attention)}")
        first = max(1, found.last_seq - SHOWN_MESSAGES + 1)
        messages = load_messages(profile.tenant_id, one, first, found.last_seq)
        turns = load_history(profile.tenant_id, one, SHOWN_TURNS)
        table = Table("when", "who", "said", "handled by", box=None, pad_edge=False)
        for line in transcript(messages, turns):
            table.add_row(when(line.at, profile), _who(line), escape(line.text), escape(line.handled_by))
        console.print(table)


@app.command()
def pause(
    chat: ChatArgument,
    minutes: Annotated[int | None, typer.Option(min=1, help="For how long; otherwise as the profile says.")] = None,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
) -> None:
    """Silence the assistant in one chat for a while."""
    with _told() as console:
        aim(stack)
        profile = _profile(tenant)
        until = clock.now_ms() + (minutes or profile.takeover_pause_minutes or 30) * 60_000
        takeover.pause(profile.tenant_id, ConversationId(chat), until=until, ring=queues.ring_again)
        console.print(f"The assistant is silent in this chat until {when(until, profile)}.")


@app.command()
def resume(chat: ChatArgument, tenant: TenantOption = "business_1", stack: StackOption = None) -> None:
    """End a pause: what is younger than 30 minutes is answered, what is older needs you."""
    _give_back(chat, tenant, stack, takeover.resume)


@app.command()
def off(chat: AnyChatArgument = None, tenant: TenantOption = "business_1", stack: StackOption = None) -> None:
    """Switch the assistant off, in one chat or for the whole business."""
    with _told() as console:
        aim(stack)
        if chat is None:
            takeover.switch_business_off(TenantId(tenant))
            console.print(f"The assistant of {tenant} is off. What it had not sent yet will not go out.")
        else:
            takeover.switch_off(TenantId(tenant), ConversationId(chat), now_ms=clock.now_ms(), ring=queues.ring_again)
            console.print("The assistant is off in this chat.")


@app.command()
def on(chat: AnyChatArgument = None, tenant: TenantOption = "business_1", stack: StackOption = None) -> None:
    """Switch the assistant on again, in one chat or for the whole business."""
    if chat is not None:
        _give_back(chat, tenant, stack, takeover.switch_on)
        return
    with _told() as console:
        aim(stack)
        waited = takeover.switch_business_on(TenantId(tenant), now_ms=clock.now_ms(), ring=queues.ring_again)
        console.print(f"The assistant of {tenant} is on; customers were waiting in {waited} chats.")


@app.command()
def say(
    chat: ChatArgument,
    text: Annotated[str, typer.Argument(help="What the customer reads, in the business's name.")],
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
) -> None:
    """Answer a customer yourself. It takes over, like an answer by phone."""
    with _told() as console:
        aim(stack)
        profile = _profile(tenant)
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


def _give_back(chat: str, tenant: str, stack: str | None, give: Callable[..., bool]) -> None:
    with _told() as console:
        aim(stack)
        speaks = give(TenantId(tenant), ConversationId(chat), now_ms=clock.now_ms(), ring=queues.ring_again)
        if speaks:
            console.print("The assistant answers in this chat again.")
        else:
            console.print("The pause is over, but the assistant is off for this chat or for the business: see `on`.")


def _profile(tenant: str) -> BusinessProfile:
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
    if chat.speaks_at is None:
        return "off" if not chat.ai_enabled else "off (business)"
    return "on" if chat.speaks_at <= now_ms else f"paused until {when(chat.speaks_at, profile)}"


def when(at: int | None, profile: BusinessProfile) -> str:
    """A moment in the business's own time."""
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(profile.zone):%d.%m. %H:%M}"


def _who(line: Line) -> str:
    return {"customer": "customer", "owner": "a person", "automatic": "automatic text", "assistant": "assistant"}[
        line.who
    ]
