"""What becomes of a machine: made, started, stopped, deleted, with the parts that are its own."""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.arm.http import Refusal
from airflow_multicloud.testing.local_clouds.azure.compute import disks
from airflow_multicloud.testing.local_clouds.azure.compute.catalogue import SIZES, ZONES
from airflow_multicloud.testing.local_clouds.azure.compute.defaults import fill_machine
from airflow_multicloud.testing.local_clouds.azure.compute.faults import Words, words
from airflow_multicloud.testing.local_clouds.azure.compute.lookups import has_image
from airflow_multicloud.testing.local_clouds.azure.compute.network import (
    addresses_to_delete,
    remove_nic,
)
from airflow_multicloud.testing.local_clouds.azure.compute.world import (
    Body,
    Operation,
    World,
    invalid_reference,
    now,
)
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCase

VM = "Microsoft.Compute/virtualMachines"
# How many looks each takes.
_CREATION, _DELETION, _POWER = 2, 2, 2


@dataclass(slots=True)
class _Inside:
    """What is known of a machine beside its resource.

    :param dies_at: when it stops by itself, by the monotonic clock.
    """

    script: bytes
    power: str = ""
    delay: float = 0.0
    runs_script: bool = True
    dies_after: float | None = None
    dies_at: float | None = None
    failure: Words | None = None


class Life:
    """The machines of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._inside: dict[str, _Inside] = {}

    def create(self, vm: Body, case: MachineCase) -> Operation:
        """Make a machine and its disk; its interface becomes its own.

        :raises Refusal: 400 or 409, when what it is made of is not there or taken.
        """
        properties = vm["properties"]
        self._check(vm)
        nic = self._nic(vm)
        fill_machine(properties)
        os_disk = properties["storageProfile"]["osDisk"]
        disk = disks.make(self._world, vm, os_disk)
        nic["properties"]["virtualMachine"] = {"id": vm["id"]}
        os_disk["managedDisk"] = {**(os_disk.get("managedDisk") or {}), "id": disk}
        properties.update(provisioningState="Creating", vmId=str(uuid.uuid4()), timeCreated=now())
        self.touch(vm)
        inside = self._inside[vm["id"].lower()] = _Inside(_script(properties))
        self._plant(inside, case)
        self._world.kept[vm["id"].lower()] = vm

        def finish() -> tuple[str, str] | None:
            if inside.failure is not None:
                properties["provisioningState"] = "Failed"
                return inside.failure.code, inside.failure.message
            properties["provisioningState"] = "Succeeded"
            self._boot(vm, inside)
            return None

        return self._world.begin(vm["id"], _CREATION, finish)

    def start(self, vm: Body) -> Operation:
        """Start a machine that is stopped."""
        inside = self._inside[vm["id"].lower()]
        vm["properties"]["provisioningState"] = "Updating"
        inside.power = "starting"

        def finish() -> None:
            vm["properties"]["provisioningState"] = "Succeeded"
            self._boot(vm, inside)

        return self._world.begin(vm["id"], _POWER, finish)

    def deallocate(self, vm: Body) -> Operation:
        """Stop a machine."""
        inside = self._inside[vm["id"].lower()]
        vm["properties"]["provisioningState"] = "Updating"
        inside.power, inside.dies_at = "deallocating", None
        self._world.machines.shut_down(_nic_id(vm))

        def finish() -> None:
            vm["properties"]["provisioningState"] = "Succeeded"
            inside.power = "deallocated"

        return self._world.begin(vm["id"], _POWER, finish)

    def delete(self, vm: Body) -> Operation:
        """Delete a machine, and those of its parts that are to go with it."""
        vm["properties"]["provisioningState"] = "Deleting"
        self._world.machines.shut_down(_nic_id(vm))
        return self._world.begin(vm["id"], _DELETION, lambda: self._remove(vm))

    def view(self, vm: Body) -> Body:
        """Its instance view, but for what only an agent within it could tell."""
        storage = vm["properties"]["storageProfile"]
        made = {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Provisioning succeeded",
            "time": vm["properties"]["timeCreated"],
        }
        return {
            "disks": [{"name": storage["osDisk"]["name"], "statuses": [made]}],
            "hyperVGeneration": "V2",
            "statuses": self._statuses(vm),
        }

    def _statuses(self, vm: Body) -> list[Body]:
        """Its instance view's statuses."""
        inside = self._inside[vm["id"].lower()]
        if inside.dies_at is not None and time.monotonic() >= inside.dies_at:
            inside.power, inside.dies_at = "stopped", None
        state = vm["properties"]["provisioningState"].lower()
        code, level, message = f"ProvisioningState/{state}", "Info", None
        if state == "failed" and inside.failure is not None:
            code, level = f"{code}/{inside.failure.code}", "Error"
            message = inside.failure.message
        told: Body = {
            "code": code,
            "level": level,
            "displayStatus": f"Provisioning {state}",
            "time": vm["properties"]["timeCreated"],
        }
        if message is not None:
            told["message"] = message
        power = {
            "code": f"PowerState/{inside.power}",
            "level": "Info",
            "displayStatus": f"VM {inside.power}",
        }
        return [told, power] if inside.power else [told]

    def touch(self, vm: Body) -> None:
        """Note that it was changed."""
        vm["etag"] = f'"{next(self._world.numbers)}"'

    def _plant(self, inside: _Inside, case: MachineCase) -> None:
        faults = self._world.faults
        if (fault := faults.meet(FaultKind.FAIL_LATER, case)) is not None:
            inside.failure = words(fault.error, case, later=True)
        if (fault := faults.meet(FaultKind.SLOW_BOOT, case)) is not None:
            inside.delay = fault.seconds
        inside.runs_script = faults.meet(FaultKind.NO_BOOT, case) is None
        if (fault := faults.meet(FaultKind.DIE, case)) is not None:
            inside.dies_after = fault.seconds

    def _boot(self, vm: Body, inside: _Inside) -> None:
        inside.power = "running"
        if inside.dies_after is not None:
            inside.dies_at = time.monotonic() + inside.delay + inside.dies_after
        self._world.machines.boot(
            _nic_id(vm),
            inside.script,
            delay=inside.delay,
            runs_script=inside.runs_script,
            dies_after=inside.dies_after,
        )
        inside.dies_after = None  # it dies once

    def _remove(self, vm: Body) -> None:
        world = self._world
        reference = vm["properties"]["networkProfile"]["networkInterfaces"][0]
        nic = world.kept[reference["id"].lower()]
        nic["properties"].pop("virtualMachine", None)
        if (reference.get("properties") or {}).get("deleteOption") == "Delete":
            for address in addresses_to_delete(world, nic):
                world.remove(address)
            remove_nic(world, nic)
        os_disk = vm["properties"]["storageProfile"]["osDisk"]
        if os_disk.get("deleteOption") == "Delete":
            world.remove(os_disk["managedDisk"]["id"])
        else:
            disks.detach(world, os_disk["managedDisk"]["id"])
        world.remove(vm["id"])
        self._inside.pop(vm["id"].lower(), None)

    def _nic(self, vm: Body) -> Body:
        id_ = _nic_id(vm)
        nic = self._world.kept.get(id_)
        if nic is None or nic["location"] != vm["location"]:
            raise invalid_reference(id_, vm["id"])
        if (user := nic["properties"].get("virtualMachine")) is not None:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "NicInUse",
                f"Network Interface {id_} is used by existing resource {user['id']}.",
            )
        return nic

    def _check(self, vm: Body) -> None:
        properties = vm["properties"]
        size = (properties.get("hardwareProfile") or {}).get("vmSize")
        if size not in SIZES:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "InvalidParameter",
                f"The value {size} provided for the VM size is not valid.",
            )
        if set(vm.get("zones") or ()) - {*ZONES}:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "InvalidAvailabilityZone", f"No such zone: {vm['zones']}."
            )
        reference = properties["storageProfile"]["imageReference"]
        own = str(reference.get("id", "")).lower() in self._world.kept
        if not own and not has_image(reference):
            raise Refusal(
                HTTPStatus.NOT_FOUND,
                "PlatformImageNotFound",
                f"The platform image '{':'.join(map(str, reference.values()))}' is not available.",
            )


def _nic_id(vm: Body) -> str:
    """Of its one interface, in lower case; its machine is known by it."""
    id_: str = vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    return id_.lower()


def _script(properties: dict[str, Any]) -> bytes:
    try:
        given = properties["osProfile"].get("customData", "")
        return base64.b64decode(given, validate=True)
    except binascii.Error:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "InvalidParameter",
            "Custom data in OSProfile must be in Base64 encoding and with a maximum length of "
            "87380 characters.",
        ) from None
