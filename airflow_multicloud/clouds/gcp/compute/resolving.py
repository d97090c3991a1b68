"""What a request comes to: everything is looked up, and nothing made."""

from __future__ import annotations

from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp.compute.calls import TABLE
from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S
from airflow_multicloud.clouds.gcp.compute.errors import translated, wrong
from airflow_multicloud.clouds.gcp.compute.fields import last_of
from airflow_multicloud.clouds.gcp.compute.images import GCPImages
from airflow_multicloud.clouds.gcp.compute.networks import GCPNetworks, check_identity, check_tags
from airflow_multicloud.clouds.gcp.compute.sizes import GCPSizes
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import LaunchRequest, LaunchSpec
from airflow_multicloud.ports.compute.launches import calls_of

_UP = "UP"


class GCPResolving(GCPImages, GCPSizes, GCPNetworks):
    """The port's ``resolve_launch``."""

    def resolve_launch(self, request: LaunchRequest) -> LaunchSpec:
        """What a request comes to; see the port.

        Network tags and the service account are checked for their form only.
        """
        if request.resource_group is not None:
            raise wrong(
                "resource_group", f"{request.resource_group!r} given; Google Cloud has none"
            )
        check_tags(request.network.security_groups)
        check_identity(request.identity)
        project = self._project
        zone = self._zone(request, project)
        subnet = self._subnet(request, project)
        size, image = self._size(request, project, zone), self._image(request)
        if image.architecture is not size.architecture:
            raise wrong(
                "image",
                f"{image.id} is for {image.architecture}, the size {size.name} for "
                f"{size.architecture}; expected one architecture",
            )
        return LaunchSpec(
            account_id=project,
            region=request.region,
            zone=zone,
            size=size,
            image=image,
            subnet=subnet,
            security_groups=request.network.security_groups,
            public_address=request.network.public_address,
            identity=request.identity,
            disk_bytes=request.disk_bytes,
            calls=calls_of(TABLE, request),
        )

    def _zone(self, request: LaunchRequest, project: str) -> str:
        """The zone that is asked for, or the region's first that is up.

        :raises DeploymentError: ``not_found`` for a region or zone that is not there,
            ``unavailable`` for one that is down.
        """
        with translated(f"connection {self.gcp_conn_id!r}: listing zones of {project}"):
            listed = list(
                self._google(compute_v1.ZonesClient).list(
                    compute_v1.ListZonesRequest(project=project),
                    retry=self._reads,
                    timeout=REQUEST_S,
                )
            )
        status = {z.name: z.status for z in listed if last_of(z.region) == request.region}
        if not status:
            known = ", ".join(sorted({last_of(zone.region) for zone in listed}))
            raise wrong(
                "region",
                f"{request.region!r} given, which is not there; known: {known}",
                ErrorKind.NOT_FOUND,
            )
        if request.zone is None:
            up = sorted(name for name, told in status.items() if told == _UP)
            if not up:
                raise wrong("region", f"no zone of {request.region} is up", ErrorKind.UNAVAILABLE)
            return up[0]
        if request.zone not in status:
            raise wrong(
                "zone",
                f"{request.zone!r} given, which {request.region} does not have; it has "
                f"{', '.join(sorted(status))}",
                ErrorKind.NOT_FOUND,
            )
        if status[request.zone] != _UP:
            raise wrong("zone", f"{request.zone} is down", ErrorKind.UNAVAILABLE)
        return request.zone
