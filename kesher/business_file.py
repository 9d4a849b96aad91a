"""A business profile as a YAML file: read with the lines of what is wrong, written so that it reads back the same."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from functions.shared.profile import BusinessProfile, Language
from functions.shared.profile_parts import Opening, Part, Resource, Service

Example = Literal["barber", "clinic", "garage"]

_WORD = 30
_VERSION_LINE = re.compile(r"^config_version:[ \t]*\S*", re.MULTILINE)
_TENANT_LINE = re.compile(r"^tenant_id:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the file that must be changed; `line` counts from 1."""

    line: int
    text: str


class BusinessFileError(Exception):
    """The file is no business profile; `problems` holds all that was found, in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.text)))
        super().__init__("\n".join(f"line {problem.line}: {problem.text}" for problem in self.problems))


def example(kind: Example, language: Language, tenant_id: str = "business_1") -> str:
    """A commented file for a business of this kind, ready to apply."""
    text = (resources.files("kesher") / "examples" / f"{kind}-{language}.yaml").read_text(encoding="utf-8")
    return _TENANT_LINE.sub(f"tenant_id: {tenant_id}", text, count=1)


def parse(text: str) -> BusinessProfile:
    """The profile that a file holds.

    Raises BusinessFileError with everything that is wrong with it: first the YAML must be right, then the values.
    """
    try:
        data = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BusinessFileError([Problem(mark.line + 1 if mark else 1, f"not YAML: {_first_line(error)}")]) from None
    except (YAMLError, ValueError) as error:
        raise BusinessFileError([Problem(1, f"not YAML: {error}")]) from None
    if not isinstance(data, CommentedMap):
        raise BusinessFileError(
            [Problem(1, "the file must consist of fields such as `name: ...`; see `kesher business init`")]
        )
    try:
        return BusinessProfile.model_validate(data)
    except ValidationError as error:
        raise BusinessFileError(
            [problem for details in error.errors() for problem in _problems(data, details)]
        ) from None


def render(profile: BusinessProfile) -> str:
    """The file of a profile: `parse(render(profile)) == profile`."""
    yaml = YAML()
    yaml.width = 4096  # never folded: a folded text would show as changed
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(_plain(profile), stream)
    return stream.getvalue()


def with_version(text: str, version: int) -> str:
    """The file's text with the version that was saved; nothing else of it is touched."""
    line = f"config_version: {version}"
    if _VERSION_LINE.search(text):
        return _VERSION_LINE.sub(line, text, count=1)
    return f"{line}\n{text}"


def changes(stored: BusinessProfile | None, wanted: BusinessProfile) -> list[str]:
    """What `wanted` changes, as lines of a diff; empty if nothing."""
    before = "" if stored is None else render(stored.model_copy(update={"config_version": 0}))
    after = render(wanted.model_copy(update={"config_version": 0}))
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return [line for line in diff if not line.startswith(("---", "+++", "@@"))]


# ---- writing ----------------------------------------------------------------------------------------------------


def _plain(value: object) -> object:
    """What YAML can hold, in the short forms that an owner writes."""
    if isinstance(value, Opening):
        return value.short if not (value.opens.second or value.closes.second) else value.model_dump(mode="json")
    if isinstance(value, Resource) and value.capacity == 1:
        return value.name
    if isinstance(value, BaseModel):
        fields = {name: _plain(getattr(value, name)) for name in type(value).model_fields}
        if isinstance(value, Service):
            fields["names"] = {key: _list(names) if len(names) > 1 else names[0] for key, names in value.names.items()}
        return {name: field for name, field in fields.items() if field is not None}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return _list([_plain(item) for item in value])
    return value


def _list(items: Sequence[object]) -> CommentedSeq:
    """On one line if its items are words."""
    written = CommentedSeq(items)
    if all(isinstance(item, str) and len(item) <= _WORD for item in items):
        written.fa.set_flow_style()
    return written


# ---- what is wrong, and where -----------------------------------------------------------------------------------


def _problems(data: CommentedMap, details: ErrorDetails) -> Iterator[Problem]:
    place = tuple(part for part in details["loc"] if part != "[key]")
    if details["type"] == "inconsistent":
        for inner, text in details["ctx"]["problems"]:
            yield Problem(_line(data, (*place, *inner)), f"{_path((*place, *inner))}: {text}")
        return
    yield Problem(_line(data, place), f"{_path(place)}: {_said(details, place)}")


def _said(details: ErrorDetails, place: Sequence[str | int]) -> str:
    if details["type"] == "missing":
        return "is missing; add it"
    if details["type"] == "extra_forbidden":
        return f"there is no such field here{_similar(str(place[-1]))}; correct the name or delete the line"
    text = details["msg"].removeprefix("Value error, ")
    given = details["input"]
    shown = f"; it is {given!r}" if isinstance(given, str | int | float) and repr(given) not in text else ""
    return f"{text[:1].lower()}{text[1:]}{shown}"


def _similar(name: str) -> str:
    models: list[type[BaseModel]] = [BusinessProfile, *Part.__subclasses__()]
    known = sorted({field for model in models for field in model.model_fields})
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _path(place: Sequence[str | int]) -> str:
    path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place)
    return path.removeprefix(".") or "the file"


def _line(data: object, place: Sequence[str | int]) -> int:
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


def _first_line(error: MarkedYAMLError) -> str:
    return " ".join(str(error.problem or error.context or error).split())
