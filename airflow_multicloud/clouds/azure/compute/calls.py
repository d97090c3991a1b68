"""The calls that launching and terminating take, and what the caller must be allowed.

"Azure permissions for Compute"
(https://learn.microsoft.com/azure/role-based-access-control/permissions/compute) and "for
Networking" (https://learn.microsoft.com/azure/role-based-access-control/permissions/networking).
"""

from __future__ import annotations

from airflow_multicloud.ports.compute import ApiCall

_VM, _DISK = "Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks"
_NIC, _IP = "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"
_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"


def calls_of(*, security_group: bool, public_address: bool, identity: bool) -> tuple[ApiCall, ...]:
    """The calls of one instance, launched and terminated.

    :param security_group: whether its interface gets one.
    :param public_address: whether it gets an address of the internet.
    :param identity: whether it gets one.
    """
    nic = [f"{_NIC}/write", f"{_NIC}/read", "Microsoft.Network/virtualNetworks/subnets/join/action"]
    vm = [f"{_VM}/write", f"{_VM}/read", f"{_NIC}/join/action"]
    if security_group:
        nic.append("Microsoft.Network/networkSecurityGroups/join/action")
    if public_address:
        nic.append(f"{_IP}/join/action")
    if identity:
        vm.append(_ASSIGN)
    address = [("PUT", _IP, (f"{_IP}/write", f"{_IP}/read"))] if public_address else []
    address_gone = [("DELETE", _IP, (f"{_IP}/delete", f"{_IP}/read"))] if public_address else []
    told = (
        *address,
        ("PUT", _NIC, tuple(nic)),
        ("PUT", _VM, tuple(vm)),
        ("PATCH", _DISK, (f"{_DISK}/write", f"{_DISK}/read")),
        ("DELETE", _VM, (f"{_VM}/delete", f"{_VM}/read")),
        ("DELETE", _NIC, (f"{_NIC}/delete", f"{_NIC}/read")),
        ("DELETE", _DISK, (f"{_DISK}/delete", f"{_DISK}/read")),
        *address_gone,
    )
    return tuple(
        ApiCall(call=f"{method} {type_}", permissions=needed) for method, type_, needed in told
    )
