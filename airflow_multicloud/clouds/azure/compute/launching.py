"""Launching: an interface, then the machine that takes it.

Every step is a PUT to a name that follows from the order, so a launch that stopped anywhere goes
on where it stopped. A machine is only ever made (``If-None-Match: *``), never changed; which order
made something is told by a tag.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.mgmt.compute import models
from azure.mgmt.network import models as network_models
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from airflow_multicloud.clouds.azure.compute.client import Begun, ComputeBase, begun, started
from airflow_multicloud.clouds.azure.compute.errors import failure, if_there, translated
from airflow_multicloud.clouds.azure.compute.fields import (
    ORDER_TAG,
    Place,
    check_order,
    tags_of,
    text_of,
)
from airflow_multicloud.clouds.azure.compute.images import reference_of
from airflow_multicloud.errors import DeploymentError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_multicloud.ports.compute import LaunchOrder
    from airflow_multicloud.ports.operations import Operation

_GIB = 2**30
_USER = "multicloud"
# An interface and an address are made in a second or two; the machine needs them whole.
_PART_WAITS = 20
_PART_WAIT_SECONDS = 1.0
_EXISTS = frozenset({"PreconditionFailed", "ResourceAlreadyExists"})


class Launching(ComputeBase):
    """The port's ``launch_instance``."""

    def launch_instance(self, order: LaunchOrder) -> Operation:
        """Launch one instance, or find the one that this order made before.

        The startup script runs at the first boot only, as Azure does with custom data. Nobody can
        log in: the key that Azure asks for is thrown away.

        :raises DeploymentError: as the port says; ``busy`` while an instance of this name is being
            terminated. A terminated instance's name is free: its order makes a new one.
        """
        check_order(order)
        tags = tags_of(order)
        place = Place(self.subscription, self._group(order), order.name)
        if (known := self._launched(place, order)) is not None:
            return known
        nic = self._made_nic(place, order, tags)
        try:
            return started("launch", place, self._made_vm(place, order, tags, nic))
        except DeploymentError as err:
            if err.kind not in (ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED):
                raise
            # Made meanwhile: by another process with this order, or by a request of ours whose
            # answer was lost.
            known = self._launched(place, order)
            if known is None:
                raise
            return known

    def _finish_launch(self, place: Place, vm: models.VirtualMachine) -> None:
        """Label the boot disk, which was made with the machine.

        Azure gives it the machine's tags, as many report, but no document of Microsoft's says so:
        where they are there already, nothing is done.
        """
        disk = self._any_disk(place)
        storage = vm.properties.storage_profile if vm.properties else None
        os_disk = storage.os_disk if storage else None
        own = os_disk is not None and (os_disk.name or "").lower() == place.disk
        if disk is None or not own or ORDER_TAG in (disk.tags or {}):
            return
        tags = {**(disk.tags or {}), **(vm.tags or {})}
        with translated(f"labelling the disk of {place.id}"):
            begun(
                self._compute.disks.begin_update,
                place.group,
                place.disk,
                models.DiskUpdate(tags=tags),
            )

    def _group(self, order: LaunchOrder) -> str:
        group = order.spec.resource_group
        if group is None:
            raise failure("spec: names no resource_group; expected one from resolve_launch")
        return group.lower()

    def _launched(self, place: Place, order: LaunchOrder) -> Operation | None:
        """The operation of a machine that is there already, if it is this order's."""
        vm = self._vm(place)
        if vm is None:
            return None
        _check_own(vm, order, place.id)
        properties = vm.properties
        if ((properties.provisioning_state if properties else None) or "").lower() == "deleting":
            raise _being_deleted(place.id)
        return started("launch", place, Begun("", None))

    def _made_nic(self, place: Place, order: LaunchOrder, tags: Mapping[str, str]) -> str:
        """The resource id of the interface, which is there afterwards."""
        nics, name = self._network.network_interfaces, place.nic

        def make() -> None:
            address = self._made_address(place, order, tags)
            with translated(f"making {name}"):
                wanted = _nic(order, tags, address)
                begun(nics.begin_create_or_update, place.group, name, wanted)

        return _made(lambda: nics.get(place.group, name), make, order, name)

    def _made_address(
        self, place: Place, order: LaunchOrder, tags: Mapping[str, str]
    ) -> str | None:
        """The resource id of the public address, if one is asked for."""
        if not order.spec.public_address:
            return None
        addresses, name = self._network.public_ip_addresses, place.public_ip

        def make() -> None:
            wanted = network_models.PublicIPAddress(
                location=order.spec.region,
                tags=dict(tags),
                sku=network_models.PublicIPAddressSku(name="Standard"),
                zones=[order.spec.zone] if order.spec.zone else None,
                properties=network_models.PublicIPAddressPropertiesFormat(
                    public_ip_allocation_method="Static"
                ),
            )
            with translated(f"making {name}"):
                begun(addresses.begin_create_or_update, place.group, name, wanted)

        return _made(lambda: addresses.get(place.group, name), make, order, name)

    def _made_vm(
        self, place: Place, order: LaunchOrder, tags: Mapping[str, str], nic: str
    ) -> Begun:
        with translated(f"launching {place.id}"):
            return begun(
                self._compute.virtual_machines.begin_create_or_update,
                place.group,
                place.name,
                _vm(place, order, tags, nic),
                etag="*",
                match_condition=MatchConditions.IfMissing,
            )


def _check_own(resource: Any, order: LaunchOrder, what: str) -> None:
    if (resource.tags or {}).get(ORDER_TAG) != order.token:
        raise failure(
            f"name: there is already {what} of another order; use another name, or terminate that "
            "instance first",
            ErrorKind.ALREADY_EXISTS,
        )


def _is_settled(part: Any) -> bool:
    state = part.properties.provisioning_state if part is not None and part.properties else None
    return text_of(state).lower() == "succeeded"


def _made(get: Callable[[], Any], make: Callable[[], None], order: LaunchOrder, name: str) -> str:
    """The resource id of a part of this order, once it is whole.

    :raises DeploymentError: ``already_exists`` when it is another order's; ``busy`` when making it
        takes longer than it ever should.
    """
    found = if_there(f"reading {name}", get)
    if found is not None:
        _check_own(found, order, name)
    if not _is_settled(found):
        make()
    for _ in range(_PART_WAITS):
        if not _is_settled(found):
            found = if_there(f"reading {name}", get)
        if _is_settled(found):
            return str(found.id)  # type: ignore[union-attr]
        time.sleep(_PART_WAIT_SECONDS)
    raise failure(f"making {name}: Azure has not done it yet; try again", ErrorKind.BUSY)


def _being_deleted(id_: str) -> DeploymentError:
    return failure(f"instance {id_}: it is being terminated; try again", ErrorKind.BUSY)


def _nic(
    order: LaunchOrder, tags: Mapping[str, str], address: str | None
) -> network_models.NetworkInterface:
    groups = order.spec.security_groups
    public = None
    if address is not None:
        public = network_models.PublicIPAddress(
            id=address,
            properties=network_models.PublicIPAddressPropertiesFormat(delete_option="Delete"),
        )
    return network_models.NetworkInterface(
        location=order.spec.region,
        tags=dict(tags),
        properties=network_models.NetworkInterfacePropertiesFormat(
            ip_configurations=[
                network_models.NetworkInterfaceIPConfiguration(
                    name="primary",
                    properties=network_models.NetworkInterfaceIPConfigurationPropertiesFormat(
                        subnet=network_models.Subnet(id=order.spec.subnet),
                        public_ip_address=public,
                    ),
                )
            ],
            network_security_group=(
                network_models.NetworkSecurityGroup(id=groups[0]) if groups else None
            ),
        ),
    )


def _vm(
    place: Place, order: LaunchOrder, tags: Mapping[str, str], nic: str
) -> models.VirtualMachine:
    spec = order.spec
    size = None if spec.disk_bytes is None else -(-spec.disk_bytes // _GIB)
    identity = None
    if spec.identity is not None:
        identity = models.VirtualMachineIdentity(
            type="UserAssigned",
            user_assigned_identities={spec.identity: models.UserAssignedIdentitiesValue()},
        )
    return models.VirtualMachine(
        location=spec.region,
        tags=dict(tags),
        zones=[spec.zone] if spec.zone else None,
        identity=identity,
        properties=models.VirtualMachineProperties(
            hardware_profile=models.HardwareProfile(vm_size=spec.size.name),
            storage_profile=models.StorageProfile(
                image_reference=reference_of(spec.image.id),
                os_disk=models.OSDisk(
                    name=place.disk,
                    create_option="FromImage",
                    delete_option="Delete",
                    disk_size_gb=size,
                ),
            ),
            os_profile=_os(place.name, order.startup_script),
            network_profile=models.NetworkProfile(
                network_interfaces=[
                    models.NetworkInterfaceReference(
                        id=nic,
                        properties=models.NetworkInterfaceReferenceProperties(
                            primary=True, delete_option="Delete"
                        ),
                    )
                ]
            ),
            diagnostics_profile=models.DiagnosticsProfile(
                boot_diagnostics=models.BootDiagnostics(enabled=True)
            ),
        ),
    )


def _os(name: str, script: str) -> models.OSProfile:
    """A user that nobody can log in as: Azure insists on one, and on a way in."""
    public = Ed25519PrivateKey.generate().public_key()
    key = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return models.OSProfile(
        computer_name=name,
        admin_username=_USER,
        custom_data=base64.b64encode(script.encode()).decode(),
        linux_configuration=models.LinuxConfiguration(
            disable_password_authentication=True,
            ssh=models.SshConfiguration(
                public_keys=[
                    models.SshPublicKey(path=f"/home/{_USER}/.ssh/authorized_keys", key_data=key)
                ]
            ),
        ),
    )
