"""Back to an earlier revision: a deployment like the one it was first deployed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.artifacts import look_at_artifact
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.plans import PlannedArtifact
from airflow_multicloud.core.rollout.revisions import FoundRevision
from airflow_multicloud.core.rollout.targets import Target
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArtifact:
    """A copy of a revision's artifact that is as its record says.

    :param source: where it lies; from there it is delivered to where it is not.
    """

    source: Endpoint
    artifact: PlannedArtifact


def find_artifact(found: FoundRevision, places: Mapping[str, Endpoint]) -> KeptArtifact:
    """A sound copy of a revision's artifact, at the first place that has one.

    :param places: URI → prefix, of all places that can be reached.
    :raises DeploymentError: when no place has one, naming what is wrong at each.
    """
    revision = found.revision
    wrong: list[CloudError] = []
    first = [*found.places, *found.lacking]
    for uri in first + [uri for uri in places if uri not in first]:
        source = places[uri].below(revision.key)
        try:
            artifact = look_at_artifact(source, sha256=revision.sha256, size=revision.size)
        except CloudError as err:
            wrong.append(err)
            continue
        return KeptArtifact(source=source, artifact=artifact)
    kinds = {err.kind for err in wrong}
    raise DeploymentError(
        f"to: no place has the artifact of revision {revision.full_name}: "
        f"{'; '.join(str(err) for err in wrong)}",
        # Where some can't be reached, trying again may help.
        kind=next((kind for kind in kinds if kind.is_outage), ErrorKind.NOT_FOUND),
    )


def rollback_of(
    found: FoundRevision, kept: KeptArtifact, targets: Sequence[Target], **given: Any
) -> Deployment:
    """The deployment that brings back a revision.

    :param targets: where it is to run.
    :param given: what else :class:`~airflow_multicloud.core.rollout.deployment.Deployment` takes,
        but for what the revision's record says.
    :raises DeploymentError: ``invalid_argument`` when these do not go together.
    """
    revision = found.revision
    return Deployment(
        deployment_id=revision.deployment_id,
        artifact=str(kept.source.location),
        targets=tuple(targets),
        revision=revision.revision,
        command=revision.command,
        port=revision.port,
        health=revision.health,
        **given,
    )
