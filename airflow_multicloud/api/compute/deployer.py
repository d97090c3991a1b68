"""Deployments by regions: what each cloud needs is said once, and regions are picked from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_multicloud.api.compute.rollouts import (
    ApprovedPlan,
    Listener,
    MultiCloudPlan,
    deploy_multicloud,
    plan_multicloud,
)
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.inputs import refused, text, text_list
from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult
from airflow_multicloud.core.rollout.places import file_name_of
from airflow_multicloud.core.rollout.targets import Target
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Network, SizeNeed
from airflow_multicloud.registry import cloud_of, session

#: ``shop`` of ``shop-1.4.tar.gz``.
_APPLICATION = re.compile(r"([a-z][a-z0-9-]*?)(?=[-_.]v?\d|[._]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentProvider:
    """What one cloud needs for instances in any of its regions.

    :param conn_id: the Airflow connection.
    :param size: a size's name, or what is needed.
    :param artifacts: the URI of a prefix for artifacts; ``{region}`` in it stands for the region.
    :param networks: region → where instances are attached there. These are the regions it has.
    :param zones: region → its zones, in the order in which they are tried.
    :param name: begins the names of its targets; the cloud's name when left out.
    :param options: further fields of each
        :class:`~airflow_multicloud.core.rollout.targets.Target`: ``count``, ``identity``,
        ``resource_group``, …
    """

    conn_id: str
    size: str | SizeNeed | Mapping[str, Any]
    artifacts: str
    networks: Mapping[str, Network | Mapping[str, Any]]
    zones: Mapping[str, Sequence[str]] = field(default_factory=dict)
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what says nothing.

        :raises DeploymentError: ``invalid_argument``.
        """
        if not self.networks:
            raise refused(f"providers: {self.conn_id}: networks", None, "at least one region's")
        if others := sorted(set(self.zones) - set(self.networks)):
            raise refused(
                f"providers: {self.conn_id}: zones",
                ", ".join(others),
                f"regions of networks ({', '.join(self.networks)})",
            )

    def target(self, region: str) -> Target:
        """The target in one of its regions.

        :raises DeploymentError: ``invalid_argument``, naming the target and the parameter.
        """
        name = self.name or cloud_of(self.conn_id).name
        return Target.of(
            {
                **self.options,
                "name": f"{name}-{region}",
                "conn_id": self.conn_id,
                "region": region,
                "size": self.size,
                "network": self.networks[region],
                "artifacts": text("artifacts", self.artifacts).replace("{region}", region),
                "zones": tuple(self.zones.get(region, ())),
            }
        )


class MultiCloudDeployer:
    """Deploys artifacts to the regions of several clouds.

    :param providers: what each cloud needs.
    :param deployment_id: of the deployment, for good: what it makes is found again by it. When left
        out, the artifact's file name without its version and ending: ``shop`` of
        ``shop-1.4.tar.gz``.
    :param options: further fields of each
        :class:`~airflow_multicloud.core.rollout.deployment.Deployment`: ``health``, ``policy``,
        ``command``, ``port``, …
    :raises DeploymentError: ``invalid_argument`` without a provider.
    """

    def __init__(
        self,
        providers: Sequence[DeploymentProvider],
        *,
        deployment_id: str | None = None,
        **options: Any,
    ) -> None:
        if not providers:
            raise refused("providers", None, "at least one")
        self._providers = tuple(providers)
        self._deployment_id = deployment_id
        self._options = options

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region of every provider."""
        return tuple(dict.fromkeys(name for one in self._providers for name in one.networks))

    @session()
    def deployment(
        self, artifact: str | Path, regions: Sequence[str] | None = None, **options: Any
    ) -> Deployment:
        """What would be deployed where.

        :param artifact: a URI or local path.
        :param regions: in which; all of the providers when left out. One that several providers
            have is deployed to with each.
        :param options: fields of the deployment that go before the deployer's: ``revision``, …
        :raises DeploymentError: ``invalid_argument``, naming what is unknown or wrong.
        """
        chosen = self.regions if regions is None else text_list("regions", regions)
        if not chosen:
            raise refused("regions", None, f"some of {', '.join(self.regions)}")
        if unknown := [name for name in chosen if name not in self.regions]:
            raise refused(
                "regions", ", ".join(unknown), f"regions of providers: {', '.join(self.regions)}"
            )
        targets = [
            one.target(region)
            for region in chosen
            for one in self._providers
            if region in one.networks
        ]
        named = self._deployment_id or _application(str(artifact))
        return Deployment.of(
            {
                **self._options,
                **options,
                "deployment_id": named,
                "artifact": str(artifact),
                "targets": targets,
            }
        )

    @operation("deploy.plan")
    def plan(
        self, artifact: str | Path, regions: Sequence[str] | None = None, **options: Any
    ) -> MultiCloudPlan:
        """What :meth:`deploy` would do; makes nothing.

        :param artifact: a URI or local path.
        :param regions: in which; all of the providers when left out.
        :param options: as :meth:`deployment` takes them.
        :raises CloudError: naming what can't be as it was given.
        """
        return plan_multicloud(self.deployment(artifact, regions, **options))

    @operation("deploy")
    def deploy(
        self,
        artifact: str | Path,
        regions: Sequence[str] | None = None,
        *,
        approved_plan: ApprovedPlan | None = None,
        listener: Listener | None = None,
        **options: Any,
    ) -> MultiCloudDeploymentResult:
        """Deploy an artifact to regions.

        A later call with fewer regions leaves what runs in the others as it is.

        :param artifact: a URI or local path.
        :param regions: in which; all of the providers when left out.
        :param approved_plan: as :func:`~airflow_multicloud.api.deploy_multicloud` takes it.
        :param listener: likewise.
        :param options: as :meth:`deployment` takes them.
        :raises CloudError: before anything is made; what fails at a target is in the result.
        """
        deployment = self.deployment(artifact, regions, **options)
        return deploy_multicloud(deployment, approved_plan, listener=listener)


def _application(artifact: str) -> str:
    name = file_name_of(artifact)
    if (found := _APPLICATION.match(name)) is None:
        raise DeploymentError(
            f"deployment_id: not given, and the artifact's name {name!r} does not begin with one; "
            "give deployment_id",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found[1]
