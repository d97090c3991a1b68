"""Describing one instance, and listing by labels.

What there is says the service that keeps it: Resource Manager's own list by tags would be one
request, but is a copy that may lack what was just made, disks above all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from airflow_multicloud.clouds.azure.compute.client import ComputeBase, is_ours
from airflow_multicloud.clouds.azure.compute.errors import failure, if_there, kind_of, translated
from airflow_multicloud.clouds.azure.compute.fields import (
    Place,
    carries,
    missing,
    parsed,
    power_of,
    region_of,
    state_of,
    text_of,
    trouble_of,
)
from airflow_multicloud.ports.compute import Instance, InstanceRef, InstanceState

if TYPE_CHECKING:
    from azure.mgmt.compute.models import InstanceViewStatus, VirtualMachine
    from azure.mgmt.network.models import NetworkInterface, PublicIPAddress

T = TypeVar("T")

_PORTALS = {
    "management.usgovcloudapi.net": "https://portal.azure.us",
    "management.chinacloudapi.cn": "https://portal.azure.cn",
}


@dataclass(slots=True)
class _Kept:
    """A machine and the parts of its name, as far as they are there."""

    vm: VirtualMachine | None = None
    parts: dict[str, Any] = field(default_factory=dict)

    def first(self) -> Any:
        """What tells its labels: the machine, else the part that was made first."""
        return self.vm or next(
            self.parts[kind] for kind in ("nic", "disk", "public_ip") if kind in self.parts
        )


class Listing(ComputeBase):
    """The port's ``describe_instance`` and ``list_instances``."""

    def describe_instance(self, ref: InstanceRef) -> Instance:
        """The instance as it is now; see the port."""
        place = self._place(ref)
        vm = self._vm(place)
        if vm is None:
            kept = _Kept()
            for kind, part in (
                ("nic", self._nic(place)),
                ("disk", self._disk(place)),
                ("public_ip", self._public_ip(place)),
            ):
                if part is not None:
                    kept.parts[kind] = part
            if not kept.parts:
                raise missing(place)
            return self._seen(place, kept, None)
        kept = _Kept(vm=vm)
        if (nic := self._nic(place)) is not None:
            kept.parts["nic"] = nic
            if _has_public_ip(nic) and (address := self._public_ip(place)) is not None:
                kept.parts["public_ip"] = address
        return self._seen(place, kept, vm.properties.instance_view if vm.properties else None)

    def list_instances(
        self, labels: Mapping[str, str | None], region: str | None = None
    ) -> Iterator[Instance]:
        """Everything that carries these labels; four listings, and a view of each that is found."""
        if not labels:
            raise failure("labels: none given, expected at least one")
        for place, kept in self._everything().items():
            told = kept.first()
            if region is not None and region_of(told.location) != region_of(region):
                continue
            if not carries(told.tags or {}, labels):
                continue
            if kept.vm is None:
                yield self._seen(place, kept, None)
                continue
            group, name = place.group, place.name
            view = if_there(
                f"reading the state of {place.id}",
                lambda group=group, name=name: self._compute.virtual_machines.instance_view(  # type: ignore[misc]
                    group, name
                ),
            )
            if view is not None:
                yield self._seen(place, kept, view)

    def _seen(self, place: Place, kept: _Kept, view: Any) -> Instance:
        endpoint = self._manager.endpoint
        if kept.vm is None:
            told = kept.first()
            return _incomplete(place, told.location, told.tags or {}, endpoint)
        return _instance_of(
            place,
            kept.vm,
            view.statuses if view else None,
            kept.parts.get("nic"),
            kept.parts.get("public_ip"),
            endpoint=endpoint,
        )

    def _everything(self) -> Mapping[Place, _Kept]:
        """Machines by place, with the parts that this package made. Parts come first.

        In this order a machine whose launch or end goes on meanwhile is seen at least as a part.
        """
        compute, network = self._compute, self._network
        parts: dict[str, list[Any]] = {
            "nic": _listed(
                f"interfaces by connection {self.conn_id!r}", network.network_interfaces.list_all()
            ),
            "public_ip": _listed("public addresses", network.public_ip_addresses.list_all()),
            "disk": _listed("disks", compute.disks.list()),
        }
        found: dict[Place, _Kept] = {}
        for vm in _listed("machines", compute.virtual_machines.list_all()):
            if (place := self._named(vm)) is not None:
                found.setdefault(place, _Kept()).vm = vm
        endings = {"nic": "-nic", "public_ip": "-ip", "disk": "-disk"}
        for kind, listed in parts.items():
            for part in listed:
                place = self._named(part, endings[kind])
                if place is not None and is_ours(part):
                    found.setdefault(place, _Kept()).parts[kind] = part
        return found

    def _named(self, resource: Any, ending: str = "") -> Place | None:
        """The place of the instance that a resource of this name belongs to."""
        known = parsed(resource.id)
        if known is None or not known.name.endswith(ending) or known.name == ending:
            return None
        return Place(self.subscription, known.group, known.name.removesuffix(ending))


def _listed(what: str, pages: Iterable[T]) -> list[T]:
    with translated(f"listing {what}"):
        return list(pages)


def _has_public_ip(nic: Any) -> bool:
    configurations = (nic.properties.ip_configurations if nic.properties else None) or ()
    return any(c.properties and c.properties.public_ip_address for c in configurations)


def _image_of(vm: VirtualMachine) -> str:
    """What it started from, as :class:`~airflow_multicloud.ports.compute.Image` has it."""
    storage = vm.properties.storage_profile if vm.properties else None
    image = storage.image_reference if storage else None
    if image is None:
        return ""
    if image.id:
        return image.id
    return ":".join(str(part) for part in (image.publisher, image.offer, image.sku, image.version))


def _address_of(nic: NetworkInterface | None) -> str | None:
    """The private address of an interface."""
    configurations = nic.properties.ip_configurations if nic and nic.properties else None
    first = configurations[0].properties if configurations else None
    return first.private_ip_address if first else None


def _instance_of(
    place: Place,
    vm: VirtualMachine,
    statuses: Iterable[InstanceViewStatus] | None,
    nic: NetworkInterface | None,
    public_ip: PublicIPAddress | None,
    *,
    endpoint: str,
) -> Instance:
    """A machine as the port has it.

    :param statuses: of its instance view.
    :param endpoint: Resource Manager's, which tells which portal it is seen in.
    """
    known = list(statuses or ())
    properties = vm.properties
    hardware = properties.hardware_profile if properties else None
    state = state_of(properties.provisioning_state if properties else None, power_of(known))
    code, message = trouble_of(known)
    failed = state is InstanceState.FAILED or code is not None
    return Instance(
        ref=InstanceRef(place.id, region_of(vm.location)),
        name=place.name,
        state=state,
        account_id=place.subscription,
        size=text_of(hardware.vm_size) if hardware else "",
        image=_image_of(vm),
        zone=vm.zones[0] if vm.zones else None,
        labels=dict(vm.tags or {}),
        address=_address_of(nic),
        public_address=public_ip.properties.ip_address
        if public_ip and public_ip.properties
        else None,
        created_at=properties.time_created if properties else None,
        error_kind=kind_of(code, message) if failed else None,
        error=(message or "it could not be made") if failed else None,
        console_url=_console(place, endpoint),
    )


def _incomplete(
    place: Place, location: str | None, tags: Mapping[str, str], endpoint: str
) -> Instance:
    """Parts without a machine, as the port has them."""
    return Instance(
        ref=InstanceRef(place.id, region_of(location)),
        name=place.name,
        state=InstanceState.INCOMPLETE,
        account_id=place.subscription,
        size="",
        image="",
        labels=dict(tags),
        console_url=_console(place, endpoint),
    )


def _console(place: Place, endpoint: str) -> str:
    portal = _PORTALS.get(urlsplit(endpoint).hostname or "", "https://portal.azure.com")
    return f"{portal}/#resource{place.id}"
