"""`kesher chat`: who is talking with whom, and giving the word to a person or back to the assistant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Conversations: look at them, and decide who answers.", no_args_is_help=True)

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
StateOption = Annotated[
    Path, typer.Option("--state", help="Folder in which `kesher up` or `kesher demo` runs.", file_okay=False)
]
STATE = Path(".kesher")
PhonesOption = Annotated[bool, typer.Option("--phones", help="Show whole phone numbers.")]


@contextmanager
def at_deployment(stack: str | None, state: Path) -> Iterator[Console]:
    """This process points at the deployment within it; what can go wrong is said to a person."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - `kesher --help` must not load AWS
    from pynamodb.exceptions import PynamoDBException  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    from functions.shared.conversation import ConversationNotFoundError  # noqa: PLC0415
    from functions.shared.say import NobodyToAnswerError  # noqa: PLC0415
    from functions.shared.transactions import ContentionError  # noqa: PLC0415
    from kesher.target import TargetError, aim  # noqa: PLC0415

    console = Console()
    try:
        aim(stack, state)
        yield console
    except (TargetError, ConversationNotFoundError, NobodyToAnswerError, ContentionError) as error:
        console.print(f"[red]{escape(str(error))}[/]", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from error
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        console.print(f"[red]AWS did not answer as hoped:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from error


@app.command("list")
def list_(
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
    phones: PhonesOption = False,
) -> None:
    """All conversations, those that need a person first."""
    with at_deployment(stack, state) as console:
        from kesher import chats  # noqa: PLC0415 - as above

        chats.show_all(console, tenant, phones=phones)


@app.command()
def show(
    chat: ChatArgument,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
    phones: PhonesOption = False,
    *,
    turns: Annotated[bool, typer.Option("--turns", help="What the assistant saw, did and used instead.")] = False,
) -> None:
    """The newest messages, and who handled each of them."""
    with at_deployment(stack, state) as console:
        from kesher import chats  # noqa: PLC0415 - as above

        chats.show(console, tenant, chat, phones=phones, turns=turns)


@app.command()
def pause(
    chat: ChatArgument,
    minutes: Annotated[int | None, typer.Option(min=1, help="For how long; otherwise as the profile says.")] = None,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
) -> None:
    """Silence the assistant in one chat for a while."""
    with at_deployment(stack, state) as console:
        from kesher import chats  # noqa: PLC0415 - as above

        chats.pause(console, tenant, chat, minutes)


@app.command()
def resume(
    chat: ChatArgument, tenant: TenantOption = "business_1", stack: StackOption = None, state: StateOption = STATE
) -> None:
    """End a pause: what is younger than 30 minutes is answered, what is older needs you."""
    with at_deployment(stack, state) as console:
        from kesher import chats  # noqa: PLC0415 - as above

        chats.resume(console, tenant, chat)


@app.command()
def off(
    chat: AnyChatArgument = None,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
) -> None:
    """Switch the assistant off, in one chat or for the whole business."""
    with at_deployment(stack, state) as console:
        from kesher import chats  # noqa: PLC0415 - as above

        chats.off(console, tenant, chat)


@app.command()
def on(
    chat: AnyChatArgument = None,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
) -> None:
    """Switch the assistant on again, in one chat or for the whole business."""
    with at_deployment(stack, state) as console:
        from kesher import chats  # noqa: PLC0415 - as above

        chats.on(console, tenant, chat)


@app.command()
def say(
    chat: ChatArgument,
    text: Annotated[str, typer.Argument(help="What the customer reads, in the business's name.")],
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
) -> None:
    """Answer a customer yourself. It takes over, like an answer by phone."""
    with at_deployment(stack, state) as console:
        from kesher import chats  # noqa: PLC0415 - as above

        chats.say(console, tenant, chat, text)
