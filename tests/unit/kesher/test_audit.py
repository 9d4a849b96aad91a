"""A turn, told to whoever asks why the assistant said that."""

from __future__ import annotations

from agents.testing import ScriptedModel, assistant_message, function_call

from kesher.audit import SHOWN, entry
from tests.unit.agent.support import Phone


def test_a_turn_is_told_with_its_messages_model_calls_and_cost() -> None:
    call = function_call("book_appointment", {"start": "2026-11-24T10:00", "service": "haircut"}, call_id="c1")
    phone = Phone(model=ScriptedModel([[call], [assistant_message("Booked.\nintent: booking")]]))
    phone.send("hello", "tuesday at ten")
    told = entry(phone.store.chat().turns[0])

    assert told.headline == "messages 1 to 2: answered, intent booking"
    text = "\n".join(told.lines)
    for part in (
        "model ScriptedModel, configuration 1, instructions ",
        "WhatsApp's ids: M1, M2",
        "told for this turn: Local time now: 2026-11-22T12:00",
        'book_appointment({"',
        '"}) -> {"outcome":"booked"',
        "2 requests, 0 of them repeated",
    ):
        assert part in text
    assert all(len(line) <= 2 * SHOWN + 100 for line in told.lines)
    assert text.count(" ms") >= 2, "the tool's time and the run's"


def test_a_turn_without_a_model_says_why() -> None:
    phone = Phone()
    phone.ring(phone.store.receive("let me talk to a person"))
    turn = phone.store.chat().turns[0]
    assert entry(turn).lines == (f"turn {turn.turn_id}",)
