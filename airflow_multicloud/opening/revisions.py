"""An earlier revision of a deployment, as its record near the targets has it."""

from __future__ import annotations

import logging
from typing import Any

from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.inputs import refused
from airflow_multicloud.core.rollout.planning import places_of
from airflow_multicloud.core.rollout.revisions import find_revision
from airflow_multicloud.core.rollout.rollbacks import find_artifact, rollback_of
from airflow_multicloud.core.rollout.targets import Target
from airflow_multicloud.opening.rollout import open_targets

_log = logging.getLogger(__name__)


def earlier_deployment(
    deployment_id: str, to: str, targets: tuple[Target, ...], **given: Any
) -> tuple[Deployment, str]:
    """The deployment that brings a revision back, and the artifact's SHA-256.

    :param to: the revision's name; in full where not every place has its record.
    :param targets: where it is to run; their places are asked for its record.
    :param given: as :func:`~airflow_multicloud.core.rollout.rollbacks.rollback_of` takes it.
    :raises DeploymentError: when no place has it, the places do not agree, or only
        some have it and it is not named in full; ``invalid_argument``
        without a target.
    """
    if not targets:
        raise refused("targets", None, "at least one")
    opened = open_targets(targets)
    places = places_of(opened)
    found = find_revision(deployment_id, places, to)
    for uri, why in found.unknown.items():
        _log.warning("revision %s: %s could not be asked: %s", to, uri, why)
    for uri in found.lacking:
        _log.warning("revision %s: %s has no record of it", to, uri)
    kept = find_artifact(found, places)
    return rollback_of(found, kept, targets, **given), found.revision.sha256
