"""Compute Engine's resources in the port's words.

States: https://cloud.google.com/compute/docs/instances/instance-lifecycle
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from google.cloud import compute_v1

from airflow_multicloud.adapters.answers import moment
from airflow_multicloud.clouds.gcp.compute.errors import wrong
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import Instance, InstanceRef, InstanceState

#: Item of an instance's metadata that holds the order's token; it is no secret.
TOKEN: Final = "multicloud-token"  # noqa: S105
#: Description of a disk that was made with an instance, so that no other disk of its name is taken
#: for it.
DISK_NOTE: Final = "Boot disk made by airflow-multicloud together with its instance"

#: A project may belong to a domain, ``example.com:name``.
_INSTANCE = re.compile(r"projects/([a-z0-9.:-]+)/zones/([a-z0-9-]+)/instances/([a-z0-9-]+)")
_DISK = re.compile(r"projects/([a-z0-9.:-]+)/zones/([a-z0-9-]+)/disks/([a-z0-9-]+)")

#: TERMINATED is Google's word for one that is stopped; one that is deleted is not told of at all.
#: STOPPING is both: on the way to being stopped, and to being deleted.
STATES: Mapping[str, InstanceState] = MappingProxyType(
    {
        "PENDING": InstanceState.PENDING,
        "PROVISIONING": InstanceState.PENDING,
        "STAGING": InstanceState.PENDING,
        "REPAIRING": InstanceState.PENDING,
        "RUNNING": InstanceState.RUNNING,
        "PENDING_STOP": InstanceState.STOPPING,
        "STOPPING": InstanceState.STOPPING,
        "SUSPENDING": InstanceState.STOPPING,
        "SUSPENDED": InstanceState.STOPPED,
        "STOPPED": InstanceState.STOPPED,
        "TERMINATED": InstanceState.STOPPED,
        "DEPROVISIONING": InstanceState.TERMINATING,
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance, or a disk, is."""

    project: str
    zone: str
    name: str

    @property
    def id(self) -> str:
        """The instance as :class:`InstanceRef` has it."""
        return f"projects/{self.project}/zones/{self.zone}/instances/{self.name}"

    @property
    def region(self) -> str:
        """Where the zone is."""
        return region_of(self.zone)

    @property
    def ref(self) -> InstanceRef:
        """The instance's."""
        return InstanceRef(self.id, self.region)

    @property
    def console_url(self) -> str:
        """The instance's page in Google's console."""
        return (
            f"https://console.cloud.google.com/compute/instancesDetail/zones/{self.zone}"
            f"/instances/{self.name}?project={self.project}"
        )


def place_of(instance_id: str) -> Place:
    """Where an instance is.

    :raises DeploymentError: ``invalid_argument`` for a text that names none.
    """
    found = _INSTANCE.fullmatch(instance_id)
    if found is None:
        raise wrong(
            "ref", f"{instance_id!r} given; expected projects/P/zones/Z/instances/N of Google Cloud"
        )
    return Place(*found.groups())


def region_of(zone: str) -> str:
    """The region of a zone: its name without the last letter."""
    return zone.rpartition("-")[0]


def path_of(link: str) -> str:
    """A resource's path, without the host and the version that links begin with."""
    _, found, path = link.partition("/projects/")
    return f"projects/{path}" if found else link


def last_of(link: str) -> str:
    """The name at a link's end."""
    return link.rpartition("/")[2]


def disk_place_of(link: str) -> Place | None:
    """Where a zonal disk is; ``None`` for another kind of disk."""
    found = _DISK.fullmatch(path_of(link))
    return Place(*found.groups()) if found else None


def boot_disk_of(instance: compute_v1.Instance) -> Place | None:
    """Where an instance's boot disk is, if it has a zonal one."""
    links = [disk.source for disk in instance.disks if disk.boot]
    return disk_place_of(links[0]) if links else None


def is_ours(disk: compute_v1.Disk) -> bool:
    """Whether a disk was made with an instance by this package."""
    return disk.description == DISK_NOTE


def token_of(instance: compute_v1.Instance) -> str | None:
    """The token of the order that made it, if one of this package did."""
    items = {item.key: item.value for item in instance.metadata.items}
    return items.get(TOKEN)


def instance_of(found: compute_v1.Instance, image: str) -> Instance:
    """An instance in the port's words.

    :param image: link of what its boot disk was made from.
    :raises ValueError: when it is no instance.
    """
    named = _INSTANCE.fullmatch(path_of(found.self_link))
    if named is None:
        raise ValueError(f"selfLink {found.self_link!r} names no instance")
    place = Place(*named.groups())
    state = STATES.get(found.status, InstanceState.PENDING)
    interface = next(iter(found.network_interfaces), compute_v1.NetworkInterface())
    public = next((config.nat_i_p for config in interface.access_configs if config.nat_i_p), None)
    return Instance(
        ref=place.ref,
        name=found.name,
        state=state,
        account_id=place.project,
        size=last_of(found.machine_type),
        image=path_of(image),
        zone=place.zone,
        labels=dict(found.labels),
        address=interface.network_i_p or None,
        public_address=public,
        created_at=moment(found.creation_timestamp) if found.creation_timestamp else None,
        error=found.status_message or None,
        console_url=place.console_url,
    )


def remains_of(disk: compute_v1.Disk, place: Place) -> Instance:
    """What is left of an instance: its disk. It is terminated as the instance would be."""
    return Instance(
        ref=place.ref,
        name=place.name,
        state=InstanceState.INCOMPLETE,
        account_id=place.project,
        size="",
        image=path_of(disk.source_image),
        zone=place.zone,
        labels=dict(disk.labels),
        created_at=moment(disk.creation_timestamp) if disk.creation_timestamp else None,
        error_kind=ErrorKind.NOT_FOUND,
        error=f"only the disk {place.name} is there, its instance is not",
    )
