"""`kesher journal`: events that the webhook refuses for good, and bringing them once more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from kesher.chat import STATE, StackOption, StateOption, TenantOption, at_deployment

app = typer.Typer(help="Events that the webhook refuses: look at them, bring them again.", no_args_is_help=True)

TENANT = "business_1"


@app.command("list")
def list_parked(tenant: TenantOption = TENANT, stack: StackOption = None, state: StateOption = STATE) -> None:
    """Show the refused events: when they came, when they were refused and why. Never what they say."""
    from rich.table import Table  # noqa: PLC0415 - `kesher --help` must be quick

    from functions.shared.contracts import TenantId  # noqa: PLC0415 - as above
    from functions.shared.parked import parked_rows  # noqa: PLC0415 - as above

    with at_deployment(stack, state) as console:
        table = Table("received", "refused", "message", "reason")
        for row in parked_rows(TenantId(tenant)):
            table.add_row(_time(row.received_at), _time(row.parked_at), row.message_id, row.reason)
        console.print(table if table.row_count else "The webhook has refused nothing.")


@app.command("redeliver")
def bring_again(
    message: Annotated[
        str | None, typer.Argument(help="Id of one message; without one, all of them.", show_default=False)
    ] = None,
    tenant: TenantOption = TENANT,
    stack: StackOption = None,
    state: StateOption = STATE,
) -> None:
    """Let the gateway bring refused events once more, for example after the webhook was mended."""
    from functions.shared.contracts import TenantId  # noqa: PLC0415 - as above
    from functions.shared.parked import parked_rows, redeliver  # noqa: PLC0415 - as above

    with at_deployment(stack, state) as console:
        one = TenantId(tenant)
        wanted = [row for row in parked_rows(one) if message in (None, row.message_id)]
        given_back = sum(redeliver(one, row) for row in wanted)
        console.print(f"{given_back} of {len(wanted)} will be brought within a minute.")
        if not wanted and message is not None:
            raise typer.Exit(1)


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"
