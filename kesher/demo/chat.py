"""After the script: the person at the terminal writes as a customer."""

from __future__ import annotations

import threading

from rich.console import Console

from kesher.demo.view import show_message
from kesher.local.simulator import SimulatorClient

PHONE = "972541110003"
NAME = "You"
_POLL_SECONDS = 20.0


def chat_as_customer(console: Console, client: SimulatorClient, *, business: str, name: str) -> None:
    """Read lines and send them as a new customer's messages; print the answers as they come.

    Ends with Ctrl-C or Ctrl-D.
    """
    client.add_customer(PHONE, NAME, reads=True)
    console.print(
        "\nWrite as a customer, in Hebrew or English. Ctrl-C ends everything.\n"
        "Meanwhile `kesher chat list` in another terminal shows the chats as the owner sees them."
    )
    listener = threading.Thread(target=_print_answers, args=(console, client, name), daemon=True)
    listener.start()
    while True:
        try:
            text = console.input("").strip()
        except (EOFError, KeyboardInterrupt):
            console.print("\nEnding.")
            return
        if text:
            client.say(PHONE, business, text)


def _print_answers(console: Console, client: SimulatorClient, name: str) -> None:
    after = 0
    while True:
        try:
            inbox = client.inbox(PHONE, after=after, wait_seconds=_POLL_SECONDS)
        except OSError:  # the simulator has ended, and with it the chat
            return
        after = inbox.next
        for message in inbox.messages:
            show_message(console, name, message.text or "", "green")
