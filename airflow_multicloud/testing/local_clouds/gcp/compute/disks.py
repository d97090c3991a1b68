"""Persistent disks: made with an instance, and gone with it or by themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.compute.catalogue import IMAGE_GB, ZONES
from airflow_multicloud.testing.local_clouds.gcp.compute.labels import changed, checked
from airflow_multicloud.testing.local_clouds.gcp.compute.links import (
    labelled,
    link,
    now,
    number_of,
    path_of,
    zone_path,
)
from airflow_multicloud.testing.local_clouds.gcp.compute.operations import Operations, Work
from airflow_multicloud.testing.local_clouds.gcp.compute.pages import listed
from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import (
    exists,
    invalid,
    not_found,
)
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal

Resource = dict[str, Any]


class Disks:
    """The disks of the project; used under the engine's lock."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._kept: dict[tuple[str, str], Resource] = {}

    def check_new(self, zone: str, name: str, wanted: Resource) -> None:
        """Whether a disk may be made.

        :raises Refusal: when it may not.
        """
        if (zone, name) in self._kept:
            raise exists(_path(zone, name))
        checked("resource.disks[0].initializeParams.labels", wanted.get("labels", {}))
        size = wanted.get("diskSizeGb", str(IMAGE_GB))
        if int(size) < IMAGE_GB:
            why = f"Requested disk size cannot be smaller than the image size ({IMAGE_GB} GB)"
            raise invalid("resource.disks[0].initializeParams.diskSizeGb", size, why)

    def make(self, zone: str, name: str, wanted: Resource, users: list[str]) -> str:
        """Make one.

        :param users: links of the instances it is attached to.
        :return: its link.
        """
        path = _path(zone, name)
        made: Resource = {
            "kind": "compute#disk",
            "id": number_of(path, now()),
            "name": name,
            "zone": link(zone_path(zone)),
            "selfLink": link(path),
            "creationTimestamp": now(),
            "sizeGb": wanted.get("diskSizeGb", str(IMAGE_GB)),
            "sourceImage": link(path_of(wanted["sourceImage"])),
            "status": "READY",
            "type": link(f"{zone_path(zone)}/diskTypes/pd-standard"),
            "users": users,
        }
        if "description" in wanted:
            made["description"] = wanted["description"]
        self._kept[zone, name] = labelled(made, wanted.get("labels", {}))
        return link(path)

    def remove(self, zone: str, name: str) -> None:
        """Remove one, if it is there."""
        self._kept.pop((zone, name), None)

    def leave(self, zone: str, name: str) -> None:
        """Detach one from its instance, which goes without it."""
        if (zone, name) in self._kept:
            self._kept[zone, name]["users"] = []

    def get(self, call: Call) -> Resource:
        """One disk."""
        return self._shown(self._found(call.parameters["zone"], call.parameters["disk"]))

    def list_zone(self, call: Call) -> Resource:
        """All of a zone."""
        zone = call.parameters["zone"]
        found = self.by_zone().get(zone, [])
        return listed(call, "diskList", f"{zone_path(zone)}/disks", found)

    def by_zone(self) -> dict[str, list[Resource]]:
        """Zone → its disks."""
        found: dict[str, list[Resource]] = {zone: [] for zone in ZONES}
        for (zone, _), disk in self._kept.items():
            found[zone].append(self._shown(disk))
        return found

    def delete(self, call: Call) -> Resource:
        """Delete one that no instance uses."""
        if (known := self._operations.known(call)) is not None:
            return known
        zone, name = call.parameters["zone"], call.parameters["disk"]
        disk = self._found(zone, name)
        if disk["users"]:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                f"The disk resource '{_path(zone, name)}' is already being used by "
                f"'{disk['users'][0].partition('/v1/')[2]}'",
                reason="resourceInUseByAnotherResource",
            )
        work = Work(
            kind="delete",
            path=_path(zone, name),
            target=disk["id"],
            finish=lambda: self.remove(zone, name),
        )
        return self._operations.begin(call, work)

    def set_labels(self, call: Call) -> Resource:
        """Change one's labels."""
        if (known := self._operations.known(call)) is not None:
            return known
        zone, name = call.parameters["zone"], call.parameters["resource"]
        disk = self._found(zone, name)
        self._kept[zone, name] = changed(disk, call.body)
        work = Work(
            kind="setLabels", path=_path(zone, name), target=disk["id"], finish=lambda: None
        )
        return self._operations.begin(call, work)

    def _found(self, zone: str, name: str) -> Resource:
        if (zone, name) not in self._kept:
            raise not_found(_path(zone, name))
        return self._kept[zone, name]

    def _shown(self, disk: Resource) -> Resource:
        return {key: value for key, value in disk.items() if key != "users" or value}


def _path(zone: str, name: str) -> str:
    return f"{zone_path(zone)}/disks/{name}"
