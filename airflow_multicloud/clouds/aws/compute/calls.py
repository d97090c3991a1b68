"""Which requests the verbs of machines make of EC2, SSM and IAM, and what must be allowed.

"Actions, resources, and condition keys" for EC2, SSM and IAM in the Service Authorization
Reference. ``RunInstances`` must be allowed on all that it makes and uses, the default security
group of the network where none is named. What only describes can't be limited to a resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from airflow_multicloud.clouds.aws.compute.images import parameter_of
from airflow_multicloud.clouds.aws.identity.calls import WHO_AM_I
from airflow_multicloud.ports.calls import ApiCall, CallTable, Condition

_ANY = "any"
_INSTANCE, _VOLUME, _INTERFACE = _MADE = ("instance", "volume", "network-interface")
_IMAGE, _SUBNET, _SECURITY_GROUP = _USED = ("image", "subnet", "security-group")
_PARAMETER, _PROFILE, _ROLE = "parameter", "instance-profile", "role"
#: Condition keys, of what a request labels and of what is labelled:
#: docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html.
_WANTED, _HELD = "aws:RequestTag/", "aws:ResourceTag/"
#: Without it, whoever may label what a launch makes could label any other machine, too: "Grant
#: permission to tag Amazon EC2 resources during creation" (EC2 User Guide).
_AT_LAUNCH = Condition("ec2:CreateAction", "RunInstances")
#: What instances are of, in the words of facts, and in those of ARNs.
_NAMED = {_SUBNET: "subnet", _SECURITY_GROUP: "security_group"}


def _calls(
    name: str,
    *kinds: str,
    permission: str = "",
    without: str = "",
    when: str = "",
    tagged: str = "",
    conditions: tuple[Condition, ...] = (),
) -> tuple[ApiCall, ...]:
    """One call, which is allowed on each of these kinds of resource, or not at all.

    :param tagged: whose tags a label of all of them is among.
    :param conditions: see :class:`~airflow_multicloud.ports.calls.ApiCall`.
    """
    needed = (permission or name,)
    return tuple(
        ApiCall(
            call=name,
            permissions=needed,
            resource=kind,
            without=without,
            when=when,
            conditions=conditions,
            labelled=(tagged,) if tagged else (),
        )
        for kind in kinds or (_ANY,)
    )


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    if kind == _ANY:
        return "*"
    if kind in (_PROFILE, _ROLE):
        return _of_identity(kind, facts)
    if kind == _PARAMETER:
        name = parameter_of(facts.get("image"), facts["architecture"]) or ""
        account = "" if name.startswith("/aws/") else facts["account"]
        prefix = "arn:{partition}:ssm:{region}:".format_map(facts)
        return f"{prefix}{account}:parameter/{name.lstrip('/')}"
    if kind == _IMAGE:
        image = facts.get("image", "")
        named = image if image.startswith("ami-") else "*"
        return f"arn:{facts['partition']}:ec2:{facts['region']}::image/{named}"
    named = facts.get(_NAMED.get(kind, "instance_id" if kind == _INSTANCE else ""), "*")
    return f"arn:{facts['partition']}:ec2:{facts['region']}:{facts['account']}:{kind}/{named}"


def _of_identity(kind: str, facts: Mapping[str, str]) -> str:
    """An instance profile; its role only IAM can tell."""
    given = facts["identity"]
    if kind == _PROFILE and given.startswith("arn:"):
        return given
    name = given.rpartition("/")[2]
    named = name if kind == _PROFILE else f"{{the role of {name}}}"
    return f"arn:{facts['partition']}:iam::{facts['account']}:{kind}/{named}"


def _implied(facts: Mapping[str, str]) -> Iterable[str]:
    if "architecture" in facts and parameter_of(facts.get("image"), facts["architecture"]):
        yield "image_parameter"


_DESCRIBE = _calls("ec2:DescribeInstances")
_PARTS = (*_calls("ec2:DescribeVolumes"), *_calls("ec2:DescribeNetworkInterfaces"))
_IMAGES = _calls("ec2:DescribeImages")
_END = _calls("ec2:TerminateInstances", _INSTANCE, tagged=_HELD)
_LEFT = (
    *_PARTS,
    *_calls("ec2:DeleteVolume", _VOLUME, tagged=_HELD),
    *_calls("ec2:DeleteNetworkInterface", _INTERFACE, tagged=_HELD),
)

TABLE = CallTable(
    {
        "resolve_launch": (
            WHO_AM_I,
            *_calls("ec2:DescribeRegions"),
            *_calls("ec2:DescribeSubnets"),
            *_calls("ec2:DescribeSecurityGroups", when="security_group"),
            *_calls("ec2:DescribeInstanceTypes"),
            *_calls("ec2:DescribeInstanceTypeOfferings"),
            *_calls("ssm:GetParameter", _PARAMETER, when="image_parameter"),
            *_IMAGES,
            *_calls("iam:GetInstanceProfile", _PROFILE, when="identity"),
        ),
        "launch_instance": (
            WHO_AM_I,
            *_IMAGES,
            *_calls("ec2:RunInstances", *_MADE, tagged=_WANTED),
            *_calls("ec2:RunInstances", *_USED),
            *_calls(
                "ec2:RunInstances",
                *_MADE,
                permission="ec2:CreateTags",
                tagged=_WANTED,
                conditions=(_AT_LAUNCH,),
            ),
            *_calls("ec2:RunInstances", _ROLE, permission="iam:PassRole", when="identity"),
            # By the token, when EC2 has seen it before.
            *_DESCRIBE,
        ),
        "describe_operation": _DESCRIBE,
        "describe_operation:launch": _DESCRIBE,
        "describe_operation:terminate": (*_DESCRIBE, *_END, *_LEFT),
        "describe_instance": _DESCRIBE,
        "list_instances": (
            WHO_AM_I,
            *_calls("ec2:DescribeRegions", when="every_region"),
            *_DESCRIBE,
            *_PARTS,
        ),
        "label_instance": (*_DESCRIBE, *_PARTS, *_calls("ec2:CreateTags", *_MADE, tagged=_HELD)),
        "power_instance:on": (*_DESCRIBE, *_calls("ec2:StartInstances", _INSTANCE, tagged=_HELD)),
        "power_instance:off": (*_DESCRIBE, *_calls("ec2:StopInstances", _INSTANCE, tagged=_HELD)),
        "terminate_instance": (*_DESCRIBE, *_END, *_LEFT),
        "read_console": _calls(
            "ec2:GetConsoleOutput",
            _INSTANCE,
            tagged=_HELD,
            without="why an instance is not healthy is told without its console",
        ),
    },
    _resource,
    _implied,
)
