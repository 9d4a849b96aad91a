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


@app.command("eval")
def evaluate(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files, or folders of them.", show_default="evals")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A model's name; without one, the rule-based stand-in answers.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Its server, if it is not OpenAI's; OPENAI_API_KEY is the key of either.")
    ] = None,
    *,
    repeat: Annotated[
        int | None, typer.Option(min=1, help="How often each is played; 3 with a model, else 1.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for a program.")] = False,
    state: StateOption = STATE,
) -> None:
    """Play scenarios through the real turn, tools and tables, and judge what comes of them.

    A scenario says what customers and owner write and what must follow: answers, tool calls, appointments, hand-overs.
    docs/evals.md describes the files. Ends with 1 if a scenario failed, with 2 if a file is wrong.
    """
    from kesher.evaluation.command import run_eval  # noqa: PLC0415 - as above

    raise typer.Exit(
        run_eval(
            Console(),
            state,
            paths or [Path("evals")],
            model=model,
            base_url=base_url,
            repeat=repeat,
            as_json=as_json,
        )
    )
