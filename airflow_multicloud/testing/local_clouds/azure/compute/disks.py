"""Managed disks, which are made with a machine."""

from __future__ import annotations

import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from azure.mgmt.compute import models  # noqa: TID253 - see azure.arm.__main__
from azure.mgmt.compute.operations import _operations as operations  # noqa: TID253 - likewise

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.compute.world import (
    Body,
    World,
    accepted,
    listed,
    now,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer

PROVIDER = "Microsoft.Compute"
DISK = f"{PROVIDER}/disks"
#: Where the operations of disks lie.
OPERATIONS = "DiskOperations"
_GIB = 2**30
#: Of the images, and so of the disks that are made of them.
IMAGE_GIB = 30
# The header is there as it is on Azure; with 0, the SDK looks again when its caller wants it.
_RETRY_AFTER = {"Retry-After": "0"}


def routes(world: World) -> list[Route]:
    """The operations served."""
    disk: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
        "disk_name": "{name}",
    }
    return [
        sdk_route(
            operations.build_disks_get_request(**disk),
            world.handler(lambda call: conforming(models.Disk, world.required(call))),
        ),
        sdk_route(
            operations.build_disks_update_request(**disk),
            world.handler(lambda call: _update(world, call)),
            body=models.DiskUpdate,
            operation="update",
        ),
        sdk_route(
            operations.build_disks_delete_request(**disk),
            world.handler(lambda call: _delete(world, call)),
        ),
        sdk_route(
            operations.build_disks_list_request("{subscription}"),
            world.handler(lambda call: listed(call, models.Disk, world.of_type(DISK))),
            also=frozenset({"$skiptoken"}),
        ),
    ]


def make(world: World, vm: Body, os_disk: Body) -> str:
    """The disk of a machine that is made from an image; its id.

    :raises Refusal: 409, when its name is taken.
    """
    id_ = f"{vm['id'].partition('/providers/')[0]}/providers/{DISK}/{os_disk['name']}"
    if id_.lower() in world.kept:
        raise Refusal(
            HTTPStatus.CONFLICT,
            "ConflictingUserInput",
            f"Disk {os_disk['name']} already exists in resource group. Only CreateOption.Attach is "
            "supported.",
        )
    size = os_disk.get("diskSizeGB") or IMAGE_GIB
    world.kept[id_.lower()] = {
        "id": id_,
        "name": os_disk["name"],
        "type": DISK,
        "location": vm["location"],
        "managedBy": vm["id"],
        "sku": {"name": "Premium_LRS", "tier": "Premium"},
        **({"zones": vm["zones"]} if vm.get("zones") else {}),
        "properties": {
            "osType": "Linux",
            "creationData": {"createOption": "FromImage"},
            "diskSizeGB": size,
            "diskSizeBytes": size * _GIB,
            "diskIOPSReadWrite": 120,
            "diskMBpsReadWrite": 25,
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            "uniqueId": str(uuid.uuid4()),
            "timeCreated": now(),
            "provisioningState": "Succeeded",
            "diskState": "Attached",
        },
    }
    return id_


def detach(world: World, id_: str) -> None:
    """Leave a disk behind that was a machine's."""
    disk = world.kept[id_.lower()]
    disk.pop("managedBy", None)
    disk["properties"]["diskState"] = "Unattached"


def _update(world: World, call: Call) -> Answer:
    disk = world.required(call)
    given = call.json
    if set(given) - {"tags"}:
        raise Refusal(HTTPStatus.BAD_REQUEST, "InvalidParameter", "Only tags can be changed here.")
    disk["tags"] = given["tags"]
    operation = world.begin(disk["id"], 2, lambda: None)
    operation.output = disk
    headers = {
        **accepted(call, PROVIDER, disk["location"], operation, kind=OPERATIONS),
        **_RETRY_AFTER,
    }
    answer = conforming(models.Disk, disk)
    return replace(answer, status=HTTPStatus.ACCEPTED, headers=headers)


def _delete(world: World, call: Call) -> Answer:
    disk = world.kept.get(call.request.path.lower())
    if disk is None:
        return Answer(status=HTTPStatus.NO_CONTENT)
    if (user := disk.get("managedBy")) is not None:
        raise Refusal(
            HTTPStatus.CONFLICT,
            "OperationNotAllowed",
            f"Disk {disk['name']} is attached to VM {user}.",
        )
    disk["properties"]["provisioningState"] = "Deleting"
    operation = world.begin(disk["id"], 2, lambda: world.remove(disk["id"]))
    headers = accepted(call, PROVIDER, disk["location"], operation, kind=OPERATIONS)
    return Answer(status=HTTPStatus.ACCEPTED, headers=headers)
