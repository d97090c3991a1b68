"""A deployment in the memory cloud: connections, buckets, an artifact."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.planning import OpenedTarget, plan_deployment
from airflow_multicloud.core.rollout.plans import DeploymentPlan, PlannedArtifact
from airflow_multicloud.locations import parse_location
from airflow_multicloud.testing.memory_cloud import compute, object_store
from tests.unit.rollout.givens import deployment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_multicloud.core.rollout.deployment import Deployment
    from airflow_multicloud.errors import ErrorKind
    from airflow_multicloud.ports.compute import LaunchRequest, LaunchSpec
    from airflow_multicloud.ports.object_store import ObjectStore

ORDER = datetime(2026, 11, 29, 12, tzinfo=UTC)
ARTIFACT = PlannedArtifact(uri="/srv/app.tar.gz", sha256="ab" * 32, size=1000)
_numbers = count()


def new_place(prefix: str = "releases/", store: ObjectStore | None = None) -> Endpoint:
    """A prefix in a bucket of a new account."""
    conn_id = f"memory_rollout_{next(_numbers)}"
    hook = object_store.Hook(conn_id)
    hook.ensure_bucket("lab")
    location = parse_location(f"mem://{conn_id}@lab/{prefix}", parameter="artifacts")
    return Endpoint("memory", store or hook, location)


def endpoint_of(uri: str) -> Endpoint:
    """An opened place in the memory cloud, with its bucket."""
    location = parse_location(uri, parameter="artifacts")
    hook = object_store.Hook(location.conn_id or "")
    hook.ensure_bucket(location.bucket)
    return Endpoint("memory", hook, location)


class Broken(compute.Hook):
    """A cloud that refuses what it is asked to resolve."""

    def __init__(self, errors: Mapping[str | None, tuple[ErrorKind, str]]) -> None:
        super().__init__("memory_one")
        self.errors = errors

    def resolve_launch(self, request: LaunchRequest) -> LaunchSpec:
        if (found := self.errors.get(request.zone)) is not None:
            kind, message = found
            raise compute.machines.failure(message, kind)
        return super().resolve_launch(request)


def opened(
    given: Deployment, hooks: Mapping[str, compute.Hook] | None = None
) -> dict[str, OpenedTarget]:
    """A deployment's targets in the memory cloud, some with hooks of their own."""
    return {
        target.name: OpenedTarget(
            cloud="memory",
            compute=(hooks or {}).get(target.name) or compute.Hook(target.conn_id),
            places={uri: endpoint_of(uri) for uri in target.places()},
        )
        for target in given.targets
    }


def planned(
    *targets: dict[str, Any],
    hooks: Mapping[str, compute.Hook] | None = None,
    artifact: PlannedArtifact = ARTIFACT,
    **changed: Any,
) -> DeploymentPlan:
    """The plan of a deployment of these targets."""
    given = deployment(*targets, **changed)
    return plan_deployment(given, artifact, opened(given, hooks), ORDER)
