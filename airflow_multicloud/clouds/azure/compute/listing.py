"""Describing one instance, and listing by labels.

What there is says the service that keeps it: Resource Manager's own list by tags would be one
request, but is a copy that may lack what was just made, disks above all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_multicloud.clouds.azure.compute.client import ComputeBase, is_ours
from airflow_multicloud.clouds.azure.compute.errors import failure, if_there, translated
from airflow_multicloud.clouds.azure.compute.fields import (
    Place,
    carries,
    incomplete,
    instance_of,
    missing,
    parsed,
    region_of,
)

if TYPE_CHECKING:
    from azure.mgmt.compute.models import VirtualMachine

    from airflow_multicloud.ports.compute import Instance, InstanceRef

T = TypeVar("T")


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
            return incomplete(place, told.location, told.tags or {}, endpoint)
        return instance_of(
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
            "nic": _listed("interfaces", network.network_interfaces.list_all()),
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
