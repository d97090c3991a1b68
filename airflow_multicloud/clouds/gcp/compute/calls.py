"""Which requests the verbs of machines make of Compute Engine, and what must be allowed.

https://cloud.google.com/compute/docs/instances/create-start-instance, "Permissions required for
this task", and the same of the other tasks' pages. Everybody may use a public image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from airflow_multicloud.clouds.gcp.compute.images import is_family, project_of_private
from airflow_multicloud.clouds.gcp.compute.networks import subnet_of
from airflow_multicloud.ports.calls import ApiCall, CallTable

_PROJECT, _SUBNET, _IMAGES, _ACCOUNT = "project", "subnet", "images", "account"
#: One that is named; else the project's, by a pattern: a grant may have a condition on their names.
#: https://cloud.google.com/compute/docs/access/iam-conditions
_INSTANCE, _DISK = "instance", "disk"
_INSERT = "compute.instances.insert"


def _call(
    method: str,
    *permissions: str,
    resource: str = _PROJECT,
    without: str = "",
    when: str = "",
) -> ApiCall:
    """One whose permission has its name, unless others are given."""
    return ApiCall(
        call=f"compute.{method}",
        permissions=tuple(f"compute.{name}" for name in permissions or (method,)),
        resource=resource,
        without=without,
        when=when,
    )


def _public(method: str, when: str) -> ApiCall:
    return ApiCall(call=f"compute.{method}", permissions=(), when=when)


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    if kind == _SUBNET:
        subnet = subnet_of(facts["subnet"], facts["project"], facts["region"])
        return f"//compute.googleapis.com/{subnet}"
    if kind == _ACCOUNT:
        # Whose project IAM takes from the account's address.
        return f"//iam.googleapis.com/projects/-/serviceAccounts/{facts['identity']}"
    if kind == _INSTANCE and "instance_id" in facts:
        return f"//compute.googleapis.com/{facts['instance_id']}"
    if kind in (_INSTANCE, _DISK):
        return f"//compute.googleapis.com/projects/{facts['project']}/zones/-/{kind}s/*"
    project = project_of_private(facts["image"]) if kind == _IMAGES else facts["project"]
    return f"//cloudresourcemanager.googleapis.com/projects/{project}"


def _implied(facts: Mapping[str, str]) -> Iterable[str]:
    image = facts.get("image")
    whose = "public" if image is None or project_of_private(image) is None else "private"
    yield f"{whose}_{'family' if image is None or is_family(image) else 'image'}"
    yield whose


_GET, _GET_DISK = _call("instances.get", resource=_INSTANCE), _call("disks.get", resource=_DISK)
#: Also waiting for one.
_OPERATION = _call("zoneOperations.get")
_DELETE = (
    _call("instances.delete", resource=_INSTANCE),
    _call("instances.delete", "disks.delete", resource=_DISK),
    _GET,
    _GET_DISK,
    _call("disks.delete", resource=_DISK),
)

TABLE = CallTable(
    {
        "resolve_launch": (
            _call("zones.list"),
            _call("machineTypes.list", when="size_need"),
            _call("machineTypes.get", when="size"),
            # Where one that a zone does not have is offered.
            _call("machineTypes.aggregatedList", "machineTypes.list", when="size"),
            _public("images.getFromFamily", when="public_family"),
            _public("images.get", when="public_image"),
            _call("images.getFromFamily", resource=_IMAGES, when="private_family"),
            _call("images.get", resource=_IMAGES, when="private_image"),
            _call("subnetworks.get", resource=_SUBNET),
        ),
        "launch_instance": (
            _call(
                "instances.insert",
                *("instances.create", "instances.setLabels", "instances.setMetadata"),
                resource=_INSTANCE,
            ),
            _call("instances.insert", "disks.create", "disks.setLabels", resource=_DISK),
            _call("instances.insert", "images.useReadOnly", resource=_IMAGES, when="private"),
            _call("instances.insert", "subnetworks.use", resource=_SUBNET),
            _call(
                *("instances.insert", "subnetworks.useExternalIp"),
                resource=_SUBNET,
                when="public_address",
            ),
            _call(
                *("instances.insert", "instances.setTags"),
                resource=_INSTANCE,
                when="security_group",
            ),
            _call(
                *("instances.insert", "instances.setServiceAccount"),
                resource=_INSTANCE,
                when="identity",
            ),
            ApiCall(
                call=_INSERT,
                permissions=("iam.serviceAccounts.actAs",),
                resource=_ACCOUNT,
                when="identity",
            ),
            _GET,
        ),
        "describe_operation": (_OPERATION, _GET),
        "describe_operation:launch": (_OPERATION, _GET),
        "describe_operation:terminate": (_OPERATION, *_DELETE),
        "describe_instance": (_GET, _GET_DISK),
        "list_instances": (
            _call("disks.aggregatedList", "disks.list"),
            _call("instances.aggregatedList", "instances.list"),
            _GET_DISK,
        ),
        "label_instance": (
            _GET,
            _GET_DISK,
            _call("disks.setLabels", resource=_DISK),
            _call("instances.setLabels", resource=_INSTANCE),
            _call("zoneOperations.wait", "zoneOperations.get"),
        ),
        "power_instance:on": (
            _GET,
            _call("instances.start", resource=_INSTANCE),
            _call(
                "instances.resume",
                resource=_INSTANCE,
                without="an instance that somebody has suspended is not resumed",
            ),
        ),
        "power_instance:off": (_GET, _call("instances.stop", resource=_INSTANCE)),
        "terminate_instance": _DELETE,
        "read_console": (
            _call(
                "instances.getSerialPortOutput",
                resource=_INSTANCE,
                without="why an instance is not healthy is told without its console",
            ),
        ),
    },
    _resource,
    _implied,
)
