"""Which image an instance starts from.

Families: https://cloud.google.com/compute/docs/images/image-families-best-practices; Google's own:
https://cloud.google.com/compute/docs/images/os-details
"""

from __future__ import annotations

import re
from typing import Final

from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S, ComputeBase
from airflow_multicloud.clouds.gcp.compute.errors import translated, wrong
from airflow_multicloud.clouds.gcp.compute.fields import path_of
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Architecture, Image, LaunchRequest

#: What is taken when none is named.
DEFAULTS: Final = {
    Architecture.X86_64: "projects/debian-cloud/global/images/family/debian-12",
    Architecture.ARM64: "projects/debian-cloud/global/images/family/debian-12-arm64",
}
GIB: Final = 2**30

_IMAGE = re.compile(r"projects/([a-z0-9.:-]+)/global/images/(family/)?([a-z0-9-]+)")
#: Google's and others', that everybody may use: "Operating system details" and "Public images".
PUBLIC: Final = frozenset(
    {
        *("almalinux-cloud", "centos-cloud", "cos-cloud", "debian-cloud", "fedora-cloud"),
        *("fedora-coreos-cloud", "freebsd-org-cloud-dev", "opensuse-cloud", "oracle-linux-cloud"),
        *("rhel-cloud", "rhel-sap-cloud", "rocky-linux-cloud", "suse-cloud", "suse-sap-cloud"),
        *("ubuntu-os-cloud", "ubuntu-os-pro-cloud", "windows-cloud", "windows-sql-cloud"),
    }
)
#: No instance can be made of these; of DEPRECATED ones it can.
_UNUSABLE = ("OBSOLETE", "DELETED")


def is_family(given: str) -> bool:
    """Whether a reference names a family, and no exact image."""
    match = _IMAGE.fullmatch(given)
    return match is not None and match[2] is not None


def project_of_private(given: str) -> str | None:
    """The project of an image that not everybody may use; ``None`` for a public one."""
    match = _IMAGE.fullmatch(given)
    return None if match is None or match[1] in PUBLIC else match[1]


class GCPImages(ComputeBase):
    """Finding images."""

    def _image(self, request: LaunchRequest) -> Image:
        """The exact image, never a family.

        :raises DeploymentError: ``not_found``; ``invalid_argument`` for one that can't be used, or
            a disk that is too small for it.
        """
        given = request.image or DEFAULTS[request.architecture]
        found = self._google_image(given)
        if found.deprecated.state in _UNUSABLE:
            raise wrong("image", f"{given} is {found.deprecated.state}; expected a current one")
        if found.status not in ("", "READY"):
            raise wrong("image", f"{given} is {found.status}; expected one that is READY")
        if request.disk_bytes is not None and request.disk_bytes < found.disk_size_gb * GIB:
            raise wrong(
                "disk_bytes",
                f"{request.disk_bytes} given; the image {found.name} needs at least "
                f"{found.disk_size_gb * GIB}",
            )
        return Image(
            id=path_of(found.self_link),
            name=found.family or found.name,
            architecture=architecture_of(found.architecture),
        )

    def _google_image(self, given: str) -> compute_v1.Image:
        match = _IMAGE.fullmatch(given)
        if match is None:
            raise wrong(
                "image",
                f"{given!r} given; expected projects/P/global/images/N or "
                "projects/P/global/images/family/F",
            )
        project, family, name = match.groups()
        images = self._google(compute_v1.ImagesClient)
        try:
            with translated(f"looking for {given}"):
                if family:
                    wanted = compute_v1.GetFromFamilyImageRequest(project=project, family=name)
                    return images.get_from_family(wanted, retry=self._reads, timeout=REQUEST_S)
                exact = compute_v1.GetImageRequest(project=project, image=name)
                return images.get(exact, retry=self._reads, timeout=REQUEST_S)
        except DeploymentError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                raise wrong("image", f"{given!r} is not there", ErrorKind.NOT_FOUND) from err
            raise


def architecture_of(told: str) -> Architecture:
    """An image's or a machine type's; x86 for those that say nothing, which are older than ARM."""
    return Architecture.ARM64 if told == "ARM64" else Architecture.X86_64
