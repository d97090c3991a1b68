"""Images: AMIs by their id, and by what a public SSM parameter says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.compute.client import ComputeBase
from airflow_multicloud.clouds.aws.compute.errors import failure, translated
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Image, LaunchRequest

#: "Reference the latest AMIs using Systems Manager public parameters" of the Amazon EC2 user guide
#: (docs.aws.amazon.com/AWSEC2/latest/UserGuide/finding-an-ami-parameter-store.html).
_LATEST = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{}"
_GIB = 2**30
#: As in a launch template.
BY_PARAMETER = "resolve:ssm:"


def parameter_of(image: str | None, architecture: str) -> str | None:
    """The SSM parameter that names the image of a request; ``None`` for one named by its id."""
    if image is None:
        return _LATEST.format(architecture)
    return image.removeprefix(BY_PARAMETER) if image.startswith(BY_PARAMETER) else None


class Images(ComputeBase):
    """What instances can start from."""

    def _image(self, request: LaunchRequest) -> Image:
        """The image that is meant.

        :raises DeploymentError: ``not_found``; ``invalid_argument`` for another architecture, or a
            disk that is too small for it.
        """
        architecture, region = request.architecture, request.region
        wanted = request.image
        if wanted is None:
            wanted = f"{BY_PARAMETER}{parameter_of(None, architecture)}"
        found = self._ami(wanted, region)
        if found["Architecture"] != architecture:
            raise failure(
                f"image: {wanted} is for {found['Architecture']}, expected one for {architecture}",
                ErrorKind.INVALID_ARGUMENT,
            )
        _check_disk(request.disk_bytes, found)
        return Image(
            id=found["ImageId"],
            name=found.get("Name") or found["ImageId"],
            architecture=architecture,
        )

    def _ami(self, image: str, region: str) -> dict[str, Any]:
        """What EC2 says of an image that can be used."""
        ami = image
        if image.startswith(BY_PARAMETER):
            name = image.removeprefix(BY_PARAMETER)
            doing = f"image: reading the SSM parameter {name} in {region}"
            with translated(doing):
                answer = self._client_of("ssm", region).get_parameter(Name=name)
            with well_formed(doing, NAME, area=DeploymentError):
                ami = str(answer["Parameter"]["Value"])
        doing = f"image: looking {ami} up in {region}"
        with translated(doing):
            found = self._client_of("ec2", region).describe_images(ImageIds=[ami])["Images"]
        if not found:
            raise failure(f"image: there is no {ami} in {region}", ErrorKind.NOT_FOUND)
        only: dict[str, Any] = found[0]
        if only.get("State", "available") != "available":
            raise failure(
                f"image: {ami} is {only['State']}, expected one that is available",
                ErrorKind.NOT_FOUND,
            )
        return only

    def _disks(self, image: Image, disk_bytes: int | None, region: str) -> list[dict[str, Any]]:
        """The volumes that an instance gets: the image's, which go with it.

        :param disk_bytes: of the one that it boots from.
        """
        ami = self._session.once(("ami", region, image.id), lambda: self._ami(image.id, region))
        disks: list[dict[str, Any]] = []
        for device in ami.get("BlockDeviceMappings", ()):
            if "Ebs" not in device:
                continue
            size = device["Ebs"].get("VolumeSize")
            if device["DeviceName"] == ami.get("RootDeviceName") and disk_bytes is not None:
                size = -(-disk_bytes // _GIB)
            ebs = {"DeleteOnTermination": True} | ({} if size is None else {"VolumeSize": size})
            disks.append({"DeviceName": device["DeviceName"], "Ebs": ebs})
        return disks


def _check_disk(disk_bytes: int | None, ami: Mapping[str, Any]) -> None:
    """A volume can't be smaller than the snapshot that it is made from."""
    devices = ami.get("BlockDeviceMappings", ())
    roots = [d for d in devices if d["DeviceName"] == ami.get("RootDeviceName")]
    least = max([int(d.get("Ebs", {}).get("VolumeSize") or 0) for d in roots], default=0) * _GIB
    if disk_bytes is not None and disk_bytes < least:
        raise failure(
            f"disk_bytes: {disk_bytes} given; the image {ami['ImageId']} needs at least {least}",
            ErrorKind.INVALID_ARGUMENT,
        )
