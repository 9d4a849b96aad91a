"""The golden examples, read by both languages: what pydantic takes and refuses here, ajv takes and refuses there.

The Python side is tested on the models and on the JSON Schema that TypeScript's validator is built from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from functions.shared import contracts
from functions.shared.contracts import PUBLIC, Wire

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
MODELS: dict[str, type[Wire]] = {model.__name__: model for model in PUBLIC}
EXAMPLES: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in (CONTRACTS / "examples").glob("*.json")}
SCHEMA: dict[str, Any] = json.loads((CONTRACTS / "schema.json").read_text())


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(model, case, id=f"{model}: {case['name']}")
        for model, examples in sorted(EXAMPLES.items())
        for case in examples[kind]
    ]


def by_schema(model: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/$defs/{model}", "$defs": SCHEMA["$defs"]})


def test_every_model_of_the_contract_has_examples_both_ways() -> None:
    assert set(MODELS) == set(EXAMPLES)
    assert all(examples["valid"] and examples["invalid"] for examples in EXAMPLES.values())


@pytest.mark.parametrize(("model", "case"), cases("valid"))
def test_a_valid_example_is_taken_and_comes_out_as_it_went_in(model: str, case: dict[str, Any]) -> None:
    parsed = MODELS[model].model_validate_json(json.dumps(case["value"]))
    again = json.loads(parsed.to_json())

    assert parsed == MODELS[model].model_validate(again)
    assert again == {**again, **only_known(case["value"], again)}
    assert list(by_schema(model).iter_errors(case["value"])) == []


@pytest.mark.parametrize(("model", "case"), cases("invalid"))
def test_an_invalid_example_is_refused_and_the_refusal_names_the_field(model: str, case: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        MODELS[model].model_validate_json(json.dumps(case["value"]))

    # pydantic names the member of a union too: content.text.text is the text of a text.
    fields = {".".join(str(part) for part in error["loc"]).replace(".text.", ".") for error in refused.value.errors()}
    assert case["field"] in fields, fields
    assert list(by_schema(model).iter_errors(case["value"]))


@pytest.mark.parametrize("model", ["MessageReceived", "MessageStatus", "ConnectionUpdated"])
def test_an_event_is_recognised_by_its_type(model: str) -> None:
    for case in EXAMPLES[model]["valid"]:
        assert type(contracts.EVENT.validate_python(case["value"])) is MODELS[model]


@pytest.mark.parametrize("model", ["Sent", "Unknown", "Refused", "Unavailable", "NotOwner", "Superseded"])
def test_a_result_is_recognised_by_its_outcome(model: str) -> None:
    for case in EXAMPLES[model]["valid"]:
        assert type(contracts.SEND_RESULT.validate_python(case["value"])) is MODELS[model]


def only_known(given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """`given` without the fields of later versions."""
    return {
        name: only_known(value, known[name]) if isinstance(value, dict) else value
        for name, value in given.items()
        if name in known
    }
