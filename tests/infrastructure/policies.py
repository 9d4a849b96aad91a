"""What a role may do, read from a template."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aws_cdk.assertions import Template


@dataclass(frozen=True)
class Permission:
    """One statement: what is allowed, and on what (as JSON, in which a resource's logical id can be looked for)."""

    actions: frozenset[str]
    resources: str
    conditions: str


def permissions(template: Template, role: str) -> list[Permission]:
    """Of the role whose logical id starts with `role`. Fails if it has managed policies, which this would not see."""
    roles = {name: body for name, body in template.find_resources("AWS::IAM::Role").items() if name.startswith(role)}
    assert len(roles) == 1, f"one role of {role}, not {sorted(roles)}"
    [(name, body)] = roles.items()
    assert "ManagedPolicyArns" not in body["Properties"]
    policies = template.find_resources("AWS::IAM::Policy").values()
    return [
        _permission(statement)
        for policy in policies
        if {"Ref": name} in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def allowed(found: list[Permission], service: str) -> set[str]:
    """All actions of a service, by its prefix."""
    return {action for permission in found for action in permission.actions if action.startswith(f"{service}:")}


def _permission(statement: dict[str, Any]) -> Permission:
    assert statement["Effect"] == "Allow"
    actions = statement["Action"]
    return Permission(
        frozenset([actions] if isinstance(actions, str) else actions),
        json.dumps(statement["Resource"]),
        json.dumps(statement.get("Condition", {})),
    )
