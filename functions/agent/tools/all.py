"""Every tool there is, made once for the process: building a tool's schema costs about a millisecond."""

from __future__ import annotations

from agents import FunctionTool

from functions.agent.tools import calendar, customer, knowledge, leads, whatsapp
from functions.agent.tools.routed import by_intent

TOOLS: tuple[FunctionTool, ...] = by_intent(
    (*calendar.TOOLS, *knowledge.TOOLS, *customer.TOOLS, *leads.TOOLS, *whatsapp.TOOLS)
)
