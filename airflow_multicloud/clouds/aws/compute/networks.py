"""What must be there before a launch: subnets, security groups, instance profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_multicloud.clouds.aws.compute.client import ComputeBase
from airflow_multicloud.clouds.aws.compute.errors import failure, translated
from airflow_multicloud.errors import ErrorKind


class Networks(ComputeBase):
    """Looked up, never made."""

    def _subnet(self, subnets: Sequence[str], zone: str | None, region: str) -> Mapping[str, Any]:
        """The subnet that is used: the zone's, or the first.

        :raises DeploymentError: ``not_found``.
        """
        if not subnets:
            raise failure("subnets: none given, expected at least one", ErrorKind.INVALID_ARGUMENT)
        with translated(f"subnets: looking {', '.join(subnets)} up in {region}"):
            answer = self._client_of("ec2", region).describe_subnets(SubnetIds=list(subnets))
        found = {subnet["SubnetId"]: subnet for subnet in answer["Subnets"]}
        there = [found[subnet] for subnet in subnets if subnet in found]
        for subnet in there:
            if zone in (None, subnet["AvailabilityZone"]):
                chosen: Mapping[str, Any] = subnet
                return chosen
        zones = ", ".join(sorted({subnet["AvailabilityZone"] for subnet in there}))
        raise failure(
            f"zone: {zone!r} given, but the subnets {', '.join(subnets)} are in {zones}; name a "
            "subnet of that zone",
            ErrorKind.INVALID_ARGUMENT,
        )

    def _check_groups(self, groups: Sequence[str], subnet: Mapping[str, Any], region: str) -> None:
        """That the security groups are there, and of the subnet's network.

        :raises DeploymentError: ``not_found``, ``invalid_argument``.
        """
        if not groups:
            return
        with translated(f"security_groups: looking {', '.join(groups)} up in {region}"):
            answer = self._client_of("ec2", region).describe_security_groups(GroupIds=list(groups))
        for group in answer["SecurityGroups"]:
            if group["VpcId"] != subnet["VpcId"]:
                raise failure(
                    f"security_groups: {group['GroupId']} is of {group['VpcId']}, the subnet "
                    f"{subnet['SubnetId']} of {subnet['VpcId']}; expected one network",
                    ErrorKind.INVALID_ARGUMENT,
                )

    def _profile(self, identity: str) -> str:
        """The ARN of an instance profile.

        :param identity: its name, or its ARN, whose last part is the name.
        :raises DeploymentError: ``not_found``; ``permission_denied`` without
            ``iam:GetInstanceProfile``.
        """
        name = identity.rpartition("/")[2]
        with translated(f"identity: looking the instance profile {identity} up"):
            answer = self._client_of("iam").get_instance_profile(InstanceProfileName=name)
        arn = str(answer["InstanceProfile"]["Arn"])
        if identity.startswith("arn:") and identity != arn:
            raise failure(
                f"identity: {identity} given, but {name} of this account is {arn}",
                ErrorKind.NOT_FOUND,
            )
        return arn
