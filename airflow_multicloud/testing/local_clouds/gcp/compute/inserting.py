"""What a request for a new instance comes to; words of refusals as users quote them.

"Machine type with name 'f1-micro' does not exist in zone …":
https://github.com/gruntwork-io/terratest/issues/1132.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.compute.catalogue import (
    images,
    machine_types,
    region_of,
    subnetworks,
)
from airflow_multicloud.testing.local_clouds.gcp.compute.labels import checked
from airflow_multicloud.testing.local_clouds.gcp.compute.links import (
    NAME,
    fingerprint_of,
    labelled,
    link,
    now,
    number_of,
    path_of,
    zone_path,
)
from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import invalid

Resource = dict[str, Any]

_TYPE = re.compile(r"projects/([^/]+)/zones/([^/]+)/machineTypes/([^/]+)")
_IMAGE = re.compile(r"projects/([^/]+)/global/images/(family/)?([^/]+)")
_SUBNET = re.compile(r"projects/([^/]+)/regions/([^/]+)/subnetworks/([^/]+)")
_NUMBERS = count(1)
#: https://cloud.google.com/compute/docs/metadata/setting-custom-metadata#limitations
_LONGEST_VALUE = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A new instance, checked.

    :param disk: what its boot disk is made from (``initializeParams``).
    :param number: its numeric id.
    """

    zone: str
    name: str
    machine_type: str
    body: Mapping[str, Any]
    disk: Resource
    disk_name: str
    auto_delete: bool
    number: str

    @property
    def script(self) -> str:
        """What it runs at each start."""
        items = self.body.get("metadata", {}).get("items", [])
        return str({i["key"]: i.get("value", "") for i in items}.get("startup-script", ""))


def wanted_of(zone: str, body: Mapping[str, Any]) -> Wanted:
    """What a request asks for.

    :raises Refusal: for what may not be, or is not there.
    """
    name = body.get("name", "")
    if not NAME.fullmatch(name):
        why = f"Must be a match of regex '{NAME.pattern}'"
        raise invalid("resource.name", name, why)
    checked("resource.labels", body.get("labels", {}))
    machine_type = _machine_type(zone, body.get("machineType", ""))
    disk = _boot_disk(body)
    _check_network(zone, body)
    _check_metadata(body)
    wanted = disk["initializeParams"]
    return Wanted(
        zone=zone,
        name=name,
        machine_type=machine_type,
        body=body,
        disk={**wanted, "sourceImage": _image(wanted.get("sourceImage", ""))},
        disk_name=wanted.get("diskName", name),
        auto_delete=disk.get("autoDelete", False),
        number=number_of("instance", next(_NUMBERS), now()),
    )


def resource_of(wanted: Wanted, address: str) -> Resource:
    """The instance as Google tells it, at first."""
    zone, body = wanted.zone, wanted.body
    given = body["networkInterfaces"][0]
    metadata, tags = body.get("metadata", {}), body.get("tags", {})
    interface: Resource = {
        "kind": "compute#networkInterface",
        "name": "nic0",
        "network": link(f"projects/{PROJECT}/global/networks/default"),
        "subnetwork": link(path_of(given["subnetwork"])),
        "networkIP": address,
        "fingerprint": fingerprint_of(address),
        "stackType": "IPV4_ONLY",
    }
    if given.get("accessConfigs"):
        public = {"kind": "compute#accessConfig", "type": "ONE_TO_ONE_NAT", "name": "External NAT"}
        last = address.rpartition(".")[2]
        interface["accessConfigs"] = [{**public, "natIP": f"192.0.2.{last}"}]
    path = f"{zone_path(zone)}/instances/{wanted.name}"
    made: Resource = {
        "kind": "compute#instance",
        "id": wanted.number,
        "name": wanted.name,
        "zone": link(zone_path(zone)),
        "selfLink": link(path),
        "creationTimestamp": now(),
        "machineType": link(f"{zone_path(zone)}/machineTypes/{wanted.machine_type}"),
        "status": "PROVISIONING",
        "networkInterfaces": [interface],
        "disks": [
            {
                "kind": "compute#attachedDisk",
                "type": "PERSISTENT",
                "mode": "READ_WRITE",
                "deviceName": "persistent-disk-0",
                "index": 0,
                "boot": True,
                "autoDelete": wanted.auto_delete,
                "interface": "SCSI",
            }
        ],
        "metadata": {
            "kind": "compute#metadata",
            "fingerprint": fingerprint_of(metadata.get("items", [])),
            **metadata,
        },
        "tags": {"fingerprint": fingerprint_of(tags.get("items", [])), **tags},
        "canIpForward": False,
        "deletionProtection": False,
        "startRestricted": False,
    }
    if body.get("serviceAccounts"):
        made["serviceAccounts"] = body["serviceAccounts"]
    return labelled(made, body.get("labels", {}))


def _machine_type(zone: str, given: str) -> str:
    match = _TYPE.fullmatch(path_of(given))
    if match is None or match[2] != zone:
        raise invalid("resource.machineType", given, "The URL is malformed.")
    if match[3] not in machine_types(zone):
        why = f"Machine type with name '{match[3]}' does not exist in zone '{zone}'."
        raise invalid("resource.machineType", given, why)
    return match[3]


def _boot_disk(body: Mapping[str, Any]) -> Mapping[str, Any]:
    disks = body.get("disks", [])
    if len(disks) != 1 or not disks[0].get("boot") or "initializeParams" not in disks[0]:
        why = "Here an instance has one boot disk, which is made from an image."
        raise invalid("resource.disks", "", why)
    disk: Mapping[str, Any] = disks[0]
    return disk


def _image(given: str) -> str:
    """The path of the exact image."""
    match = _IMAGE.fullmatch(path_of(given))
    known = images(match[1]) if match else {}
    if match is not None and match[2]:
        current = [
            name
            for name, image in known.items()
            if image["family"] == match[3] and "deprecated" not in image
        ]
        name = max(current, default="")
    else:
        name = match[3] if match else ""
    if match is None or name not in known:
        why = "The referenced image resource cannot be found."
        raise invalid("resource.disks[0].initializeParams.sourceImage", given, why)
    if known[name].get("deprecated", {}).get("state") == "OBSOLETE":
        why = "The referenced image resource is obsolete and cannot be used."
        raise invalid("resource.disks[0].initializeParams.sourceImage", given, why)
    return f"projects/{match[1]}/global/images/{name}"


def _check_network(zone: str, body: Mapping[str, Any]) -> None:
    interfaces = body.get("networkInterfaces", [])
    if len(interfaces) != 1:
        raise invalid("resource.networkInterfaces", "", "Here an instance has exactly one.")
    given = interfaces[0].get("subnetwork", "")
    match = _SUBNET.fullmatch(path_of(given))
    known = match is not None and match[1] == PROJECT and match[2] == region_of(zone)
    if match is None or not known or match[3] not in subnetworks(match[2]):
        raise invalid(
            "resource.networkInterfaces[0].subnetwork",
            given,
            "The referenced subnetwork resource cannot be found.",
        )


def _check_metadata(body: Mapping[str, Any]) -> None:
    for place, item in enumerate(body.get("metadata", {}).get("items", [])):
        if (size := len(item.get("value", ""))) > _LONGEST_VALUE:
            raise invalid(
                f"resource.metadata.items[{place}].value",
                "",
                f"The value is too large: maximum size {_LONGEST_VALUE} character(s); actual "
                f"size {size}.",
            )
