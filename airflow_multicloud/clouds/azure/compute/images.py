"""Images: the marketplace's by reference, and those of the subscription by id.

https://learn.microsoft.com/azure/virtual-machines/linux/cli-ps-findimage
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from azure.mgmt.compute import models

from airflow_multicloud.clouds.azure.compute.client import ComputeBase
from airflow_multicloud.clouds.azure.compute.errors import failure, if_there
from airflow_multicloud.clouds.azure.compute.fields import parsed, text_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import Architecture, Image, LaunchRequest

_GIB = 2**30
_LATEST = "latest"
#: Ubuntu 24.04 LTS, by the offer that Canonical names for it
#: (https://documentation.ubuntu.com/azure/azure-how-to/instances/find-ubuntu-images/).
DEFAULT = {
    Architecture.X86_64: f"Canonical:ubuntu-24_04-lts:server:{_LATEST}",
    Architecture.ARM64: f"Canonical:ubuntu-24_04-lts:server-arm64:{_LATEST}",
}
_REFERENCE = re.compile(r"([\w.-]+):([\w.-]+):([\w.-]+):([\w.-]+)")
_IMAGE = "microsoft.compute/images"
_ARCHITECTURES = {"x64": Architecture.X86_64, "arm64": Architecture.ARM64}


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image, and the generation of virtual hardware that it starts on (``V1``, ``V2``)."""

    image: Image
    generation: str


class Images(ComputeBase):
    """Finding an image."""

    def _found_image(self, request: LaunchRequest) -> FoundImage:
        """The image of a request, with its exact version.

        How big an image of the marketplace is Azure does not say: a disk that is too small for one
        is refused by the launch only.

        :raises DeploymentError: ``not_found``; ``invalid_argument`` when its name is of no form
            that is known, or the disk is too small for it; ``unsupported`` when it must be bought.
        """
        given = request.image or DEFAULT[request.architecture]
        if found := _REFERENCE.fullmatch(given):
            publisher, offer, sku, version = found.groups()
            return self._marketplace(request.region, publisher, offer, sku, version)
        if (named := parsed(given)) is not None and named.type == _IMAGE:
            return self._own_image(given, named.group, named.name, request)
        raise failure(
            f"image: {given!r} given, expected publisher:offer:sku:version or the resource id of "
            "an image (…/Microsoft.Compute/images/…)"
        )

    def _marketplace(
        self, region: str, publisher: str, offer: str, sku: str, version: str
    ) -> FoundImage:
        images = self._compute.virtual_machine_images
        name = f"{publisher}:{offer}:{sku}:{version}"
        doing = f"looking for the image {name} in {region}"
        if version.lower() == _LATEST:
            newest = if_there(
                doing,
                lambda: images.list(region, publisher, offer, sku, top=1, orderby="name desc"),
            )
            if not newest:
                raise _missing(name, region)
            version = str(newest[0].name)
        exact = version
        image = if_there(doing, lambda: images.get(region, publisher, offer, sku, exact))
        if image is None:
            raise _missing(name, region)
        return _marketplace_image(image, f"{publisher}:{offer}:{sku}:{exact}")

    def _own_image(self, given: str, group: str, name: str, request: LaunchRequest) -> FoundImage:
        """A managed image; it does not say for which architecture it is."""
        images = self._compute.images
        image = if_there(f"looking for the image {given}", lambda: images.get(group, name))
        if image is None:
            raise failure(f"image: {given!r} given, which is not there", ErrorKind.NOT_FOUND)
        generation = image.properties.hyper_v_generation if image.properties else None
        check_disk(request.disk_bytes, image)
        return FoundImage(
            Image(id=given, name=name, architecture=request.architecture),
            text_of(generation) or "V1",
        )


def check_disk(disk_bytes: int | None, image: models.Image) -> None:
    """Refuse a disk that is smaller than the image that it is made from.

    :raises DeploymentError: ``invalid_argument``.
    """
    storage = image.properties.storage_profile if image.properties else None
    os_disk = storage.os_disk if storage else None
    least = ((os_disk.disk_size_gb if os_disk else None) or 0) * _GIB
    if disk_bytes is not None and disk_bytes < least:
        raise failure(
            f"disk_bytes: {disk_bytes} given; the image {image.name} needs at least {least}"
        )


def _marketplace_image(image: models.VirtualMachineImage, id_: str) -> FoundImage:
    properties = image.properties
    if properties and properties.plan:
        raise failure(
            f"image: {id_} must be bought (plan {properties.plan.name}); expected one without a "
            "purchase plan",
            ErrorKind.UNSUPPORTED,
        )
    told = text_of(properties.architecture if properties else None) or "x64"
    architecture = _ARCHITECTURES.get(told.lower(), Architecture.X86_64)
    generation = text_of(properties.hyper_v_generation if properties else None)
    chosen = Image(id=id_, name=id_, architecture=architecture)
    return FoundImage(chosen, generation or "V1")


def _missing(name: str, region: str) -> Exception:
    return failure(
        f"image: {name} given, which the marketplace does not have in {region}",
        ErrorKind.NOT_FOUND,
    )


def reference_of(id_: str) -> models.ImageReference:
    """What a machine is launched from, by the id of an :class:`Image`."""
    if parsed(id_) is not None:
        return models.ImageReference(id=id_)
    publisher, offer, sku, version = id_.split(":")
    return models.ImageReference(publisher=publisher, offer=offer, sku=sku, version=version)
