"""`kesher`: the command line."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kesher import business
from kesher.chat import app as chat_app

app = typer.Typer(
    name="kesher",
    help="A WhatsApp assistant for small businesses that runs in your own AWS account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(chat_app, name="chat")
app.add_typer(business.app, name="business")

STATE = Path(".kesher")

StateOption = Annotated[Path, typer.Option("--state", help="Folder for logs and state.", file_okay=False)]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kesher {version('kesher')}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    state: StateOption = STATE,
    chat: Annotated[
        bool | None,
        typer.Option("--chat/--no-chat", help="Stay up and let you type as the customer (default: on a terminal)."),
    ] = None,
) -> None:
    """A simulated customer writes, the whole pipeline answers.

    Starts a local AWS, deploys the CDK app into it, links the real Baileys to a simulated WhatsApp, and plays a
    conversation in English and in Hebrew. Everything it starts ends with it. Set OPENAI_API_KEY, or OPENAI_BASE_URL
    and OPENAI_MODEL, to let a real model answer.
    """
    from kesher.demo.run import run_demo  # noqa: PLC0415 - `kesher --help` must not load AWS

    raise typer.Exit(run_demo(Console(), state, chat=chat))


@app.command()
def up(
    state: StateOption = STATE,
    tenant: Annotated[str, typer.Option(help="Id of the business.")] = "business_1",
    yes: Annotated[bool, typer.Option("--yes", help="You have read the warning about unofficial clients.")] = False,
) -> None:
    """The whole pipeline on this machine, linked to your real WhatsApp by a QR code.

    For development. The session, the conversations and the appointments stay in the state folder and are there
    again the next time.
    """
    from kesher.up import run_up  # noqa: PLC0415 - as above

    raise typer.Exit(run_up(Console(), state, tenant=tenant, confirmed=yes))
