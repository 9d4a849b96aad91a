"""The tools for questions: what the business wrote about them, and a person for what it did not."""

from __future__ import annotations

from agents import FunctionTool, RunContextWrapper, function_tool

from functions.agent.context import ToolContext
from functions.agent.knowledge import search
from functions.agent.tools.failures import tell_model
from functions.agent.tools.results import NothingFound, PassedOn, Source, Sources
from functions.shared.bounded import shortened

MAX_QUESTION = 300


def look_up(context: ToolContext, query: str) -> Sources | NothingFound:
    """The business's own entries about `query`, in the customer's language if they are in it."""
    found = search.search(context.profile, query)
    context.staging.searched(shortened(" ".join(query.split()), MAX_QUESTION), found=bool(found))
    if not found:
        return NothingFound()
    said = (one.entry.said(context.language) for one in found)
    return Sources(entries=[Source(title=title, text=text) for title, text in said])


def _knows_something(run: RunContextWrapper[ToolContext], _agent: object) -> bool:
    return bool(run.context.profile.knowledge or run.context.profile.policies)


@function_tool(failure_error_function=tell_model, is_enabled=_knows_something)
def search_knowledge(run: RunContextWrapper[ToolContext], query: str) -> str:
    """What the business wrote about a subject. Answer from the texts that it returns and from nothing else.

    Args:
        query: The customer's question, or its words that matter, in the language of the topics.
    """
    return look_up(run.context, query).model_dump_json()


@function_tool(failure_error_function=tell_model)
def pass_on_question(run: RunContextWrapper[ToolContext], question: str) -> str:
    """Ask a person of the business what you do not know. You go on answering; that person answers this in the chat.

    Args:
        question: The customer's question, in one sentence.
    """
    run.context.staging.pass_on(shortened(" ".join(question.split()), MAX_QUESTION))
    return PassedOn().model_dump_json()


TOOLS: tuple[FunctionTool, ...] = (search_knowledge, pass_on_question)
