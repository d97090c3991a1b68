"""Which resources a request to EC2 changes or uses, and with which tags: what IAM decides by.

"Actions, resources, and condition keys for Amazon EC2" in the Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from moto.core.models import DEFAULT_ACCOUNT_ID

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds.aws.compute.account import Account
    from airflow_multicloud.testing.local_clouds.aws.compute.queries import Call

_KINDS = {"i": "instance", "vol": "volume", "eni": "network-interface"}
_MADE = tuple(_KINDS.values())
_NAMED = ("Resources", "InstanceIds", "InstanceId", "VolumeId", "NetworkInterfaceId")
_ON_NAMED = frozenset(
    {
        *("CreateTags", "DeleteTags", "TerminateInstances", "StartInstances", "StopInstances"),
        *("DeleteVolume", "DeleteNetworkInterface", "GetConsoleOutput"),
    }
)


def concerned(call: Call, account: Account) -> Iterator[Mapping[str, object]]:
    """The ``arn`` of each, its tags before the request (``held``), those asked for (``wanted``).

    Of what a launch makes, the ARN ends with ``new``. What only describes concerns nothing.
    """
    if call.action == "RunInstances":
        yield from _launched(call)
    if call.action not in _ON_NAMED:
        return
    wanted = _texts(call.given.get("Tags", ()))
    for name in _NAMED:
        given = call.given.get(name, ())
        for one in [given] if isinstance(given, str) else given:
            kind = _KINDS.get(one.partition("-")[0], "unknown")
            held = account.tags(call.region, one)
            yield {"arn": _arn(call, kind, one), "held": held, "wanted": wanted}


def _launched(call: Call) -> Iterator[Mapping[str, object]]:
    specified = call.given.get("TagSpecifications", ())
    told = {one.get("ResourceType"): one.get("Tags", ()) for one in specified}
    for kind in _MADE:
        wanted = _texts(told.get(kind, ()))
        yield {"arn": _arn(call, kind, "new"), "held": {}, "wanted": wanted}
    used = [_arn(call, "image", call.given.get("ImageId", "*"), account="")]
    for interface in call.given.get("NetworkInterfaces", ()):
        used += [_arn(call, "subnet", interface.get("SubnetId", "*"))]
        used += [_arn(call, "security-group", one) for one in interface.get("Groups", ())]
    yield from ({"arn": one, "held": {}, "wanted": {}} for one in used)


def _arn(call: Call, kind: str, name: str, *, account: str = DEFAULT_ACCOUNT_ID) -> str:
    return f"arn:aws:ec2:{call.region}:{account}:{kind}/{name}"


def _texts(tags: Any) -> dict[str, str]:
    return {one["Key"]: one.get("Value", "") for one in tags}
