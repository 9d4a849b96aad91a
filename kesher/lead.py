"""`kesher lead`: who wants what, and how far they are."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from kesher.chat import STATE, ChatArgument, PhonesOption, StackOption, StateOption, TenantOption, at_deployment

app = typer.Typer(help="Leads: who wants what, how far they are, what to do next.", no_args_is_help=True)


@app.command("list")
def list_(  # noqa: PLR0917 - options of a command
    stage: Annotated[
        Literal["new", "engaged", "hot", "booked", "customer", "lost"] | None, typer.Option(help="Only of this stage.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
    phones: PhonesOption = False,
) -> None:
    """All leads, the hot ones first."""
    with at_deployment(stack, state) as console:
        from kesher import leads  # noqa: PLC0415 - `kesher --help` must not load AWS

        leads.show_all(console, tenant, stage=stage, tag=tag, phones=phones)


@app.command()
def show(
    chat: ChatArgument,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
    phones: PhonesOption = False,
) -> None:
    """One lead with all its notes."""
    with at_deployment(stack, state) as console:
        from kesher import leads  # noqa: PLC0415 - as above

        leads.show(console, tenant, chat, phones=phones)


@app.command("set")
def set_(  # noqa: PLR0917 - options of a command
    chat: ChatArgument,
    interest: Annotated[
        Literal["engaged", "hot", "lost"] | None,
        typer.Option(help="How interested they are; booked and customer are facts of the calendar."),
    ] = None,
    note: Annotated[str | None, typer.Option(help="One more note.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="One more tag; may be given several times.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="A tag to take away.")] = None,
    next_step: Annotated[str | None, typer.Option("--next", help="What to do next; empty for nothing.")] = None,
    source: Annotated[str | None, typer.Option(help="Where they come from.")] = None,
    tenant: TenantOption = "business_1",
    stack: StackOption = None,
    state: StateOption = STATE,
) -> None:
    """Change a lead. The assistant reads it in its next answer."""
    with at_deployment(stack, state) as console:
        from kesher import leads  # noqa: PLC0415 - as above

        leads.change(
            console,
            tenant,
            chat,
            interest=interest,
            note=note,
            tags=tag or [],
            untag=untag or [],
            next_step=next_step,
            source=source,
        )
