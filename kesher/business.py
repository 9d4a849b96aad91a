"""`kesher business`: the profile of a business as a YAML file, in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from functions.shared.profile import BusinessProfile

app = typer.Typer(
    help="What the assistant knows about a business: hours, services, prices, rules.", no_args_is_help=True
)

TenantOption = Annotated[str, typer.Option("--tenant", help="Id of the business.")]
StackOption = Annotated[
    str | None,
    typer.Option("--stack", help="Prefix of the deployed stacks, usually Kesher; uses your AWS credentials."),
]
StateOption = Annotated[
    Path, typer.Option("--state", help="Folder in which `kesher up` or `kesher demo` runs.", file_okay=False)
]
STATE = Path(".kesher")


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("business.yaml"),
    example: Annotated[Literal["barber", "clinic", "garage"], typer.Option(help="What to start from.")] = "barber",
    language: Annotated[Literal["he", "en"], typer.Option(help="Of texts and comments.")] = "he",
    tenant: TenantOption = "business_1",
) -> None:
    """Write a commented example to edit and apply."""
    from kesher import business_file  # noqa: PLC0415 - `kesher --help` must not load the libraries

    text = business_file.example(example, language, tenant)
    _parsed(text, str(file))
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        _fail(f"{file} exists already; name another file, or delete it first")
    except OSError as error:
        _fail(f"{file} cannot be written: {error.strerror}")
    typer.echo(f"Wrote {file}. Edit it, then: kesher business apply {file}")


@app.command()
def show(tenant: TenantOption = "business_1", stack: StackOption = None, state: StateOption = STATE) -> None:
    """Print the stored profile as YAML that `apply` takes."""
    from kesher import business_file  # noqa: PLC0415 - as above

    where = _use_target(state, stack)
    profile = _stored(tenant)
    if profile is None:
        _fail(f"{where} has no business {tenant}; `kesher business init` and `apply` make one")
    typer.echo(business_file.render(profile), nl=False)
    if words := _about_contacts(profile):
        typer.echo(f"# {words}")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="As `init` or `show` wrote it.", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    stack: StackOption = None,
    state: StateOption = STATE,
) -> None:
    """Store what a file says. The file gets the new version; one that is out of date is refused."""
    from functions.shared.profile import ProfileChangedError, save_profile  # noqa: PLC0415 - as above
    from kesher import business_file  # noqa: PLC0415

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _fail(f"{file} cannot be read as UTF-8 text: {error}")
    wanted = _parsed(text, str(file))
    console = Console()
    where = _use_target(state, stack)
    stored = _stored(wanted.tenant_id)
    changes = business_file.changes(stored, wanted)
    for line in changes:
        colour = {"+": "green", "-": "red"}.get(line[0], "dim")
        console.print(f"[{colour}]{escape(line)}[/]", soft_wrap=True, highlight=False)
    at = stored.config_version if stored else 0
    if wanted.config_version != at:
        _fail(_stale(file, wanted, at))
    if not changes:
        typer.echo(f"Nothing to change: {where} has this already, as version {at}.")
        return
    if dry_run:
        typer.echo(f"Nothing was stored. Without --dry-run it becomes version {at + 1} in {where}.")
        return
    try:
        saved = save_profile(wanted)
    except ProfileChangedError:
        _fail(f"{file}: somebody else stored a change in this moment; run it again")
    file.write_text(business_file.with_version(text, saved.config_version), encoding="utf-8")
    typer.echo(
        f"Stored {saved.tenant_id} as version {saved.config_version} in {where}. It holds from the next message on."
    )
    if words := _about_contacts(saved):
        typer.echo(words)


@app.command()
def feed(
    new: Annotated[bool, typer.Option("--new", help="Revoke the old address and make another.")] = False,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
) -> None:
    """Print the secret address of all appointments, for the calendar of the owner's phone.

    In the phone: subscribe to a calendar (iPhone: Settings, Calendar, Accounts, Add subscribed calendar; Google: Other
    calendars, From URL). Whoever has the address can read customers' names and phone numbers.
    """
    from functions.shared import clock, settings  # noqa: PLC0415 - as above
    from functions.shared.contracts import TenantId  # noqa: PLC0415
    from functions.shared.feed_token import feed_token, path_of  # noqa: PLC0415

    where = _use_target(state, stack)
    if _stored(tenant) is None:
        _fail(f"{where} has no business {tenant}; `kesher business init` and `apply` make one")
    try:
        base = settings.feed_url()
    except settings.SettingsError:
        _fail(
            "FEED_URL is not set: name the stack with --stack, or set it to the output FeedUrl of the pipeline's stack"
        )
    token = feed_token(TenantId(tenant), now_ms=clock.now_ms(), new=new)
    typer.echo(f"{base}{path_of(TenantId(tenant), token)}")


def _stale(file: Path, wanted: BusinessProfile, stored_version: int) -> str:
    if stored_version == 0:
        return (
            f"{file}: config_version is {wanted.config_version}, but no business {wanted.tenant_id} is stored here. "
            "Write `config_version: 0` to make a new one."
        )
    return (
        f"{file}: config_version is {wanted.config_version}, but version {stored_version} is stored: somebody changed "
        f"it since. Above is what the file would change. Put that into what `kesher business show --tenant "
        f"{wanted.tenant_id}` prints; or, if the file is to win, write `config_version: {stored_version}` into it."
    )


def _parsed(text: str, name: str) -> BusinessProfile:
    from kesher import business_file  # noqa: PLC0415 - as above

    try:
        return business_file.parse(text)
    except business_file.BusinessFileError as error:
        for problem in error.problems:
            typer.echo(f"{name}:{problem.line}: {problem.text}", err=True)
        count = len(error.problems)
        _fail(f"{count} {'thing' if count == 1 else 'things'} to correct; nothing was stored")


def _use_target(state: Path, stack: str | None) -> str:
    """Point this process at the table; what it is, for people."""
    from kesher.target import TargetError, aim  # noqa: PLC0415 - as above

    try:
        return aim(stack, state)
    except TargetError as error:
        _fail(str(error))


def _stored(tenant: str) -> BusinessProfile | None:
    from pynamodb.exceptions import PynamoDBException  # noqa: PLC0415 - as above

    from functions.shared.contracts import TenantId  # noqa: PLC0415
    from functions.shared.profile import load_profile  # noqa: PLC0415

    try:
        return load_profile(TenantId(tenant))
    except PynamoDBException as error:
        _fail(f"the table cannot be read: {error.cause or error}")


def _about_contacts(profile: BusinessProfile) -> str | None:
    """What the audience means at this moment, if it depends on the phone."""
    from datetime import UTC, datetime  # noqa: PLC0415 - as above

    from functions.shared.contacts import load_book  # noqa: PLC0415

    if profile.audience != "unsaved_contacts":
        return None
    book = load_book(profile.tenant_id)
    if book is None:
        return (
            "The phone's address book is not known yet: until it has come, unsaved_contacts means the same as "
            "new_chats. It comes by itself within a minute of linking a phone that has 25,000 contacts at most."
        )
    since = datetime.fromtimestamp(book.known_since / 1000, UTC).astimezone(profile.zone)
    return f"The assistant answers whom the phone's address book does not have (known since {since:%Y-%m-%d %H:%M})."


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(1)
