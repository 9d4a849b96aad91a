"""The calendar's tools: what a model may do with appointments. The rules are in `booking.py` and `free_times.py`."""

from __future__ import annotations

from agents import FunctionTool, RunContextWrapper, function_tool

from functions.agent.calendar import booking, free_times
from functions.agent.context import ToolContext
from functions.agent.tools.failures import tell_model


def _has_services(run: RunContextWrapper[ToolContext], _agent: object) -> bool:
    return bool(run.context.profile.services)


@function_tool(failure_error_function=tell_model, is_enabled=_has_services)
def find_free_slots(run: RunContextWrapper[ToolContext], day: str | None, service: str) -> str:
    """Free times for a service. Never offer a time that this tool did not return.

    Args:
        day: A local date such as 2026-11-24, or null for the next days that have free times.
        service: The service's id.
    """
    return free_times.find_free(run.context, day, service).model_dump_json()


@function_tool(failure_error_function=tell_model, is_enabled=_has_services)
def book_appointment(run: RunContextWrapper[ToolContext], start: str, service: str, additional: bool = False) -> str:
    """Book an appointment for this customer. It is booked only if the outcome is `booked`; then say `spoken` back.

    Args:
        start: Local date and time such as 2026-11-24T10:00.
        service: The service's id.
        additional: True only for one more appointment at a time at which the customer has one already: for a second
            person.
    """
    return booking.book(run.context, start, service, additional=additional).model_dump_json()


@function_tool(failure_error_function=tell_model, is_enabled=_has_services)
def move_appointment(
    run: RunContextWrapper[ToolContext], booking_id: str, start: str, service: str | None = None
) -> str:
    """Move one of this customer's appointments. It has moved only if the outcome is `moved`; then say `spoken` back.

    Args:
        booking_id: An id that list_appointments returned.
        start: The new local date and time such as 2026-11-24T10:00.
        service: The id of another service, or null to keep the one it is.
    """
    return booking.move(run.context, booking_id, start, service).model_dump_json()


@function_tool(failure_error_function=tell_model, is_enabled=_has_services)
def cancel_appointment(run: RunContextWrapper[ToolContext], booking_id: str) -> str:
    """Cancel one of this customer's appointments.

    Args:
        booking_id: An id that list_appointments returned.
    """
    return booking.cancel(run.context, booking_id).model_dump_json()


@function_tool(failure_error_function=tell_model, is_enabled=_has_services)
def list_appointments(run: RunContextWrapper[ToolContext]) -> str:
    """This customer's coming appointments."""
    return booking.listed(run.context).model_dump_json()


TOOLS: tuple[FunctionTool, ...] = (
    find_free_slots,
    book_appointment,
    move_appointment,
    cancel_appointment,
    list_appointments,
)
"""Made once for the process: building a tool's schema costs about a millisecond."""
