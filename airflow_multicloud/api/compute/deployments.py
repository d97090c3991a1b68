"""How deployments stand, and taking them down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from airflow_multicloud.core.rollout.clock import LISTINGS_LAG
from airflow_multicloud.core.rollout.drift import DriftReport, ExpectedDeployment, drift_of
from airflow_multicloud.core.rollout.inputs import duration
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.core.rollout.standing import DeploymentsReport
from airflow_multicloud.core.rollout.teardown import Teardown
from airflow_multicloud.core.rollout.teardown_progress import TeardownResult
from airflow_multicloud.core.telemetry import noted, operation
from airflow_multicloud.opening.deployments import open_places, survey_deployments
from airflow_multicloud.registry import session


@session()
@operation("list_deployments")
def list_deployments(
    conn_ids: Sequence[str],
    *,
    regions: Mapping[str, Sequence[str]] | None = None,
    deployment_id: str | None = None,
) -> DeploymentsReport:
    """What runs where: everything that carries a deployment's label, listed now.

    :param conn_ids: the connections of the clouds to look in.
    :param regions: connection → regions to look in; every region that its account uses when left
        out.
    :param deployment_id: which deployment; all of them when left out.
    :raises DeploymentError: ``invalid_argument``. A place that gives no answer is in the report.
    """
    return survey_deployments(conn_ids, regions or {}, deployment_id)


@session()
@operation("deployment_drift")
def deployment_drift(
    expected: ExpectedDeployment,
    conn_ids: Sequence[str],
    *,
    regions: Mapping[str, Sequence[str]] | None = None,
) -> DriftReport:
    """How a deployment differs from what is expected, by a listing made now.

    :param expected: what is to be there. A plan's is
        :func:`~airflow_multicloud.core.rollout.drift.expected_of` it.
    :param conn_ids: the connections of the clouds to look in.
    :param regions: as :func:`list_deployments` has them.
    :raises DeploymentError: ``invalid_argument``. A place that gives no answer makes the report
        incomplete.
    """
    report = survey_deployments(conn_ids, regions or {}, expected.deployment_id)
    return drift_of(expected, report)


@session()
@operation("teardown")
def tear_down_deployment(
    deployment_id: str,
    conn_ids: Sequence[str],
    *,
    regions: Mapping[str, Sequence[str]] | None = None,
    timeout: timedelta = timedelta(minutes=15),
    poll_interval: timedelta = timedelta(seconds=5),
    confirm_after: timedelta = LISTINGS_LAG,
) -> TeardownResult:
    """Remove everything that carries a deployment's label, until a listing shows nothing.

    :param deployment_id: whose instances go, with their interfaces and disks.
    :param conn_ids: the connections of the clouds to do so in.
    :param regions: as :func:`list_deployments` has them; what is elsewhere stays.
    :param timeout: for each connection's place.
    :param poll_interval: between two looks.
    :param confirm_after: the closing listing is made no earlier than this after the beginning,
        since listings lag behind launches; 0 where nobody can have launched anything just before.
    :raises CloudError: before anything is removed: ``invalid_argument``, or a connection that
        can't be used. What could not be removed is in the result, and its ``raise_if_failed``
        raises for it.
    """
    check_id(deployment_id, "deployment_id")
    places = open_places(conn_ids, regions or {})
    teardown = Teardown(
        deployment_id,
        places,
        timeout=duration("timeout", timeout),
        poll_interval=duration("poll_interval", poll_interval),
        confirm_after=confirm_after,
    )
    result = teardown.run()
    with noted():
        result.raise_if_failed()
    return result
