"""What operations need to be allowed, checked or written as a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_multicloud.core.preflight.policies import RenderedPolicy
from airflow_multicloud.core.preflight.report import OnUnknown, PreflightReport
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.opening.permissions import check_operations_allowed, policies_for
from airflow_multicloud.registry import session


@session()
@operation("preflight")
def run_preflight(
    operations: Sequence[Mapping[str, Mapping[str, Any]]], *, on_unknown: str = OnUnknown.FAIL
) -> PreflightReport:
    """Ask the clouds whether all that operations need is allowed; nothing is changed by it.

    A denial is in the report, and not raised: see ``PreflightReport.raise_if_failed``.

    :param operations: mappings of one operation (``replicate``, ``upload``, ``verify``, ``fetch``,
        ``drill``, ``export_metrics``, ``ship_logs``, ``query_logs``) and its parameters, in the
        words of its operator.
    :param on_unknown: ``fail`` or ``warn``: whether what a cloud can't say counts as denied.
    :raises CloudError: kind ``invalid_argument`` for what is no operation, naming it.
    """
    return check_operations_allowed(operations, on_unknown=OnUnknown.parse(on_unknown))


@session()
@operation("render_policy")
def render_policy(
    operations: Sequence[Mapping[str, Mapping[str, Any]]], cloud: str
) -> tuple[RenderedPolicy, ...]:
    """The smallest policies that allow what operations need on one cloud; no cloud is asked.

    :param operations: as for :func:`run_preflight`.
    :param cloud: ``aws``: an IAM policy for each connection. ``gcp``: custom roles, ``azure``: role
        definitions, one for each set of permissions that some of a connection's resources need.
    :raises CloudError: kind ``invalid_argument`` for what is no operation or cloud, or when the
        operations need nothing of it.
    """
    return policies_for(operations, cloud)
