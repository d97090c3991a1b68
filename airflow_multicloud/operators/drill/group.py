"""The tasks of a drill, for a DAG of one's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from airflow.sdk import Asset, BaseOperator, TaskGroup

from airflow_multicloud.core.drill.findings import COPIES, why_not_in_two_clouds
from airflow_multicloud.core.failover.policy import OUTAGES
from airflow_multicloud.lists import texts
from airflow_multicloud.operators.base import airflow_errors
from airflow_multicloud.operators.drill.canary import WriteCanaryOperator
from airflow_multicloud.operators.drill.judge import JudgeDrillOperator
from airflow_multicloud.operators.drill.objectives import objectives_of
from airflow_multicloud.operators.drill.recover import FailoverDrillOperator
from airflow_multicloud.operators.drill.steps import DrillTasks
from airflow_multicloud.operators.given import given_or_none
from airflow_multicloud.operators.object_store import ReplicateOperator, VerifyReplicaOperator
from airflow_multicloud.operators.preflight import PreflightOperator

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DrillGroup:
    """The tasks that others are hung to.

    :param group: all of them.
    :param preflight: nothing is done before it.
    :param recover: what it returns has the moment of the fault.
    :param judge: the last one; let what it is to judge besides come before it.
    """

    group: TaskGroup
    preflight: BaseOperator
    recover: BaseOperator
    judge: BaseOperator


@dataclass(frozen=True, slots=True)
class DrillAssets:
    """What the tasks read and write: the primary, its replicas and the evidence.

    By those of the replicas Airflow remembers ledgers, so that one that was rolled back is noticed.
    """

    primary: Asset
    replicas: Asset
    evidence: Asset


def drill_task_group(
    *,
    primary: str,
    replicas: Sequence[str] | str,
    rto_seconds: float | str,
    rpo_seconds: float | str,
    assets: DrillAssets,
    begin: BaseOperator,
    operations: Any = None,
    on_unknown: str = "fail",
    fault: str = "unavailable",
    fail_over_on: Sequence[str] | str = tuple(sorted(OUTAGES)),
    places: Sequence[str] | str | None = None,
    signing_conn_id: str | None = None,
    detect_seconds: float | str | None = None,
    failover_seconds: float | str | None = None,
    first_verified_seconds: float | str | None = None,
    secrets: str = "",
    secrets_canary: str = "",
    secrets_copies: str = "",
    database: str = "",
    deployment: str = "",
    group_id: str = "drill",
    prefix_group_id: bool = True,
) -> DrillGroup:
    """The whole drill as a group of tasks: from asking what is allowed to the evidence.

    All parameters but the ids may be templates. The judging task is a teardown of ``begin``: it
    runs, and leaves evidence, whatever became of the others, unless ``begin`` failed.

    :param primary: URI of the prefix that is replicated; the canary is written below it.
    :param replicas: URIs of prefixes, in the order of preference. One that is out of reach is left
        out, and the drill is ``INVALID`` then.
    :param rto_seconds: the recovery time objective.
    :param rpo_seconds: the recovery point objective.
    :param assets: inlets and outlets.
    :param begin: the task that comes first, which checks the params, say.
    :param operations: what preflight asks for, as a ``PreflightOperator`` takes it; that of the
        drill when left out.
    :param on_unknown: what it means for preflight when a cloud can't say whether something is
        allowed: ``fail`` or ``warn``.
    :param fault: as a ``FailoverDrillOperator``'s.
    :param fail_over_on: likewise.
    :param places: URIs in buckets that keep the evidence; those of the first two replicas in reach
        when left out. In fewer than two clouds, the drill is ``FAILED_EVIDENCE`` at best; the first
        task warns of it.
    :param signing_conn_id: as a ``DrillReportOperator``'s.
    :param detect_seconds: the objective of a phase, as a ``DrillReportOperator``'s. The first task
        refuses objectives that are wrong.
    :param failover_seconds: likewise.
    :param first_verified_seconds: likewise.
    :param secrets: the full id of a ``SyncSecretsOperator`` that is judged as well; let it come
        before the judging task.
    :param secrets_canary: that of a ``WriteCanarySecretOperator``, likewise.
    :param secrets_copies: that of a ``CheckCanarySecretOperator``, likewise.
    :param database: the full id of a group of tasks ``snapshot``, ``restore``, ``verify`` and
        ``remove`` that are judged as well, likewise.
    :param deployment: that of a group of tasks ``choose``, ``deploy`` (a ``DrillDeployOperator``)
        and ``remove`` (a ``TeardownOperator``), likewise.
    :param group_id: of the group.
    :param prefix_group_id: whether the tasks' ids begin with it.
    """
    # Here, as it loads the operators of another provider.
    from airflow.sdk import task

    phases = {
        "detect_seconds": detect_seconds,
        "failover_seconds": failover_seconds,
        "first_verified_seconds": first_verified_seconds,
    }
    objectives = {"rto_seconds": rto_seconds, "rpo_seconds": rpo_seconds, **phases}
    with TaskGroup(group_id, prefix_group_id=prefix_group_id) as group:
        reachable = task(task_id="reachable_replicas")(_reachable_replicas)(
            replicas, places, objectives
        )
        name = f"{group_id}.reachable_replicas" if prefix_group_id else "reachable_replicas"
        in_reach = f"ti.xcom_pull(task_ids='{name}')"
        kept = f"{{{{ ({in_reach} or {_expression(replicas)})[:{COPIES}] }}}}"
        drill = {"primary": primary, "replicas": reachable, "places": places or kept}
        preflight = PreflightOperator(
            task_id="preflight", operations=operations or [{"drill": drill}], on_unknown=on_unknown
        )
        replicate = ReplicateOperator(
            task_id="replicate",
            source=primary,
            destinations=reachable,
            inlets=[assets.primary],
            outlets=[assets.replicas],
        )
        # What is not proven is judged, with evidence. The inlets: Airflow remembers ledgers.
        verify = VerifyReplicaOperator.partial(
            task_id="verify", fail=False, inlets=[assets.replicas]
        ).expand(replica=reachable)
        canary = WriteCanaryOperator(task_id="canary", primary=primary)
        again = ReplicateOperator(
            task_id="replicate_canary",
            source=primary,
            destinations=reachable,
            outlets=[assets.replicas],
        )
        recover = FailoverDrillOperator(
            task_id="recover",
            candidates=f"{{{{ [{_expression(primary)}] + {_expression(replicas)} }}}}",
            canary=cast("Any", canary.output),
            fault=fault,
            fail_over_on=fail_over_on,
            inlets=[assets.replicas],
        )
        judge = JudgeDrillOperator(
            task_id="judge",
            tasks=DrillTasks(
                reachable=name,
                preflight=preflight.task_id,
                replicate=replicate.task_id,
                verify=verify.task_id,
                canary=canary.task_id,
                replicate_canary=again.task_id,
                recover=recover.task_id,
                secrets=secrets,
                secrets_canary=secrets_canary,
                secrets_copies=secrets_copies,
                database=database,
                deployment=deployment,
            ),
            places=places or kept,
            rto_seconds=rto_seconds,
            rpo_seconds=rpo_seconds,
            **phases,
            signing_conn_id=signing_conn_id,
            outlets=[assets.evidence],
        ).as_teardown(setups=begin, on_failure_fail_dagrun=True)
        begin >> reachable >> preflight >> replicate >> verify
        verify >> canary >> again >> recover >> judge
    return DrillGroup(group, preflight, recover, judge)


def _expression(given: Sequence[str] | str) -> str:
    """What a template says, or a value, as a part of a template."""
    if isinstance(given, str) and given.startswith("{{") and given.endswith("}}"):
        return given[2:-2].strip()
    return repr(given if isinstance(given, str) else list(given))


def _reachable_replicas(replicas: Any, places: Any, objectives: Mapping[str, Any]) -> list[str]:
    """One that is out of reach is a finding of the drill's, not the end of it.

    What is wrong with the objectives ends it here, before anything is done.
    """
    from airflow_multicloud.api.object_store.reachability import reachable_replicas

    with airflow_errors():
        objectives_of(**objectives)
        found = reachable_replicas(replicas)
        given = given_or_none(places)
        kept = found.uris[:COPIES] if given is None else texts(given, "places", what="URIs")
    for status in found.out_of_reach:
        _log.warning("out of reach: %s", status)
    if (alone := why_not_in_two_clouds(kept)) is not None:
        _log.warning("places: %s: the drill can't pass", alone)
    return list(found.uris)
