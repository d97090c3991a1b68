"""Deployments and where they may be, opened from connections; and whether one is well."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from airflow_multicloud import registry
from airflow_multicloud.core.rollout import survey
from airflow_multicloud.core.rollout.drift import DriftReport, drift_of
from airflow_multicloud.core.rollout.inputs import regions_by_connection
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.core.rollout.standing import (
    DeploymentsReport,
    StandingInstance,
    UnreachablePlace,
)
from airflow_multicloud.core.rollout.teardown import TeardownPlace
from airflow_multicloud.core.rollout.watching import (
    WatchedSlot,
    expected_by,
    read_watched,
    regions_of,
    watch,
)
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, DeploymentError
from airflow_multicloud.ports.compute import Compute
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: What a sensor does about drift.
OnDrift = Literal["fail", "warn"]

#: Connection → regions; every region that its account uses when there are none.
Regions = Mapping[str, Sequence[str]]


@registry.session()
def open_places(conn_ids: Sequence[str], regions: Regions) -> tuple[TeardownPlace, ...]:
    """Where a deployment may be; no cloud is asked for anything.

    :param conn_ids: one or more.
    :raises CloudError: naming what is wrong, or the connection that can't be used.
    """
    asked = regions_by_connection(tuple(dict.fromkeys(conn_ids)), regions)
    return tuple(_place(conn_id, where) for conn_id, where in asked.items())


@registry.session()
def survey_deployments(
    conn_ids: Sequence[str], regions: Regions, deployment_id: str | None
) -> DeploymentsReport:
    """How deployments stand; a connection that can't be used is a place that gave no answer.

    :param conn_ids: one or more.
    :param deployment_id: which; all when ``None``.
    :raises DeploymentError: ``invalid_argument``.
    """
    if deployment_id is not None:
        check_id(deployment_id, "deployment_id")
    places: list[TeardownPlace] = []
    unusable: list[UnreachablePlace] = []
    asked = regions_by_connection(tuple(dict.fromkeys(conn_ids)), regions)
    with operation("list_deployments"):
        for conn_id, where in asked.items():
            try:
                places.append(_place(conn_id, where))
            except CloudError as err:
                unusable.append(_unusable(conn_id, err))
        report = survey.list_deployments(places, deployment_id)
    return replace(report, unreachable=(*unusable, *report.unreachable))


def _place(conn_id: str, regions: tuple[str, ...]) -> TeardownPlace:
    cloud = registry.cloud_of(conn_id).name
    compute = registry.resolve(Compute, conn_id)
    return TeardownPlace(conn_id=conn_id, cloud=cloud, compute=compute, regions=regions)


def _unusable(conn_id: str, err: CloudError) -> UnreachablePlace:
    return UnreachablePlace(
        conn_id=conn_id, cloud=err.cloud, region=None, error_kind=err.kind, error=str(err)
    )


def check_deployment(
    *,
    deployment_id: str,
    targets: Sequence[Mapping[str, Any]],
    revision: str | None = None,
    drift: OnDrift = "fail",
) -> dict[str, Any] | None:
    """The instances of a deployment when all are well, else ``None``, and why in the log.

    :param targets: documents of :class:`~airflow_multicloud.core.rollout.watching.WatchedTarget`.
    :param revision: that all are to be of; any when left out.
    :param drift: ``fail``: what drifts is not well; ``warn``: it is only told.
    :raises DeploymentError: when a place can't be listed, for a reason that does not pass.
    """
    watched = read_watched(targets)
    regions = regions_of(watched)
    report = survey_deployments(tuple(regions), regions, deployment_id)
    _check_reached(report)
    drifts = drift_of(expected_by(deployment_id, watched, revision), report)
    slots = watch(watched, report.deployment(deployment_id), revision)
    ill = [slot for slot in slots if slot.why_not]
    strict = drift == "fail"
    not_yet = bool(ill) or (strict and not drifts.as_expected)
    _tell(deployment_id, report, drifts, ill, "not yet" if not_yet else "drift")
    if not_yet:
        return None
    return {
        "deployment_id": deployment_id,
        "revision": revision,
        "targets": {
            target.name: [_facts(slot) for slot in slots if slot.target == target.name]
            for target in watched
        },
        "drift": [to_document(finding) for finding in drifts.findings],
    }


def _check_reached(report: DeploymentsReport) -> None:
    for place in report.unreachable:
        if not place.error_kind.retryable:
            raise DeploymentError(
                f"connection {place.conn_id}: {place.error}",
                kind=place.error_kind,
                cloud=place.cloud,
            )


def _tell(
    deployment_id: str,
    report: DeploymentsReport,
    drifts: DriftReport,
    ill: Sequence[WatchedSlot],
    begins: str,
) -> None:
    say: Callable[..., None] = _log.info if begins == "not yet" else _log.warning
    told = {(slot.target, slot.number) for slot in ill}
    lines = [f"{one.conn_id}: {one.error_kind}: {one.error}" for one in report.unreachable]
    lines += map(str, ill)
    lines += [str(one) for one in drifts.findings if (one.target, one.slot) not in told]
    for line in lines:
        say("%s: deployment %s: %s", begins, deployment_id, printable(line))


def _facts(slot: WatchedSlot) -> dict[str, Any]:
    found: StandingInstance | None = slot.instance
    return {"slot": slot.number, **({} if found is None else to_document(found))}
