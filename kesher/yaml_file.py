"""A YAML file as a pydantic model; everything that is wrong with it is told with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the file that must be changed; `line` counts from 1."""

    line: int
    text: str


class YamlFileError(Exception):
    """The file is not what it should be; `problems` holds all that was found, in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.text)))
        super().__init__("\n".join(f"line {problem.line}: {problem.text}" for problem in self.problems))


def load(text: str, *, see: str) -> CommentedMap:
    """The file's fields. Raises YamlFileError; `see` says to a person where an example is."""
    try:
        data = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlFileError([Problem(mark.line + 1 if mark else 1, f"not YAML: {_first_line(error)}")]) from None
    except (YAMLError, ValueError) as error:
        raise YamlFileError([Problem(1, f"not YAML: {error}")]) from None
    if not isinstance(data, CommentedMap):
        raise YamlFileError([Problem(1, f"the file must consist of fields such as `name: ...`; {see}")])
    return data


def validated(model: type[_Model], data: CommentedMap, known: Sequence[type[BaseModel]]) -> _Model:
    """The fields as `model`. `known` are the models whose field names a misspelt one may have meant.

    Raises YamlFileError with everything that is wrong.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        models: list[type[BaseModel]] = [model, *known]
        names = sorted({field for one in models for field in one.model_fields})
        raise YamlFileError([problem for one in error.errors() for problem in _problems(data, one, names)]) from None


def line_of(data: object, place: Sequence[str | int]) -> int:
    """The line of the deepest part of `place` that is in the file, from 1."""
    line = 0
    for part in place:
        if isinstance(data, CommentedMap) and part in data:
            line = int(data.lc.key(part)[0])
            data = data[part]
        elif isinstance(data, CommentedSeq) and isinstance(part, int) and part < len(data):
            line = int(data.lc.item(part)[0])
            data = data[part]
        else:
            break
    return line + 1


def path_of(place: Sequence[str | int]) -> str:
    """`services[2].price`, counted from 1 as people do."""
    path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place)
    return path.removeprefix(".") or "the file"


def _problems(data: CommentedMap, details: ErrorDetails, names: Sequence[str]) -> Iterator[Problem]:
    place = tuple(part for part in details["loc"] if part != "[key]")
    if details["type"] == "inconsistent":
        for inner, text in details["ctx"]["problems"]:
            yield Problem(line_of(data, (*place, *inner)), f"{path_of((*place, *inner))}: {text}")
        return
    yield Problem(line_of(data, place), f"{path_of(place)}: {_said(details, place, names)}")


def _said(details: ErrorDetails, place: Sequence[str | int], names: Sequence[str]) -> str:
    if details["type"] == "missing":
        return "is missing; add it"
    if details["type"] == "extra_forbidden":
        return f"there is no such field here{_similar(str(place[-1]), names)}; correct the name or delete the line"
    text = details["msg"].removeprefix("Value error, ")
    given = details["input"]
    shown = f"; it is {given!r}" if isinstance(given, str | int | float) and repr(given) not in text else ""
    return f"{text[:1].lower()}{text[1:]}{shown}"


def _similar(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _first_line(error: MarkedYAMLError) -> str:
    return " ".join(str(error.problem or error.context or error).split())
