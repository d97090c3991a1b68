"""Which calls a launch and the termination after it make, and what they need to be allowed.

https://cloud.google.com/compute/docs/reference/rest/v1/instances/insert (and the other methods'
pages), "IAM permissions".
"""

from __future__ import annotations

from airflow_multicloud.ports.compute import ApiCall, LaunchRequest


def calls_of(request: LaunchRequest) -> tuple[ApiCall, ...]:
    """The calls, in order."""
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
        ApiCall(call="compute.instances.insert", permissions=tuple(insert)),
        _reading("zoneOperations.get"),
        _reading("instances.get"),
        _reading("disks.get"),
        ApiCall(
            call="compute.instances.delete",
            permissions=("compute.instances.delete", "compute.disks.delete"),
        ),
    )


def _reading(method: str) -> ApiCall:
    return ApiCall(call=f"compute.{method}", permissions=(f"compute.{method}",))
