"""The simulated WhatsApp: its process, and a client of its control API (`simulator/README.md`)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from functions.shared.contracts import Wire
from kesher.local.gateway import WhatsApp
from kesher.local.processes import ManagedProcess

MAIN = Path(__file__).resolve().parents[2] / "simulator" / "dist" / "main.js"


class SimulatorError(Exception):
    """The control API refused a request; the text is its reason."""


class PhoneMessage(Wire):
    """A message as it stands on a customer's screen. `at` is in Unix milliseconds."""

    id: str
    text: str | None
    at: int


class Typing(Wire):
    """ "Typing ..." as the customer's phone was told of it: `composing` or `paused`."""

    state: str


class Inbox(Wire):
    """What a customer's phone holds. `copies` counts the stanzas that arrived with each message id."""

    typing: tuple[Typing, ...] = ()
    messages: tuple[PhoneMessage, ...]
    next: int
    """What to ask with as `after` for what comes later."""
    copies: dict[str, int]
    undecryptable: int


class SimulatorClient:
    """Create businesses and customers, and write as them.

    Phones are digits without a plus, for example `972501234567`.
    """

    def __init__(self, control_url: str) -> None:
        self._url = control_url
        self._http = requests.Session()
        self._http.trust_env = False  # never through a proxy: it listens on 127.0.0.1

    def add_business(self, phone: str, name: str) -> None:
        self._call("POST", "/businesses", {"phone": phone, "name": name})

    def scan(self, phone: str, qr: str) -> None:
        """Link the device that shows `qr` to the business's phone."""
        self._call("POST", f"/businesses/{phone}/scan", {"qr": qr})

    def enter_code(self, phone: str, code: str) -> None:
        """Type the pairing code that a device shows on the business's phone."""
        self._call("POST", f"/businesses/{phone}/enter-code", {"code": code})

    def owner_says(self, phone: str, customer: str, text: str) -> None:
        """The owner answers `customer` on the business's own phone."""
        self._call("POST", f"/businesses/{phone}/say", {"customer": customer, "text": text})

    def save_contact(self, phone: str, customer: str, name: str) -> None:
        """The owner saves `customer` in the address book of the business's phone, or renames them."""
        self._call("PUT", f"/businesses/{phone}/contacts", {"customer": customer, "name": name})

    def remove_contact(self, phone: str, customer: str) -> None:
        self._call("DELETE", f"/businesses/{phone}/contacts", {"customer": customer})

    def disconnect(self, phone: str, how: str) -> None:
        """End the linked device's connection: `tcp`, `close`, `515`, `replaced`, `removed`, ..."""
        self._call("POST", f"/businesses/{phone}/disconnect", {"how": how})

    def add_customer(
        self, phone: str, name: str, *, addressing: str = "lid", reads: bool = False, lid: str | None = None
    ) -> None:
        """`addressing`: whether the customer's messages come by `lid` or by `phone`."""
        body: dict[str, object] = {"phone": phone, "name": name, "addressing": addressing, "sendsReadReceipts": reads}
        self._call("POST", "/customers", body if lid is None else {**body, "lid": lid})

    def change_customer(self, phone: str, **settings: object) -> None:
        """Change settings of a customer, for example `offline=True`."""
        self._call("PATCH", f"/customers/{phone}", {_camel(name): value for name, value in settings.items()})

    def say(self, customer: str, business: str, text: str, **more: object) -> str:
        """`customer` writes to `business`; returns the message's id. `more`: `group`, `addressing`, ..."""
        return str(self._call("POST", f"/customers/{customer}/say", {"business": business, "text": text, **more})["id"])

    def send(self, customer: str, business: str, content: Mapping[str, object], **more: object) -> str:
        """`customer` sends any content of the control API, for example `{"kind": "image"}`; returns its id."""
        body = {"business": business, "content": content, **{_camel(name): value for name, value in more.items()}}
        return str(self._call("POST", f"/customers/{customer}/send", body)["id"])

    def inbox(self, customer: str, *, after: int = 0, wait_seconds: float = 0) -> Inbox:
        """The messages on the customer's phone from number `after` on; waits for one if there is none yet."""
        path = f"/customers/{customer}/inbox?after={after}&waitMs={int(wait_seconds * 1000)}"
        return Inbox.model_validate(self._call("GET", path, timeout=wait_seconds + 15))

    def faults(self, **faults: object) -> None:
        """Switch faults on, for example `drop_acks=True`; the others stay as they are."""
        self._call("PATCH", "/faults", {_camel(name): value for name, value in faults.items()})

    def no_faults(self) -> None:
        self._call("DELETE", "/faults")

    def _call(self, method: str, path: str, body: object = None, timeout: float = 15) -> dict[str, object]:
        answer = self._http.request(method, self._url + path, json=body, timeout=timeout)
        if not answer.ok:
            raise SimulatorError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return dict(answer.json()) if answer.content else {}


class Simulator:
    """The simulator's process. `whatsapp` is what a gateway needs to speak to it, `client` its control API."""

    def __init__(self, *, log: Path) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.process = ManagedProcess("The WhatsApp simulator", ["node", MAIN], log=log, env=environment)

    def start(self) -> Self:
        self.process.start()
        line = self.process.wait_for_line(r'^\{"controlUrl".*\}$').group(0)
        ready = json.loads(line)
        self.whatsapp = WhatsApp(url=ready["waUrl"], trust_root=ready["trustRoot"], media_url=ready["mediaUrl"])
        self.client = SimulatorClient(ready["controlUrl"])
        return self

    def stop(self) -> None:
        self.process.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
