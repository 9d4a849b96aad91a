"""One template for AWS and for the emulator.

The emulator's CloudFormation refuses a whole stack for one resource type that it does not know. Such resources get a
condition on their stack's parameter `DeployTarget`: `aws` by default, `local` in a local deployment. (A condition on
the account's number would need no parameter, but the emulator does not resolve pseudo parameters in conditions.)
"""

from __future__ import annotations

import aws_cdk as cdk
import jsii
from constructs import IConstruct

PARAMETER = "DeployTarget"
CONDITION = "OnAws"
ONLY_ON_AWS = frozenset({"AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"})
"""Resource types of this app that ministack 1.5.33 does not know."""


@jsii.implements(cdk.IAspect)
class LeftOutLocally:
    """Aspect: give every resource that the emulator does not know the condition."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, cdk.CfnResource) and node.cfn_resource_type in ONLY_ON_AWS:
            node.cfn_options.condition = _on_aws(node.stack)


def _on_aws(stack: cdk.Stack) -> cdk.CfnCondition:
    existing = stack.node.try_find_child(CONDITION)
    if isinstance(existing, cdk.CfnCondition):
        return existing
    parameter = cdk.CfnParameter(
        stack,
        PARAMETER,
        default="aws",
        allowed_values=["aws", "local"],
        description="`local` leaves out what an emulator of AWS does not know.",
    )
    return cdk.CfnCondition(stack, CONDITION, expression=cdk.Fn.condition_equals(parameter.value_as_string, "aws"))
