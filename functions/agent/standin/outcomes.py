"""What the tools of a run answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.agent.tools.results import OUTCOME, Outcome


class Other(BaseModel):
    """What a tool of another kind answered."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: str
    spoken: str | None = None


def by_tool(items: Sequence[Mapping[str, object]]) -> dict[str, Outcome | Other | None]:
    """The last answer of each tool; None: it is no outcome."""
    names = {item["call_id"]: str(item["name"]) for item in items if item.get("type") == "function_call"}
    outputs = [item for item in items if item.get("type") == "function_call_output"]
    return {names[item["call_id"]]: of(item) for item in outputs}


def of(item: Mapping[str, object]) -> Outcome | Other | None:
    """The outcome in an item that is a tool's output."""
    answer = str(item["output"])
    try:
        return OUTCOME.validate_json(answer)
    except ValidationError:
        pass
    try:
        other = Other.model_validate_json(answer)
    except ValidationError:
        return None
    return None if other.outcome == "bad_arguments" else other
