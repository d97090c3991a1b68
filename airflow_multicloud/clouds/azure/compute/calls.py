"""The calls that an instance takes from its plan to its end, and what the caller must be allowed.

"Azure permissions for Compute"
(https://learn.microsoft.com/azure/role-based-access-control/permissions/compute) and "for
Networking" (https://learn.microsoft.com/azure/role-based-access-control/permissions/networking).
"""

from __future__ import annotations

from airflow_multicloud.ports.compute import ApiCall, LaunchRequest

_VM, _DISK = "Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks"
_NIC, _IP = "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"
_GROUP = "Microsoft.Network/networkSecurityGroups"
_NETWORK = "Microsoft.Network/virtualNetworks"
_SKUS = "Microsoft.Compute/skus"
_VERSIONS = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions"
_OWN_IMAGES = "Microsoft.Compute/images"
# How operations go on: of machines, and of disks.
_OPERATIONS = "Microsoft.Compute/locations/operations"
_DISK_OPERATIONS = "Microsoft.Compute/locations/DiskOperations"
_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
_READ = (_OPERATIONS, _DISK_OPERATIONS, _VM, f"{_VM}/instanceView", _NIC, _DISK)
# Stopping, starting, and the console of one that failed.
_ACTIONS = ("deallocate", "start", "retrieveBootDiagnosticsData")


def calls_of(request: LaunchRequest, *, own_image: bool) -> tuple[ApiCall, ...]:
    """The calls of one instance: looked up, launched, kept, terminated.

    :param own_image: whether the image is one of the subscription's, and not the marketplace's.
    """
    network = request.network
    nic = [f"{_NIC}/write", f"{_NIC}/read", f"{_NETWORK}/subnets/join/action"]
    vm = [f"{_VM}/write", f"{_VM}/read", f"{_NIC}/join/action"]
    looked_up = [_SKUS, _NETWORK, _OWN_IMAGES if own_image else _VERSIONS]
    if network.security_groups:
        nic.append(f"{_GROUP}/join/action")
        looked_up.append(_GROUP)
    # Also without one: whether an address was left behind is looked at.
    told = [*_READ, _IP]
    changed: list[tuple[str, str, tuple[str, ...]]] = []
    gone: list[tuple[str, str, tuple[str, ...]]] = []
    if network.public_address:
        nic.append(f"{_IP}/join/action")
        changed.append(("PUT", _IP, (f"{_IP}/write",)))
        gone.append(("DELETE", _IP, (f"{_IP}/delete",)))
    if request.identity is not None:
        vm.append(_ASSIGN)
    return tuple(
        ApiCall(call=f"{method} {type_}", permissions=needed)
        for method, type_, needed in (
            *(("GET", type_, (f"{type_}/read",)) for type_ in (*looked_up, *told)),
            *changed,
            ("PUT", _NIC, tuple(nic)),
            ("PUT", _VM, tuple(vm)),
            ("PATCH", _NIC, (f"{_NIC}/write",)),
            ("PATCH", _VM, (f"{_VM}/write",)),
            ("PATCH", _DISK, (f"{_DISK}/write",)),
            *(("POST", f"{_VM}/{act}", (f"{_VM}/{act}/action",)) for act in _ACTIONS),
            ("DELETE", _VM, (f"{_VM}/delete",)),
            ("DELETE", _NIC, (f"{_NIC}/delete",)),
            ("DELETE", _DISK, (f"{_DISK}/delete",)),
            *gone,
        )
    )
