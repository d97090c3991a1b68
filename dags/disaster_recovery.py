"""Disaster recovery across clouds: replicate, prove, lose the primary, recover, judge.

Before it whether all of that is allowed; beside it secrets, and a database restored into scratch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, Asset, Param, TaskGroup

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.operators.database import (
    RemoveDatabaseOperator,
    RestoreDatabaseOperator,
    SnapshotDatabaseOperator,
    VerifyDatabaseOperator,
)
from airflow_multicloud.operators.drill import (
    DrillAssets,
    drill_deadline,
    drill_deadline_seconds,
    drill_figures,
    drill_task_group,
)
from airflow_multicloud.operators.metrics import ExportMetricsOperator
from airflow_multicloud.operators.metrics.run_reports import skip_if_empty
from airflow_multicloud.operators.params import CheckParamsOperator
from airflow_multicloud.operators.secrets import SyncSecretsOperator

# Names only: an s3:// or gs:// URI here makes every parse of this file load boto3 and the
# Google SDK, for Airflow's URI handlers of these schemes.
PRIMARY = Asset("dr_primary")
REPLICAS = Asset("dr_replicas")
EVIDENCE = Asset("dr_evidence")

#: What a run may choose among, by param. Edit the lists here, or replace single ones in an Airflow
#: Variable of this name, as JSON: {"primary": ["s3://conn@bucket/prefix/"]}.
PLACES = {
    "primary": ["s3://aws_default@primary/data/"],
    "replicas": ["gs://google_cloud_default@replica/data/", "abfs://wasb_default@replica/data/"],
    "metrics_to": ["aws_default", "google_cloud_default", "azure_default"],
    "secrets_from": [],
    "secrets_to": [],
    "secrets_prefix": [],
    "database_at": [],
    "database": [],
    "database_sql": [],
}
NAMESPACE = "airflow_multicloud"
#: Of the database, how many stay: the newest.
SNAPSHOTS = 3
PLACES_VARIABLE = "disaster_recovery_places"
#: Of a run, from when it is queued; 0: never. Set by [multicloud] drill_deadline_seconds.
LATE_AFTER = drill_deadline_seconds()

DOC = """
### Disaster-recovery drill

Ask the clouds whether all of this is allowed (**preflight**), before any of it is done. Then:

1. **replicate** the primary to every replica, reading it once, and **verify** each replica
   against its ledger.
2. Write a **canary** with the time in it to the primary and replicate again: only the canary
   travels.
3. Make the primary fail, for one task only, and **recover** everything from the replicas into
   a scratch directory. As negative controls a corrupt, a stale and a rolled-back copy of each
   replica are offered alone and must be rejected; the primary, the fault gone, must serve again.
4. Measure RTO and RPO, **judge**, and write the evidence as JSON and HTML beside two replicas.
   This task runs whatever became of the others: a drill that could not begin is `INVALID`, and one
   that ended on the way is `ABORTED`.
5. **export** the run's figures to the clouds' metrics, whether the drill passed or not.

Where the params say so, **secrets** are made equal to those of one store (a value that somebody
else wrote is a conflict, and stays), and a **database** is restored from a new snapshot into
scratch, verified there by SQL, and removed again; the newest three of these snapshots are kept.
Without these params both are skipped. Both are judged as well.

Nothing at any cloud is switched off or deleted. A replica that is out of reach is left out, and the
verdict is then not `PASSED`. The DAG fails when the verdict is not
`PASSED`; the evidence is written first. An export that fails is red, and the run stays what it
was without it. Objectives are params; so are the URIs, among those that
`PLACES` in this file or the Airflow Variable `disaster_recovery_places` lists.
"""


def _optional(description: str) -> Param:
    return Param(None, type=["null", "string"], description=description)


def _phase(until: str) -> Param:
    return Param(
        None,
        type=["null", "number"],
        exclusiveMinimum=0,
        description=f"Objective: from the fault until {until}; at most rto_seconds",
    )


def needed(params: Mapping[str, Any], replicas: Sequence[str]) -> list[dict[str, Any]]:
    """What the run needs to be allowed, as preflight takes it."""
    asked: list[dict[str, Any]] = [
        {"drill": {"primary": params["primary"], "replicas": replicas, "places": replicas[:2]}}
    ]
    if params["metrics_to"]:
        to = {"destinations": params["metrics_to"], "namespace": NAMESPACE}
        asked.append({"export_metrics": to})
    if params["secrets_from"]:
        store = {"source": params["secrets_from"], "destinations": params["secrets_to"]}
        asked.append({"sync_secrets": {**store, "prefix": params["secrets_prefix"]}})
    if params["database"]:
        at = {"conn_id": params["database_at"]}
        asked += [
            {"snapshot_database": {**at, "database": params["database"], "keep": SNAPSHOTS}},
            {"restore_database": {**at, "snapshot": "{{ what the run takes }}"}},
            {"remove_database": {**at, "restore_task_id": "database.restore"}},
        ]
    return asked


with DAG(
    dag_id="disaster_recovery",
    description="Replicate, prove, lose the primary, recover from a replica, judge.",
    doc_md=DOC,
    # In your copy set a schedule ("0 4 * * 1" is weekly): places and connections are to be yours
    # first.
    schedule=None,
    # `airflow dags test` (Airflow 3.3.2) can't end a run that has one, so it is to be configured.
    deadline=drill_deadline(timedelta(seconds=LATE_AFTER)) if LATE_AFTER else None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["multicloud", "disaster-recovery", "drill"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    render_template_as_native_obj=True,
    user_defined_macros={"drill_figures": drill_figures, "needed": needed},
    params={
        "primary": Param(
            PLACES["primary"][0],
            type="string",
            examples=PLACES["primary"],
            description="URI of a prefix",
        ),
        "replicas": Param(
            PLACES["replicas"],
            type="array",
            items={"type": "string"},
            minItems=1,
            uniqueItems=True,
            examples=PLACES["replicas"],
            description="URIs of the prefixes that hold replicas, in the order of preference",
        ),
        "fault": Param(
            "unavailable",
            enum=["unavailable", "stalled", "permission_denied", "truncated", "corrupt"],
            description="How the primary misbehaves, for the recovering task only",
        ),
        "fail_over_on": Param(
            ["busy", "not_found", "throttled", "timeout", "unavailable"],
            type="array",
            items={"type": "string"},
            examples=[kind.value for kind in ErrorKind],
            description="Error kinds that trigger failover to the next candidate: those of the "
            "fetches that this drill stands for. The fault permission_denied is survived only with "
            "permission_denied among them",
        ),
        "rto_seconds": Param(3600, type="number", exclusiveMinimum=0, description="RTO objective"),
        "rpo_seconds": Param(3600, type="number", exclusiveMinimum=0, description="RPO objective"),
        "detect_seconds": _phase("the first attempt has failed"),
        "failover_seconds": _phase("a copy begins to send what it serves in the end"),
        "first_verified_seconds": _phase("the first object is verified and in place"),
        "metrics_to": Param(
            PLACES["metrics_to"],
            type="array",
            items={"type": "string"},
            uniqueItems=True,
            examples=PLACES["metrics_to"],
            description="Connections whose clouds' metrics get the run's figures; leave out what "
            "you don't have",
        ),
        "on_unknown": Param(
            "fail",
            enum=["fail", "warn"],
            description="What it means for preflight when a cloud can't say whether something is "
            "allowed",
        ),
        "secrets_from": _optional("Connection of the store whose secrets are copied"),
        "secrets_to": Param(
            [],
            type="array",
            items={"type": "string"},
            uniqueItems=True,
            description="Connections of the stores that are made equal to it",
        ),
        "secrets_prefix": _optional("How the names of these secrets begin"),
        "database_at": _optional("Connection of the cloud of a database"),
        "database": _optional("The database, by its name or full id"),
        "database_sql": _optional("Connection that it is asked with, by SQL"),
        "database_checks": Param(
            [],
            type="array",
            items={"type": "object"},
            description="What must be in it: a list like "
            '[{"table": "orders", "at_least_rows": 1}]; see VerifyDatabaseOperator',
        ),
    },
) as dag:
    check = CheckParamsOperator(task_id="check_params", allowed=PLACES, variable=PLACES_VARIABLE)

    drill = drill_task_group(
        primary="{{ params.primary }}",
        replicas="{{ params.replicas }}",
        rto_seconds="{{ params.rto_seconds }}",
        rpo_seconds="{{ params.rpo_seconds }}",
        detect_seconds="{{ params.detect_seconds }}",
        failover_seconds="{{ params.failover_seconds }}",
        first_verified_seconds="{{ params.first_verified_seconds }}",
        assets=DrillAssets(PRIMARY, REPLICAS, EVIDENCE),
        begin=check,
        # Of what is in reach; the rest is the drill's finding.
        operations="{{ needed(params, ti.xcom_pull(task_ids='reachable_replicas')) }}",
        on_unknown="{{ params.on_unknown }}",
        fault="{{ params.fault }}",
        fail_over_on="{{ params.fail_over_on }}",
        secrets="sync_secrets",
        database="database",
        prefix_group_id=False,
    )
    (
        drill.preflight
        >> SyncSecretsOperator(
            task_id="sync_secrets",
            source="{{ params.secrets_from }}",
            destinations="{{ params.secrets_to }}",
            prefix="{{ params.secrets_prefix }}",
            pre_execute=skip_if_empty("secrets_from"),
        )
        >> drill.judge
    )
    with TaskGroup("database"):
        at = {"conn_id": "{{ params.database_at }}"}
        snapshot = SnapshotDatabaseOperator(
            task_id="snapshot",
            database="{{ params.database }}",
            keep=SNAPSHOTS,
            pre_execute=skip_if_empty("database"),
            **at,
        )
        restore = RestoreDatabaseOperator(
            task_id="restore", snapshot="{{ ti.xcom_pull(task_ids='database.snapshot').id }}", **at
        )
        verify_restored = VerifyDatabaseOperator(
            task_id="verify",
            sql_conn_id="{{ params.database_sql }}",
            checks="{{ params.database_checks }}",
            restored=restore.output,
        )
        # Also what a try that died has restored. The newest snapshots stay.
        remove = RemoveDatabaseOperator(
            task_id="remove", restore_task_id="database.restore", **at
        ).as_teardown(setups=restore)
        drill.preflight >> snapshot >> restore >> verify_restored >> remove >> drill.judge

    # A teardown: it runs whatever became of the others, unless the params are not allowed, and the
    # run's state does not depend on it.
    export = ExportMetricsOperator(
        task_id="export",
        destinations="{{ params.metrics_to }}",
        namespace=NAMESPACE,
        metrics="{{ drill_figures(ti) }}",
        on_invalid="drop",
        pre_execute=skip_if_empty("metrics_to"),
    ).as_teardown(setups=check)
    drill.judge >> export
