"""Write `contracts/schema.json` and `contracts/types.d.ts` from `functions/shared/contracts/`, and from them and the
gateway's routes `baileys-ecs/openapi.json`.

Usage: python -m scripts.contracts [--check]
  --check   write nothing; exit 1 if what is committed is stale.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from functions.shared import contracts

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "contracts" / "schema.json"
TYPES = ROOT / "contracts" / "types.d.ts"
OPENAPI = ROOT / "baileys-ecs" / "openapi.json"

UNIONS = {
    "Event": ["MessageReceived", "MessageStatus", "ConnectionUpdated", "ContactsUpdated"],
    "SendResult": ["Sent", "Unknown", "Refused", "Unavailable", "NotOwner", "Superseded"],
}


def _tidy(node: Any) -> Any:
    """Drop what one of the two readers cannot take.

    ajv refuses `discriminator.mapping`, wants a `type` beside it, and refuses a `default` inside a union (Python fills
    in what is absent); json-schema-to-typescript turns every `title` of a property into a type.
    """
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    dropped = {key for key, value in node.items() if key == "title" and isinstance(value, str)}
    if "type" in node or "oneOf" in node or "anyOf" in node:
        dropped.add("default")
    tidy = {key: _tidy(value) for key, value in node.items() if key not in dropped}
    if isinstance(tidy.get("discriminator"), dict):
        tidy["discriminator"] = {"propertyName": tidy["discriminator"]["propertyName"]}
        tidy["type"] = "object"
    return tidy


def schema() -> str:
    """The JSON Schema document: one `$defs` entry per public model and per union."""
    _, document = models_json_schema([(model, "validation") for model in contracts.PUBLIC], by_alias=True)
    definitions = _tidy(document["$defs"])
    for definition in definitions.values():
        # A constant is on the wire although Python may leave it to its default.
        constants = [name for name, value in definition["properties"].items() if "const" in value]
        definition["required"] = sorted({*definition.get("required", []), *constants})
    for name, members in UNIONS.items():
        definitions[name] = {"oneOf": [{"$ref": f"#/$defs/{member}"} for member in members]}
    whole = {
        "$id": "kesher",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Generated from functions/shared/contracts/ by `make contracts`; do not edit.",
        "$defs": dict(sorted(definitions.items())),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def types(schema_text: str) -> str:
    """The TypeScript types of `schema_text`, by json-schema-to-typescript."""
    return _node("scripts/contract-types.js", text=schema_text)


def openapi() -> str:
    """The OpenAPI document of the gateway's routes, which refer to the schema as it is on disk."""
    return _node("--import", "tsx", "baileys-ecs/scripts/openapi.ts")


def _node(*arguments: str, text: str = "") -> str:
    done = subprocess.run(["node", *arguments], input=text, capture_output=True, check=False, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"node {' '.join(arguments)} failed; is `npm ci` done?\n{done.stderr}")
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the committed files are stale")
    check = parser.parse_args().check
    schema_text = schema()
    # In this order: the last one reads the first one's file.
    generated: tuple[tuple[Path, Callable[[], str]], ...] = (
        (SCHEMA, lambda: schema_text),
        (TYPES, lambda: types(schema_text)),
        (OPENAPI, openapi),
    )
    stale = False
    for path, generate in generated:
        text = generate()
        if path.exists() and path.read_text() == text:
            continue
        stale = True
        print(f"{'stale' if check else 'wrote'} {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text)
    if check and stale:
        print("run `make contracts` and commit the result", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
