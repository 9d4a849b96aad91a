"""The network: a container with a public address and no NAT, a function without a way out."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.cdk.constructs.nag import not_followed

ZONES = 2


class Network(Construct):
    """VPC, endpoints, and the security groups of the two that meet in it.

    The groups stand here and not beside their users, so that send (pipeline) and gateway name each other without their
    stacks depending on each other.
    """

    def __init__(self, scope: Construct, id_: str, *, gateway_port: int, endpoint_zones: int) -> None:
        super().__init__(scope, id_)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr("10.20.0.0/20"),
            # Resolved by CloudFormation, so that synth asks no account for the names of its zones.
            availability_zones=[cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(ZONES)],
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="gateway", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24),
                ec2.SubnetConfiguration(name="send", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
            gateway_endpoints={
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
            },
        )
        not_followed(
            self.vpc,
            "VPC7",
            because="One container that only one function can call; flow logs would cost more than the container.",
        )
        self.send_security_group = self._security_group("Send", "The send function: to the gateway and to AWS")
        self.gateway_security_group = self._security_group("Gateway", "The gateway: only the send function may call it")
        secrets = self._security_group("Secrets", "The Secrets Manager endpoint: only send and the gateway may call it")

        self.gateway_security_group.add_ingress_rule(
            self.send_security_group, ec2.Port.tcp(gateway_port), "commands of the send function"
        )
        # WhatsApp, the webhook and AWS all listen there; DNS of the VPC passes by security groups.
        self.gateway_security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "WhatsApp and AWS")
        self.send_security_group.add_egress_rule(
            self.gateway_security_group, ec2.Port.tcp(gateway_port), "commands to the gateway"
        )
        # Its subnets have routes to the VPC and to DynamoDB and to nowhere else.
        self.send_security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "DynamoDB and Secrets Manager")
        # The endpoint's private DNS name is in force in the whole VPC, so in the gateway's public subnets as well.
        for reader in (self.send_security_group, self.gateway_security_group):
            secrets.add_ingress_rule(reader, ec2.Port.tcp(443), "reads the internal secret")
        self.vpc.add_interface_endpoint(
            "SecretsManager",
            service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
            subnets=ec2.SubnetSelection(subnets=self.vpc.isolated_subnets[:endpoint_zones]),
            security_groups=[secrets],
            open=False,
        )

    def _security_group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, name, vpc=self.vpc, description=description, allow_all_outbound=False)
