"""What a request comes to on AWS."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.compute.calls import TABLE
from airflow_multicloud.clouds.aws.compute.errors import failure
from airflow_multicloud.clouds.aws.compute.images import Images
from airflow_multicloud.clouds.aws.compute.networks import Networks
from airflow_multicloud.clouds.aws.compute.sizes import Sizes
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import LaunchRequest, LaunchSpec
from airflow_multicloud.ports.compute.launches import calls_of


class LaunchResolver(Images, Sizes, Networks):
    """The port's ``resolve_launch``."""

    def resolve_launch(self, request: LaunchRequest) -> LaunchSpec:
        """What a request comes to; see the port."""
        if request.resource_group is not None:
            raise failure(
                f"resource_group: {request.resource_group!r} given; AWS has none, leave it out",
                ErrorKind.INVALID_ARGUMENT,
            )
        region, network = request.region, request.network
        account_id = self._own_account()
        self._check_region(region)
        subnet = self._subnet(network.subnets, request.zone, region)
        self._check_groups(network.security_groups, subnet, region)
        zone = str(subnet["AvailabilityZone"])
        return LaunchSpec(
            account_id=account_id,
            region=region,
            zone=zone,
            size=self._size(request.size, request.architecture, region, zone),
            image=self._image(request),
            subnet=str(subnet["SubnetId"]),
            security_groups=network.security_groups,
            public_address=network.public_address,
            identity=None if request.identity is None else self._profile(request.identity),
            disk_bytes=request.disk_bytes,
            calls=calls_of(TABLE, request),
        )
