"""The calls that an instance takes, for a plan to tell.

Permissions: "Actions, resources, and condition keys" for EC2, STS, SSM and IAM in the Service
Authorization Reference.
"""

from __future__ import annotations

from airflow_multicloud.clouds.aws.compute.images import BY_PARAMETER
from airflow_multicloud.clouds.aws.identity.calls import WHO_AM_I
from airflow_multicloud.ports.compute import ApiCall, LaunchRequest

_ALWAYS = (
    "ec2:DescribeRegions",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeImages",
)
# Of what is there: looking, labelling, stopping and starting, and what it wrote when it failed.
_KEEPING = (
    "ec2:DescribeInstances",
    "ec2:CreateTags",
    "ec2:StopInstances",
    "ec2:StartInstances",
    "ec2:GetConsoleOutput",
)
_ENDING = (
    "ec2:DescribeVolumes",
    "ec2:DescribeNetworkInterfaces",
    "ec2:TerminateInstances",
    "ec2:DeleteVolume",
    "ec2:DeleteNetworkInterface",
)


def calls_for(request: LaunchRequest) -> tuple[ApiCall, ...]:
    """What launching it, keeping it and later terminating it takes."""
    names = [WHO_AM_I]
    names += [ApiCall(call=name, permissions=(name,)) for name in _ALWAYS]
    if request.image is None or request.image.startswith(BY_PARAMETER):
        names.append(ApiCall(call="ssm:GetParameter", permissions=("ssm:GetParameter",)))
    launching = ["ec2:RunInstances", "ec2:CreateTags"]
    if request.identity is not None:
        name = "iam:GetInstanceProfile"
        names.append(ApiCall(call=name, permissions=(name,)))
        launching.append("iam:PassRole")
    names.append(ApiCall(call="ec2:RunInstances", permissions=tuple(launching)))
    names += [ApiCall(call=name, permissions=(name,)) for name in (*_KEEPING, *_ENDING)]
    return tuple(names)
