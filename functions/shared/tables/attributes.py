"""Attributes of items: what PynamoDB's own leave open.

PynamoDB's NumberAttribute is a float and its null=True does not show in the type; these say what comes out.
"""

from __future__ import annotations

import json

from pynamodb.attributes import Attribute, JSONAttribute, UnicodeAttribute
from pynamodb.constants import BOOLEAN, NUMBER, STRING


class Text(UnicodeAttribute):
    """A string that is always there."""


class OptionalText(Attribute["str | None"]):
    attr_type = STRING
    null = True


class Int(Attribute[int]):
    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


class OptionalInt(Attribute["int | None"]):
    attr_type = NUMBER
    null = True

    def serialize(self, value: int | None) -> str | None:
        return None if value is None else str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


class Json(JSONAttribute):
    """JSON with letters as they are: escaped, a Hebrew one would be six bytes instead of two."""

    def serialize(self, value: object) -> str | None:
        if value is None:
            return None
        # Half a surrogate pair, which a model's JSON may hold, is no UTF-8 and would be refused.
        return json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()


class Flag(Attribute[bool]):
    attr_type = BOOLEAN
