"""Sizes: what a region offers to the subscription, by name or by need.

"Resource Skus - List" (https://learn.microsoft.com/rest/api/compute/resource-skus/list). What it
lists is offered; whether there is room right now nobody tells before the launch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.compute.client import ComputeBase
from airflow_multicloud.clouds.azure.compute.errors import failure, translated
from airflow_multicloud.clouds.azure.compute.fields import text_of
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Architecture, LaunchRequest, Size, SizeNeed

if TYPE_CHECKING:
    from azure.mgmt.compute.models import ResourceSku

_GIB = 2**30
_TYPE = "virtualMachines"
_ARCHITECTURES = {"x64": Architecture.X86_64, "arm64": Architecture.ARM64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A size as a region offers it.

    :param zones: in which it is offered.
    :param generations: of virtual hardware that it starts images of.
    :param closed: why the subscription can't have it in the whole region, Azure's reason code.
    :param closed_zones: zone → why the subscription can't have it there.
    :param usual: whether it is taken when nobody named it.
    :param has_disk: whether it has a temporary disk of its own.
    """

    size: Size
    zones: frozenset[str]
    generations: frozenset[str]
    closed: str | None
    closed_zones: Mapping[str, str]
    usual: bool = True
    has_disk: bool = False

    def why_not(self, zone: str | None) -> str | None:
        """Azure's reason why the subscription can't have it there, or ``None`` when it can."""
        return self.closed or (self.closed_zones.get(zone) if zone else None)


class Sizes(ComputeBase):
    """Listing sizes."""

    def _offers(self, region: str) -> list[Offer]:
        doing = f"connection {self.conn_id!r}: listing the sizes of {region}"
        with translated(doing):
            skus = list(self._compute.resource_skus.list(filter=f"location eq '{region}'"))
        with well_formed(doing, NAME, area=DeploymentError):
            offers = [_offer(sku, region) for sku in skus if sku.resource_type == _TYPE]
        if not offers:
            raise failure(
                f"region: {region!r} given, which offers no sizes; expected a region's name as "
                "in westeurope",
                ErrorKind.NOT_FOUND,
            )
        return offers


def found_size(offers: Sequence[Offer], request: LaunchRequest, generation: str) -> Size:
    """The size of a request.

    :param offers: of the region.
    :param generation: of virtual hardware that the image needs.
    :raises DeploymentError: as the port's ``resolve_launch``.
    """
    if isinstance(request.size, SizeNeed):
        return _smallest(offers, request, request.size, generation)
    named = request.size
    offer = next((o for o in offers if o.size.name.lower() == named.lower()), None)
    if offer is None:
        raise failure(
            f"size: {named!r} given, which {request.region} does not have",
            ErrorKind.NOT_FOUND,
        )
    _check_zone(offer, request)
    if (why := offer.why_not(request.zone)) is not None:
        kind = ErrorKind.QUOTA if why == "QuotaId" else ErrorKind.UNSUPPORTED
        where = f"{request.region}, zone {request.zone}" if request.zone else request.region
        raise DeploymentError(
            f"size: {named!r} is not offered to the subscription in {where} ({why})",
            kind=kind,
            cloud=NAME,
            code=why,
        )
    if generation not in offer.generations:
        raise failure(
            f"size: {named!r} starts images of generation {', '.join(sorted(offer.generations))}"
            f", the image is of {generation}"
        )
    return offer.size


def _offer(sku: ResourceSku, region: str) -> Offer:
    told = {str(item.name): str(item.value) for item in sku.capabilities or ()}
    here = [info for info in sku.location_info or () if (info.location or "").lower() == region]
    closed, closed_zones = None, {}
    for kind, reason, zones in _restrictions(sku):
        if kind.lower() == "location":
            closed = reason
        else:
            closed_zones.update(dict.fromkeys(zones, reason))
    return Offer(
        size=Size(
            name=str(sku.name),
            # Fewer than vCPUs where a size has some of its cores turned off.
            vcpus=int(told.get("vCPUsAvailable") or told["vCPUs"]),
            memory_bytes=int(Decimal(told["MemoryGB"]) * _GIB),
            architecture=_ARCHITECTURES[told.get("CpuArchitectureType", "x64").lower()],
        ),
        zones=frozenset(zone for info in here for zone in info.zones or ()),
        generations=frozenset(told.get("HyperVGenerations", "V1").split(",")),
        closed=closed,
        closed_zones=closed_zones,
        usual=_is_usual(str(sku.name), told),
        has_disk=told.get("MaxResourceVolumeMB", "0") != "0",
    )


def _is_usual(name: str, told: Mapping[str, str]) -> bool:
    """Whether a size is taken that nobody named.

    Not one with accelerators (the family N: "Azure virtual machine sizes naming conventions",
    https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions), with cores turned off
    and paid for, for a time only (``_Promo``), or for confidential computing.
    """
    accelerated = told.get("GPUs", "0") != "0" or name.startswith("Standard_N")
    constrained = told.get("vCPUsAvailable", told["vCPUs"]) != told["vCPUs"]
    promo, confidential = name.endswith("_Promo"), "ConfidentialComputingType" in told
    return not (accelerated or constrained or promo or confidential)


def _restrictions(sku: ResourceSku) -> Iterator[tuple[str, str, list[str]]]:
    for restriction in sku.restrictions or ():
        info = restriction.restriction_info
        zones = list((info.zones if info else None) or ())
        yield text_of(restriction.type), text_of(restriction.reason_code), zones


def _smallest(
    offers: Sequence[Offer], request: LaunchRequest, need: SizeNeed, generation: str
) -> Size:
    enough = [
        offer
        for offer in offers
        if offer.usual
        and offer.size.vcpus >= need.vcpus
        and offer.size.memory_bytes >= need.memory_bytes
        and offer.size.architecture is request.architecture
        and generation in offer.generations
        and offer.why_not(request.zone) is None
        and (request.zone is None or request.zone in offer.zones)
    ]
    if not enough:
        where = f"{request.region}, zone {request.zone}," if request.zone else request.region
        raise failure(
            f"size: no size that {where} offers has {need.vcpus} vCPUs and {need.memory_bytes} "
            f"bytes of memory ({request.architecture})"
        )
    return min(
        enough,
        key=lambda o: (o.size.vcpus, o.size.memory_bytes, o.has_disk, o.size.name),
    ).size


def _check_zone(offer: Offer, request: LaunchRequest) -> None:
    if request.zone is not None and request.zone not in offer.zones:
        known = ", ".join(sorted(offer.zones)) or "none"
        raise failure(
            f"zone: {request.zone!r} given; {offer.size.name} is in zones {known} of "
            f"{request.region}",
            ErrorKind.NOT_FOUND,
        )
