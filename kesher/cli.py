"""`kesher`: the command line."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kesher import business
from kesher.chat import app as chat_app
from kesher.journal import app as journal_app
from kesher.lead import app as lead_app

app = typer.Typer(
    name="kesher",
    help="A WhatsApp assistant for small businesses that runs in your own AWS account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(chat_app, name="chat")
app.add_typer(lead_app, name="lead")
app.add_typer(business.app, name="business")
app.add_typer(journal_app, name="journal")

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


@app.command()
def link(
    *,
    state: StateOption = STATE,
    stack: Annotated[
        str | None,
        typer.Option("--stack", help="Prefix of the stacks in AWS, usually Kesher.", envvar="KESHER_STACK"),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Id of the business.")] = "business_1",
    phone: Annotated[
        str | None,
        typer.Option(help="Show a code to type on this phone, as +972501234567, instead of a QR code to scan."),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, max=60, help="How long to offer it.")] = 10,
    status: Annotated[bool, typer.Option("--status", help="Say how the session is, and end.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Give a linked number a new connection.")] = False,
    unlink: Annotated[bool, typer.Option("--unlink", help="Unlink the number from its phone.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="You have read the warning about unofficial clients.")] = False,
) -> None:
    """Link a business's phone, by a QR code or a pairing code.

    Works on the running `kesher up`, or with --stack on what is deployed in AWS. It needs no way to the gateway's
    container: the code comes through the gateway's table, and so does the reason when linking fails.
    """
    from functions.shared.contracts import TenantId  # noqa: PLC0415 - as above
    from kesher.link import run_link, run_status, run_unlink  # noqa: PLC0415 - as above
    from kesher.link_state import PhoneNumberError, parse_phone  # noqa: PLC0415 - as above

    if sum([status, restart, unlink]) > 1:
        raise typer.BadParameter("give one of --status, --restart and --unlink")
    try:
        digits = None if phone is None else parse_phone(phone)
    except PhoneNumberError as error:
        raise typer.BadParameter(str(error), param_hint="--phone") from error
    console = Console()
    if status:
        raise typer.Exit(run_status(console, state, stack=stack, tenant=TenantId(tenant)))
    if unlink:
        raise typer.Exit(run_unlink(console, state, stack=stack, tenant=TenantId(tenant)))
    done = run_link(
        console, state, stack=stack, tenant=TenantId(tenant), phone=digits, minutes=minutes, confirmed=yes,
        restart=restart,
    )  # fmt: skip
    raise typer.Exit(done)
