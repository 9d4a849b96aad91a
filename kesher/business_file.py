"""A business profile as a YAML file: read with the lines of what is wrong, written so that it reads back the same."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Literal

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from functions.shared.profile import BusinessProfile, Language
from functions.shared.profile_parts import Opening, Part, Resource, Service
from kesher import yaml_file
from kesher.yaml_file import YamlFileError

Example = Literal["barber", "clinic", "garage"]

_WORD = 30
_VERSION_LINE = re.compile(r"^config_version:[ \t]*\S*", re.MULTILINE)
_TENANT_LINE = re.compile(r"^tenant_id:.*$", re.MULTILINE)


class BusinessFileError(YamlFileError):
    """The file is no business profile."""


def example(kind: Example, language: Language, tenant_id: str = "business_1") -> str:
    """A commented file for a business of this kind, ready to apply."""
    text = (resources.files("kesher") / "examples" / f"{kind}-{language}.yaml").read_text(encoding="utf-8")
    return _TENANT_LINE.sub(f"tenant_id: {tenant_id}", text, count=1)


def parse(text: str) -> BusinessProfile:
    """The profile that a file holds.

    Raises BusinessFileError with everything that is wrong with it: first the YAML must be right, then the values.
    """
    try:
        data = yaml_file.load(text, see="see `kesher business init`")
        return yaml_file.validated(BusinessProfile, data, Part.__subclasses__())
    except YamlFileError as error:
        raise BusinessFileError(error.problems) from None


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
    # Beginning with a letter or digit: ruamel.yaml leaves `?&` unquoted there, and then cannot read it.
    if all(isinstance(item, str) and len(item) <= _WORD and item[:1].isalnum() for item in items):
        written.fa.set_flow_style()
    return written
