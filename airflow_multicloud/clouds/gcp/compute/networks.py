"""Where an instance is attached, and whom it acts as: what must be there before.

Network tags: https://cloud.google.com/vpc/docs/add-remove-network-tags
"""

from __future__ import annotations

import re

from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S, ComputeBase
from airflow_multicloud.clouds.gcp.compute.errors import translated, wrong
from airflow_multicloud.clouds.gcp.compute.fields import path_of
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import LaunchRequest

_SUBNET = re.compile(
    r"(?:projects/(?P<project>[a-z0-9.:-]+)/regions/(?P<region>[a-z0-9-]+)/subnetworks/)?"
    r"(?P<name>[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)"
)
_TAG = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: https://cloud.google.com/iam/docs/service-account-types
_ACCOUNT = re.compile(r"[a-z0-9-]+@(?:[a-z0-9.-]+\.)?gserviceaccount\.com")


def subnet_of(given: str, project: str, region: str) -> str:
    """A subnetwork in its full form, however it was given.

    :param project: the connection's.
    """
    name = given.rpartition("/")[2]
    return given if name != given else f"projects/{project}/regions/{region}/subnetworks/{name}"


class GCPNetworks(ComputeBase):
    """Finding subnetworks."""

    def _subnet(self, request: LaunchRequest, project: str) -> str:
        """The subnetwork in its full form.

        :raises DeploymentError: ``not_found``, or ``invalid_argument``.
        """
        given = request.network.subnets
        if len(given) != 1:
            raise wrong("subnets", f"{len(given)} given, expected exactly one subnetwork")
        match = _SUBNET.fullmatch(given[0])
        if match is None:
            raise wrong(
                "subnets",
                f"{given[0]!r} given; expected projects/P/regions/R/subnetworks/N, or a name",
            )
        region = match["region"] or request.region
        if region != request.region:
            raise wrong("subnets", f"{given[0]} is in {region}, expected one of {request.region}")
        wanted = compute_v1.GetSubnetworkRequest(
            project=match["project"] or project, region=region, subnetwork=match["name"]
        )
        try:
            with translated(f"looking for the subnetwork {given[0]}"):
                found = self._google(compute_v1.SubnetworksClient).get(
                    wanted, retry=self._reads, timeout=REQUEST_S
                )
        except DeploymentError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                raise wrong("subnets", f"{given[0]!r} is not there", ErrorKind.NOT_FOUND) from err
            raise
        return path_of(found.self_link)


def check_tags(tags: tuple[str, ...]) -> None:
    """Refuse what is no network tag.

    Tags are only words; whether a firewall rule names one is not looked at.

    :raises DeploymentError: ``invalid_argument``.
    """
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise wrong(
                "security_groups",
                f"{tag!r} given; expected network tags: a lower-case letter, then those, digits "
                "and hyphens, at most 63 characters",
            )


def check_identity(identity: str | None) -> None:
    """Refuse what is no service account's address.

    Whether it exists only IAM could tell, which is another API with permissions of its own; an
    instance with one that is not there is refused when it is launched.

    :raises DeploymentError: ``invalid_argument``.
    """
    if identity is not None and not _ACCOUNT.fullmatch(identity):
        raise wrong(
            "identity",
            f"{identity!r} given; expected a service account, name@project.iam.gserviceaccount.com",
        )
