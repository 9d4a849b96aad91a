"""Tables, secrets and network."""

from __future__ import annotations

import ast
import json

from aws_cdk.assertions import Match

from functions.shared.tables import AppItem, SweepIndex
from infra.bundles import ROOT
from infra.cdk.settings import GATEWAY_PORT
from tests.infrastructure.templates import Templates


def by_role(key_schema: list[dict[str, str]]) -> dict[str, str]:
    return {entry["KeyType"]: entry["AttributeName"] for entry in key_schema}


def test_both_tables_are_encrypted_recoverable_and_stay_when_the_stack_goes(templates: Templates) -> None:
    templates.state.resource_count_is("AWS::DynamoDB::Table", 2)
    templates.state.all_resources(
        "AWS::DynamoDB::Table",
        {
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": Match.object_like(
                {
                    "BillingMode": "PAY_PER_REQUEST",
                    "DeletionProtectionEnabled": True,
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                    "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": Match.any_value()},
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                }
            ),
        },
    )


def test_rows_of_each_table_expire_by_the_attribute_that_its_owner_writes(templates: Templates) -> None:
    for attribute in ("expires_at", "expiresAt"):
        templates.state.has_resource_properties(
            "AWS::DynamoDB::Table", {"TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": True}}
        )


def test_the_app_table_and_its_index_are_those_of_the_model(templates: Templates) -> None:
    [table] = [
        body["Properties"]
        for body in templates.state.find_resources("AWS::DynamoDB::Table").values()
        if body["Properties"]["TimeToLiveSpecification"]["AttributeName"] == "expires_at"
    ]
    [index] = table["GlobalSecondaryIndexes"]
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]}
    model = SweepIndex._get_schema()

    assert index["IndexName"] == SweepIndex.Meta.index_name
    assert by_role(index["KeySchema"]) == by_role(model["key_schema"])
    assert index["Projection"] == {"ProjectionType": SweepIndex.Meta.projection.projection_type}
    for attribute in (AppItem.pk, AppItem.sk, AppItem.sweep_shard, AppItem.sweep_at):
        assert types[attribute.attr_name] == attribute.attr_type


def test_media_are_encrypted_private_reached_by_tls_alone_and_expire(templates: Templates) -> None:
    templates.state.resource_count_is("AWS::S3::Bucket", 1)
    templates.state.all_resources(
        "AWS::S3::Bucket",
        {
            "DeletionPolicy": "Retain",
            "Properties": Match.object_like(
                {
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {
                                "BucketKeyEnabled": True,
                                "ServerSideEncryptionByDefault": {
                                    "SSEAlgorithm": "aws:kms",
                                    "KMSMasterKeyID": Match.any_value(),
                                },
                            }
                        ]
                    },
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicAcls": True,
                        "BlockPublicPolicy": True,
                        "IgnorePublicAcls": True,
                        "RestrictPublicBuckets": True,
                    },
                    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                    "LifecycleConfiguration": {
                        "Rules": [
                            {
                                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                                "ExpirationInDays": 90,
                                "Status": "Enabled",
                            }
                        ]
                    },
                }
            ),
        },
    )
    [policy] = templates.state.find_resources("AWS::S3::BucketPolicy").values()
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_gateways_find_session_rows_without_reading_journal_or_auth_state(templates: Templates) -> None:
    templates.state.has_resource_properties(
        "AWS::DynamoDB::Table",
        {
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "sessions",
                    "KeySchema": [
                        {"AttributeName": "desired", "KeyType": "HASH"},
                        {"AttributeName": "pk", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ]
        },
    )


def test_the_internal_secret_is_generated_as_the_json_that_both_sides_read(templates: Templates) -> None:
    templates.state.has_resource_properties(
        "AWS::SecretsManager::Secret",
        {
            "GenerateSecretString": {
                "SecretStringTemplate": "{}",
                "GenerateStringKey": "current",
                "PasswordLength": 64,
                "ExcludePunctuation": True,
            },
            "KmsKeyId": Match.any_value(),
        },
    )


def test_the_model_secret_waits_for_its_operator(templates: Templates) -> None:
    templates.state.has_resource_properties("AWS::SecretsManager::Secret", {"SecretString": '{"apiKey":""}'})


def test_nothing_costs_a_fixed_sum_for_a_way_out(templates: Templates) -> None:
    templates.state.resource_count_is("AWS::EC2::NatGateway", 0)
    templates.state.resource_count_is("AWS::EC2::EIP", 0)


def test_the_isolated_subnets_have_no_route_to_the_internet(templates: Templates) -> None:
    routes = templates.state.find_resources("AWS::EC2::Route").values()

    assert routes
    for route in routes:
        assert "gatewaySubnet" in route["Properties"]["RouteTableId"]["Ref"]


def test_dynamodb_is_reached_without_cost_and_the_secret_by_one_endpoint(templates: Templates) -> None:
    templates.state.resource_count_is("AWS::EC2::VPCEndpoint", 2)
    templates.state.has_resource_properties("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"})
    templates.state.has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {"VpcEndpointType": "Interface", "PrivateDnsEnabled": True, "SubnetIds": [Match.any_value()]},
    )


def test_only_the_send_function_may_call_the_gateway_and_only_on_its_port(templates: Templates) -> None:
    groups = templates.state.find_resources("AWS::EC2::SecurityGroup")
    ingress = [rule["Properties"] for rule in templates.state.find_resources("AWS::EC2::SecurityGroupIngress").values()]

    assert not any("SecurityGroupIngress" in group["Properties"] for group in groups.values())
    [to_gateway] = [rule for rule in ingress if "NetworkGateway" in json.dumps(rule["GroupId"])]
    assert "NetworkSend" in json.dumps(to_gateway["SourceSecurityGroupId"])
    assert to_gateway["FromPort"] == to_gateway["ToPort"] == GATEWAY_PORT


def test_whoever_reads_the_secret_inside_the_network_is_let_in_at_its_endpoint(templates: Templates) -> None:
    """The endpoint's private DNS name is in force in the whole VPC, so the gateway, too, has no other way to it."""
    ingress = [rule["Properties"] for rule in templates.state.find_resources("AWS::EC2::SecurityGroupIngress").values()]
    to_endpoint = [rule for rule in ingress if "NetworkSecrets" in json.dumps(rule["GroupId"])]
    sources = [json.dumps(rule["SourceSecurityGroupId"]) for rule in to_endpoint]
    assert {name for name in ("NetworkSend", "NetworkGateway") if any(name in source for source in sources)} == {
        "NetworkSend",
        "NetworkGateway",
    }
    assert len(to_endpoint) == len(sources) == 2
    assert {(rule["FromPort"], rule["ToPort"]) for rule in to_endpoint} == {(443, 443)}


def test_nobody_may_call_out_but_by_https(templates: Templates) -> None:
    rules = [
        rule
        for group in templates.state.find_resources("AWS::EC2::SecurityGroup").values()
        for rule in group["Properties"]["SecurityGroupEgress"]
        if rule["CidrIp"] != "255.255.255.255/32"  # CDK's way to say "nothing"
    ]

    assert rules
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules} == {("tcp", 443, 443)}


def test_the_pipeline_imports_nothing_of_the_gateway() -> None:
    for name, forbidden in (("state", ("pipeline", "gateway")), ("pipeline", ("gateway",))):
        source = (ROOT / "infra" / "cdk" / "stacks" / f"{name}.py").read_text()
        modules = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
        assert not modules & {f"infra.cdk.stacks.{other}" for other in forbidden}
