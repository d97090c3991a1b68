"""A deployment's clouds and places, opened from its connections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from airflow_multicloud import registry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.places import is_uri
from airflow_multicloud.core.rollout.planning import OpenedTarget, places_of
from airflow_multicloud.core.rollout.targets import Target
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.compute import ComputeService


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDeployment:
    """What a deployment reaches.

    :param artifact: where it comes from.
    :param targets: by name.
    """

    artifact: Endpoint | Path
    targets: Mapping[str, OpenedTarget]

    @property
    def places(self) -> dict[str, Endpoint]:
        """URI → prefix, for every place of every target, in their order."""
        return places_of(self.targets)


@registry.session()
def open_deployment(deployment: Deployment) -> OpenedDeployment:
    """Find the clouds and places of a deployment; no cloud is asked for anything.

    :raises DeploymentError: naming each target whose connection, or a place's, can't be used.
    """
    artifact: Endpoint | Path = Path(deployment.artifact)
    if is_uri(deployment.artifact):
        try:
            artifact = open_endpoint(deployment.artifact, parameter="artifact")
        except CloudError as err:
            raise DeploymentError(str(err), kind=err.kind, cloud=err.cloud) from err
    return OpenedDeployment(artifact=artifact, targets=open_targets(deployment.targets))


@registry.session()
def open_targets(targets: Iterable[Target]) -> dict[str, OpenedTarget]:
    """The same for targets alone, as for a teardown.

    :raises DeploymentError: as :func:`open_deployment`.
    """
    opened: dict[str, OpenedTarget] = {}
    problems: list[CloudError] = []
    for target in targets:
        try:
            opened[target.name] = _open(target)
        except CloudError as err:
            problems.append(err.with_context(f"target {target.name}"))
    if problems:
        kinds = {err.kind for err in problems}
        raise DeploymentError(
            "; ".join(str(err) for err in problems),
            kind=kinds.pop() if len(kinds) == 1 else ErrorKind.INVALID_ARGUMENT,
        ) from problems[0]
    return opened


def _open(target: Target) -> OpenedTarget:
    try:
        cloud = registry.cloud_of(target.conn_id)
        compute = registry.resolve(ComputeService, target.conn_id)
    except CloudError as err:
        raise err.with_context("conn_id") from err
    places = {uri: open_endpoint(uri, parameter="artifacts") for uri in target.places()}
    return OpenedTarget(cloud=cloud.name, compute=compute, places=places)
