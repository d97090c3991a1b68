"""Which requests the verbs of machines make of Resource Manager, and what must be allowed.

"Azure permissions for Compute"
(https://learn.microsoft.com/azure/role-based-access-control/permissions/compute) and "for
Networking" (https://learn.microsoft.com/azure/role-based-access-control/permissions/networking).
Listings are of the whole subscription.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from airflow_multicloud.clouds.azure.compute.fields import parsed
from airflow_multicloud.clouds.azure.compute.networks import network_of
from airflow_multicloud.ports.calls import ApiCall, CallTable

_VM, _DISK = "Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks"
_NIC, _IP = "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"
_SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
_NETWORK = "Microsoft.Network/virtualNetworks"
_SKUS = "Microsoft.Compute/skus"
_VERSIONS = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions"
_OWN_IMAGES = "Microsoft.Compute/images"
_ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
# Kinds of resources; all others are named in the request.
_SUBSCRIPTION, _GROUP, _MACHINE, _OF_SUBNET = "subscription", "group", "machine", "network"
_SUBNET, _GROUPS, _IDENTITY, _IMAGE = "subnet", "security_group", "identity", "image"


def _call(
    call: str, *permissions: str, resource: str = _GROUP, without: str = "", when: str = ""
) -> ApiCall:
    return ApiCall(
        call=call, permissions=permissions, resource=resource, without=without, when=when
    )


def _read(type_: str, resource: str = _GROUP, when: str = "") -> ApiCall:
    return _call(f"GET {type_}", f"{type_}/read", resource=resource, when=when)


def _act(action: str, without: str = "") -> ApiCall:
    name = f"{_VM}/{action}"
    return _call(f"POST {name}", f"{name}/action", resource=_MACHINE, without=without)


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    if kind == _OF_SUBNET:
        return network_of(facts["subnet"])
    if kind in (_SUBNET, _GROUPS, _IDENTITY, _IMAGE):
        return facts[kind]
    machine = facts.get("instance_id")
    if kind == _MACHINE and machine is not None:
        return machine
    subscription = f"/subscriptions/{facts['subscription']}"
    group = facts.get("group") or _group_of(machine or network_of(facts.get("subnet", "")))
    if kind == _SUBSCRIPTION or group is None:
        return subscription
    return f"{subscription}/resourceGroups/{group}"


def _group_of(resource: str) -> str | None:
    known = parsed(resource)
    return known.group if known else None


def _implied(facts: Mapping[str, str]) -> Iterable[str]:
    yield "own_image" if parsed(facts.get("image")) is not None else "public_image"


# How operations go on: of machines, and of disks.
_OPERATION = _read("Microsoft.Compute/locations/operations", _SUBSCRIPTION)
_OPERATIONS = (_OPERATION, _read("Microsoft.Compute/locations/DiskOperations", _SUBSCRIPTION))
_GET, _LABEL_DISK = _read(_VM, _MACHINE), _call(f"PATCH {_DISK}", f"{_DISK}/write")
_NETWORK_OPERATION = _read("Microsoft.Network/locations/operations", _SUBSCRIPTION)
_PARTS = (_read(_NIC), _read(_DISK), _read(_IP))
_DELETE = (
    _GET,
    *_PARTS,
    _call(
        f"PATCH {_DISK}",
        f"{_DISK}/write",
        without="a disk that Azure leaves behind is not found by its label",
    ),
    *(
        _call(f"DELETE {type_}", f"{type_}/delete", resource=_MACHINE if type_ == _VM else _GROUP)
        for type_ in (_VM, _NIC, _DISK, _IP)
    ),
)

TABLE = CallTable(
    {
        "resolve_launch": (
            _read(_SKUS, _SUBSCRIPTION),
            _read(_NETWORK, _OF_SUBNET),
            _read(_SECURITY_GROUP, _GROUPS, when="security_group"),
            # A group that is named is looked for by them.
            _read(_NIC, when="group"),
            _read(_VERSIONS, _SUBSCRIPTION, when="public_image"),
            _read(_OWN_IMAGES, _IMAGE, when="own_image"),
        ),
        "launch_instance": (
            _GET,
            _read(_NIC),
            _read(_IP, when="public_address"),
            _call(f"PUT {_IP}", f"{_IP}/write", when="public_address"),
            _call(f"PUT {_NIC}", f"{_NIC}/write"),
            _call(f"PUT {_NIC}", f"{_NETWORK}/subnets/join/action", resource=_SUBNET),
            _call(
                f"PUT {_NIC}",
                f"{_SECURITY_GROUP}/join/action",
                resource=_GROUPS,
                when="security_group",
            ),
            _call(f"PUT {_NIC}", f"{_IP}/join/action", when="public_address"),
            _call(f"PUT {_VM}", f"{_VM}/write", f"{_NIC}/join/action"),
            _call(f"PUT {_VM}", _ASSIGN, resource=_IDENTITY, when="identity"),
        ),
        "describe_operation": (_OPERATION, _GET),
        "describe_operation:launch": (_OPERATION, _GET, _read(_DISK), _LABEL_DISK),
        "describe_operation:terminate": (*_OPERATIONS, _NETWORK_OPERATION, *_DELETE),
        "describe_instance": (_GET, _read(_NIC), _read(_IP)),
        "list_instances": (
            *(_read(type_, _SUBSCRIPTION) for type_ in (_NIC, _IP, _DISK, _VM)),
            _read(f"{_VM}/instanceView", _SUBSCRIPTION),
        ),
        "label_instance": (
            _GET,
            *_PARTS,
            _call(f"PATCH {_NIC}", f"{_NIC}/write"),
            _call(f"PATCH {_IP}", f"{_IP}/write", when="public_address"),
            _LABEL_DISK,
            _call(f"PATCH {_VM}", f"{_VM}/write", resource=_MACHINE),
            *_OPERATIONS,
        ),
        "power_instance:on": (_GET, _act("start")),
        "power_instance:off": (_GET, _act("deallocate")),
        "terminate_instance": _DELETE,
        "read_console": (
            _act(
                "retrieveBootDiagnosticsData",
                without="why an instance is not healthy is told without its console",
            ),
        ),
    },
    _resource,
    _implied,
)
