"""What is left when the primary's whole cloud is: copies of the data, and places to deploy to."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud import known_clouds, registry
from airflow_multicloud.core.rollout.targets import Target
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.lists import texts
from airflow_multicloud.locations import parse_location
from airflow_multicloud.text import given_text


def surviving_replicas(primary: object, replicas: object) -> tuple[str, ...]:
    """The replicas outside the primary's cloud, in their order.

    :raises DeploymentError: ``invalid_argument`` when there is none, and for what is no location.
    """
    lost = _cloud_of(primary, "primary")
    listed = texts(replicas, "replicas", what="URIs", error=DeploymentError)
    kept = tuple(uri for uri in listed if _cloud_of(uri, "replicas") != lost)
    if not kept:
        raise _refused(f"replicas: none is outside {lost}, the primary's cloud; name one that is")
    return kept


@registry.session()
def surviving_targets(primary: object, targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets outside the primary's cloud, in their order.

    :raises DeploymentError: ``invalid_argument`` when there is none, and for one whose artifacts
        are in that cloud.
    :raises CredentialsError: for a target whose connection does not exist.
    """
    lost = _cloud_of(primary, "primary")
    kept: list[Target] = []
    for target in targets:
        try:
            if registry.cloud_of(target.conn_id).name != lost:
                kept.append(target)
        except CloudError as err:
            raise err.with_context(f"target {target.name}: conn_id") from err
    if not kept:
        raise _refused(f"targets: none is outside {lost}, the primary's cloud; name one that is")
    for target in kept:
        for uri in target.places():
            if _cloud_of(uri, f"target {target.name}: artifacts") == lost:
                raise _refused(
                    f"target {target.name}: artifacts: {uri} is in {lost}, the primary's cloud, "
                    "and would be lost with it; name a store in another cloud"
                )
    return tuple(kept)


def _cloud_of(uri: object, parameter: str) -> str:
    if not isinstance(uri, str):
        raise _refused(f"{parameter}: {given_text(uri)} given, expected the URI of a prefix")
    try:
        location = parse_location(uri, parameter=parameter)
        return known_clouds.cloud_of_scheme(location.scheme, parameter=parameter).name
    except CloudError as err:
        raise DeploymentError(str(err), kind=err.kind) from err


def _refused(message: str) -> DeploymentError:
    return DeploymentError(message, kind=ErrorKind.INVALID_ARGUMENT)
