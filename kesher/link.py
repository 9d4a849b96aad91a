"""`kesher link`: link a business's phone, here or in a deployment, with nothing but the tables in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException
from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from functions.shared import clock, sessions
from functions.shared.contracts import SessionRecord, TenantId
from functions.shared.settings import SettingsError
from kesher.link_state import Ended, Linked, Offered, Standing, Waiting, phone_of, standing, unlinking
from kesher.linking_screen import scan_screen, type_screen, warned
from kesher.target import TargetError, aim

_LOOK_SECONDS = 1.0


def run_link(
    console: Console, state: Path, *, stack: str | None, tenant: TenantId, phone: str | None, minutes: float,
    confirmed: bool, restart: bool,
) -> int:  # fmt: skip
    """Link the number, or (`restart`) give a linked one a new socket; the exit status."""

    def work() -> int:
        record = sessions.load_session(tenant)
        if record is not None and record.desired == "linked" and record.state == "connected" and not restart:
            console.print(f"{tenant} is linked already: {_number(record)}. `kesher link --unlink` comes first.")
            return 0
        if not warned(console, confirmed=confirmed or restart):
            return 2
        return _link(console, tenant, phone, minutes, previous=record)

    return _on(console, state, stack, work)


def run_unlink(console: Console, state: Path, *, stack: str | None, tenant: TenantId) -> int:
    """Unlink the number; the exit status."""

    def work() -> int:
        if sessions.load_session(tenant) is None:
            console.print(f"{tenant} was never linked.")
            return 0
        sessions.set_desired(tenant, "unlinked")
        asked = clock.now_ms()
        end = _follow(
            console, lambda: unlinking(sessions.load_session(tenant), asked_ms=asked, now_ms=clock.now_ms()), None
        )
        record = sessions.load_session(tenant)
        return _say_end(console, end, well=record is not None and record.state == "logged_out")

    return _on(console, state, stack, work)


def run_status(console: Console, state: Path, *, stack: str | None, tenant: TenantId) -> int:
    """Say how the session is; the exit status is 0 if it is connected."""

    def work() -> int:
        record = sessions.load_session(tenant)
        if record is None or record.state is None:
            console.print(f"{tenant}: no number was ever linked. `kesher link` does it.")
            return 1
        since = datetime.fromtimestamp((record.updated_at or 0) / 1000, UTC).astimezone()
        console.print(f"{tenant}: {record.state} since {since:%Y-%m-%d %H:%M:%S}, {_number(record)}", highlight=False)
        if record.reason is not None:
            console.print(escape(record.reason), soft_wrap=True, highlight=False)
        return 0 if record.state == "connected" else 1

    return _on(console, state, stack, work)


def _link(
    console: Console, tenant: TenantId, phone: str | None, minutes: float, *, previous: SessionRecord | None
) -> int:
    until = clock.now_ms() + int(minutes * 60_000)
    asked = clock.now_ms()
    generation = sessions.ask_for_link(tenant, phone=phone, phone_until_ms=until)

    def look() -> Standing:
        record, pairing = sessions.load_session(tenant), sessions.load_pairing(tenant)
        return standing(record, pairing, generation=generation, asked_ms=asked, now_ms=clock.now_ms())

    end: Standing | None = None
    try:
        end = _follow(console, look, until)
    except KeyboardInterrupt:
        console.print("Ended; nothing was linked.")
        return 1
    finally:
        # Nobody looks any more: no code may ring on the phone, and a number that nobody links needs no socket.
        if not isinstance(end, Linked):
            sessions.withdraw_link(tenant, "stopped" if previous is None else previous.desired)
    if isinstance(end, Linked):
        console.print(f"[green]✓[/] {tenant} is linked{'' if end.phone is None else f': +{end.phone}'}.")
        _warn_of_a_second(console, tenant)
        return 0
    return _say_end(console, end, well=False)


def _warn_of_a_second(console: Console, tenant: TenantId) -> None:
    record = sessions.load_session(tenant)
    if record is None or record.phone_jid is None:
        return
    others = [other for other in sessions.businesses_of(record.phone_jid) if other != tenant]
    if others:
        console.print(
            f"[yellow]This number is linked for {', '.join(others)} as well:[/] each customer would get two answers. "
            f"Unlink one: kesher link --unlink --tenant {others[0]}",
            soft_wrap=True,
            highlight=False,
        )


def _follow(console: Console, look: Callable[[], Standing], until_ms: int | None) -> Standing:
    """Show where it stands until it is over; a Waiting or Offered if `until_ms` comes first."""
    screen = _Screen(console)
    with screen:
        while True:
            now = look()
            screen.show(now)
            if isinstance(now, Linked | Ended) or (until_ms is not None and clock.now_ms() > until_ms):
                return now
            time.sleep(_LOOK_SECONDS)


class _Screen:
    """On a terminal one picture that changes, elsewhere a line or a code whenever there is a new one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        self._said: object = None

    def __enter__(self) -> None:
        if self._live is not None:
            self._live.start()

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, now: Standing) -> None:
        if isinstance(now, Linked | Ended):
            return
        picture = _picture(now)
        if self._live is not None:
            self._live.update(picture, refresh=True)
            return
        said: object = now.note if isinstance(now, Waiting) else (now.pairing.qr, now.pairing.code)
        if said != self._said:
            self._console.print(picture, soft_wrap=True, highlight=False)
            self._said = said


def _picture(now: Waiting | Offered) -> RenderableType:
    if isinstance(now, Waiting):
        return Text(f"… {now.note}", style="dim")
    pairing = now.pairing
    if pairing.code is not None:
        return type_screen(pairing.code, pairing.phone or "", now.seconds)
    return scan_screen(pairing.qr or "", now.seconds)


def _say_end(console: Console, end: Standing, *, well: bool) -> int:
    reason = end.reason if isinstance(end, Ended) else "The time is up and no phone was linked. Try again: kesher link"
    mark = "[green]✓[/]" if well else "[red]✗[/]"
    console.print(f"{mark} {escape(reason)}", soft_wrap=True, highlight=False)
    return 0 if well else 1


def _number(record: SessionRecord) -> str:
    phone = phone_of(record)
    return "no number" if phone is None else f"+{phone}"


def _on(console: Console, state: Path, stack: str | None, work: Callable[[], int]) -> int:
    """Point this process at the deployment, work on it, and say what went wrong."""
    try:
        console.print(f"[dim]{escape(aim(stack, state))}[/]", soft_wrap=True, highlight=False)
        return work()
    except (TargetError, SettingsError) as error:
        console.print(f"[red]{escape(str(error))}[/]", soft_wrap=True, highlight=False)
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        console.print(f"[red]AWS did not answer as hoped:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
    return 1
