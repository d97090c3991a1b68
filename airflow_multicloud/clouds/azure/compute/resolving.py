"""What a launch comes to."""

from __future__ import annotations

from dataclasses import replace

from airflow_multicloud.clouds.azure.compute.calls import TABLE
from airflow_multicloud.clouds.azure.compute.errors import failure
from airflow_multicloud.clouds.azure.compute.fields import region_of
from airflow_multicloud.clouds.azure.compute.images import Images
from airflow_multicloud.clouds.azure.compute.networks import Networks
from airflow_multicloud.clouds.azure.compute.sizes import Sizes, found_size
from airflow_multicloud.ports.compute import LaunchRequest, LaunchSpec
from airflow_multicloud.ports.compute.launches import calls_of


class LaunchResolution(Images, Sizes, Networks):
    """The port's ``resolve_launch``."""

    def resolve_launch(self, request: LaunchRequest) -> LaunchSpec:
        """What a request comes to; makes nothing.

        An identity's form is checked, not whether it is there: the launch says so.

        :raises DeploymentError: as the port says.
        """
        wanted = replace(request, region=region_of(request.region))
        # First: of a region that is not there, everything else would be said to be missing.
        offers = self._offers(wanted.region)
        self._check_identity(wanted)
        subnet = self._found_subnet(wanted)
        self._check_security_groups(wanted)
        group = self._found_group(wanted, subnet.group)
        found = self._found_image(wanted)
        size = found_size(offers, wanted, found.generation)
        if found.image.architecture is not size.architecture:
            raise failure(
                f"image: {found.image.id} is for {found.image.architecture}, the size {size.name} "
                f"for {size.architecture}; expected one architecture"
            )
        network = wanted.network
        return LaunchSpec(
            account_id=self.subscription,
            region=wanted.region,
            zone=wanted.zone,
            size=size,
            image=found.image,
            subnet=subnet.subnet,
            security_groups=network.security_groups,
            public_address=network.public_address,
            identity=wanted.identity,
            disk_bytes=wanted.disk_bytes,
            resource_group=group,
            calls=calls_of(TABLE, wanted),
        )
