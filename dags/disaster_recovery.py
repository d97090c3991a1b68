"""Disaster recovery across clouds: replicate, prove, lose the primary, recover, judge.

Before it whether all of that is allowed; beside it secrets, a database restored into scratch, and a
deployment in the clouds that are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.sdk import DAG, Asset, Param, TaskGroup, task

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.operators.compute import TeardownOperator
from airflow_multicloud.operators.database import (
    RemoveDatabaseOperator,
    RestoreDatabaseOperator,
    SnapshotDatabaseOperator,
    VerifyDatabaseOperator,
)
from airflow_multicloud.operators.drill import (
    CheckCanarySecretOperator,
    DrillAssets,
    DrillDeployOperator,
    WriteCanarySecretOperator,
    drill_deadline,
    drill_deadline_seconds,
    drill_figures,
    drill_task_group,
    drilled_places,
)
from airflow_multicloud.operators.metrics import ExportMetricsOperator
from airflow_multicloud.operators.metrics.run_reports import skip_if_empty
from airflow_multicloud.operators.params import CheckParamsOperator, chosen_targets
from airflow_multicloud.operators.secrets import SyncSecretsOperator

# Names only: an s3:// or gs:// URI here makes every parse of this file load boto3 and the
# Google SDK, for Airflow's URI handlers of these schemes.
PRIMARY = Asset("dr_primary")
REPLICAS = Asset("dr_replicas")
EVIDENCE = Asset("dr_evidence")

#: What a run may choose among, by param. Edit the lists here, or replace single ones in an Airflow
#: Variable of this name, as JSON: {"primary": ["s3://conn@bucket/prefix/"]}.
PLACES: dict[str, list[str]] = {
    "primary": ["s3://aws_default@primary/data/"],
    "replicas": ["gs://google_cloud_default@replica/data/", "abfs://wasb_default@replica/data/"],
    "metrics_to": ["aws_default", "google_cloud_default", "azure_default"],
    "secrets_from": [],
    "secrets_to": [],
    "secrets_prefix": [],
    "database_at": [],
    "database": [],
    "database_sql": [],
    "deploy_artifact": [],
}
NAMESPACE = "airflow_multicloud"
#: Of the database, how many stay: the newest.
SNAPSHOTS = 3
PLACES_VARIABLE = "disaster_recovery_places"
#: Of a run, from when it is queued; 0: never. Set by [multicloud] drill_deadline_seconds.
LATE_AFTER = drill_deadline_seconds()

#: What a drill deploys carries this id, and all that carries it is removed after the drill: give
#: each copy of this DAG one of its own. It must begin with "drill-".
DEPLOYMENT_ID = "drill-disaster-recovery"
#: Where a drill may deploy: a run chooses among these by name. What a target is, dags/release.py
#: shows. Edit them here, or give an Airflow Variable of this name with other ones, as a JSON list.
TARGETS: list[dict[str, Any]] = []
TARGETS_VARIABLE = "disaster_recovery_targets"

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

Where the params say so:

- **secrets** are made equal to those of one store (a value that somebody else wrote is a conflict,
  and stays). A canary secret is written there before, and must be found in every copy.
- A **database** is restored from a new snapshot into scratch, verified there by SQL, and removed
  again; the newest three of these snapshots are kept.
- After the recovery an artifact is **deployed** from a replica to targets outside the primary's
  cloud. It is measured when it serves again, and then it is removed.

Without these params they are skipped. All are judged as well.

Nothing that was there before is switched off or deleted. A replica that is out of reach is left
out, and the verdict is then not `PASSED`. The DAG fails when the verdict is not `PASSED`; the
evidence is written first. An export that fails is red, and the run stays what it was without it.
Objectives are params; so are the URIs, among those that `PLACES` in this file or the Airflow
Variable `disaster_recovery_places` lists, and the names of targets, which are those of `TARGETS` or
of the Variable `disaster_recovery_targets`.
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


def targets_of(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The targets that the params name, and that something is deployed to."""
    if params["deploy_targets"] and not params["deploy_artifact"]:
        raise AirflowFailException(
            "params: deploy_artifact: nothing given, and deploy_targets names some: give the key "
            "of the artifact below the primary's prefix"
        )
    names = params["deploy_targets"]
    return chosen_targets("deploy_targets", names, TARGETS, variable=TARGETS_VARIABLE)


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
        below = {"prefix": params["secrets_prefix"]}
        asked.append({"write_canary_secret": {"source": params["secrets_from"], **below}})
        asked.append({"sync_secrets": {**store, **below}})
    if params["database"]:
        at = {"conn_id": params["database_at"]}
        asked += [
            {"snapshot_database": {**at, "database": params["database"], "keep": SNAPSHOTS}},
            {"restore_database": {**at, "snapshot": "{{ what the run takes }}"}},
            {"remove_database": {**at, "restore_task_id": "database.restore"}},
        ]
    if params["deploy_targets"]:
        targets = targets_of(params)
        regions = drilled_places(params["primary"], targets)
        deployed = [one for one in targets if one["conn_id"] in regions]
        # It goes to the targets from the worker, which fetches it from a replica.
        artifact = {"artifact": f"/{params['deploy_artifact']}", "targets": deployed}
        of = {"deployment_id": DEPLOYMENT_ID}
        asked += [
            {"deploy": {**of, **artifact}},
            {"teardown": {**of, "conn_ids": [*regions], "regions": regions}},
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
        "deploy_targets": Param(
            [],
            type="array",
            items={"type": "string"},
            uniqueItems=True,
            examples=[one["name"] for one in TARGETS],
            description="Names of targets; those in the primary's cloud are left out",
        ),
        "deploy_artifact": _optional(
            "The key of an artifact below the primary's prefix: builds/shop.tar.gz"
        ),
        "deploy_health": Param(
            {"port": 8080, "path": "/"},
            type=["null", "object"],
            description="How an instance is asked whether it is well; without it its cloud is",
        ),
        "deploy_policy": Param({}, type="object", description="How the rollout goes"),
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
        secrets_canary="canary_secret",
        secrets_copies="canary_copies",
        database="database",
        deployment="deployment",
        prefix_group_id=False,
    )
    canary_secret = WriteCanarySecretOperator(
        task_id="canary_secret",
        source="{{ params.secrets_from }}",
        prefix="{{ params.secrets_prefix }}",
        pre_execute=skip_if_empty("secrets_from"),
    )
    sync = SyncSecretsOperator(
        task_id="sync_secrets",
        source="{{ params.secrets_from }}",
        destinations="{{ params.secrets_to }}",
        prefix="{{ params.secrets_prefix }}",
        # Ten besides the canary, which is replaced everywhere each time.
        max_replace="{{ 10 + params.secrets_to | length }}",
    )
    # Also where the synchronisation has failed: what the other stores have is shown.
    copies = CheckCanarySecretOperator(
        task_id="canary_copies",
        canary=canary_secret.output,
        destinations="{{ params.secrets_to }}",
        trigger_rule="all_done_min_one_success",
    )
    drill.preflight >> canary_secret >> sync >> copies >> drill.judge
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

    with TaskGroup("deployment"):

        @task(retries=0, multiple_outputs=True)
        def choose(params: dict[str, Any]) -> dict[str, Any]:
            """Where it goes, and so where it is removed again."""
            if not params["deploy_targets"]:
                raise AirflowSkipException("the param deploy_targets is empty")
            targets = targets_of(params)
            regions = drilled_places(params["primary"], targets)
            return {"targets": targets, "conn_ids": [*regions], "regions": regions}

        chosen = choose()
        deploy = DrillDeployOperator(
            task_id="deploy",
            deployment_id=DEPLOYMENT_ID,
            primary="{{ params.primary }}",
            replicas="{{ params.replicas }}",
            artifact="{{ params.deploy_artifact }}",
            measurement=drill.recover.output,
            targets=chosen["targets"],
            health="{{ params.deploy_health }}",
            policy="{{ params.deploy_policy }}",
            fail_over_on="{{ params.fail_over_on }}",
            inlets=[REPLICAS],
        )
        # Of the task that chooses, not of the one that deploys: what that one has made goes also
        # where it has failed, or was killed.
        removed = TeardownOperator(
            task_id="remove",
            deployment_id=DEPLOYMENT_ID,
            conn_ids=chosen["conn_ids"],
            regions=chosen["regions"],
        ).as_teardown(setups=chosen)
        drill.preflight >> chosen >> deploy >> removed >> drill.judge

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
