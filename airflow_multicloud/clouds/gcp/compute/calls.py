"""Which calls an instance takes from its plan to its end, and what they need to be allowed.

https://cloud.google.com/compute/docs/reference/rest/v1/instances/insert (and the other methods'
pages), "IAM permissions".
"""

from __future__ import annotations

from airflow_multicloud.clouds.gcp.compute.images import is_family
from airflow_multicloud.ports.compute import ApiCall, LaunchRequest, SizeNeed


def calls_of(request: LaunchRequest) -> tuple[ApiCall, ...]:
    """The calls, in order: looking up, launching, keeping, terminating."""
    by_need = isinstance(request.size, SizeNeed)
    family = request.image is None or is_family(request.image)
    insert = [
        "compute.instances.create",
        "compute.instances.setLabels",
        "compute.instances.setMetadata",
        "compute.disks.create",
        "compute.disks.setLabels",
        "compute.images.useReadOnly",
        "compute.subnetworks.use",
    ]
    if request.network.public_address:
        insert.append("compute.subnetworks.useExternalIp")
    if request.network.security_groups:
        insert.append("compute.instances.setTags")
    if request.identity is not None:
        insert += ["compute.instances.setServiceAccount", "iam.serviceAccounts.actAs"]
    return (
        _call("zones.list"),
        _call("machineTypes.list" if by_need else "machineTypes.get"),
        _call("images.getFromFamily" if family else "images.get"),
        _call("subnetworks.get"),
        ApiCall(call="compute.instances.insert", permissions=tuple(insert)),
        # Also waiting for one.
        _call("zoneOperations.get"),
        _call("instances.get"),
        _call("disks.get"),
        ApiCall(call="compute.instances.aggregatedList", permissions=("compute.instances.list",)),
        ApiCall(call="compute.disks.aggregatedList", permissions=("compute.disks.list",)),
        _call("instances.setLabels"),
        _call("disks.setLabels"),
        _call("instances.stop"),
        _call("instances.start"),
        _call("instances.getSerialPortOutput"),
        ApiCall(
            call="compute.instances.delete",
            permissions=("compute.instances.delete", "compute.disks.delete"),
        ),
    )


def _call(method: str) -> ApiCall:
    """One whose permission has its name."""
    return ApiCall(call=f"compute.{method}", permissions=(f"compute.{method}",))
