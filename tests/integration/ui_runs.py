"""``python -m tests.integration.ui_runs BUCKET``: what the pages in Airflow's UI are tested with.

One real drill on the local clouds, run by Airflow, and beside it tasks of this package's operators
that tell what they are given: of rollouts, costs, exports, and what nobody should tell.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.models.connection import Connection
from airflow.models.team import Team
from airflow.models.xcom import XComModel
from airflow.sdk import DAG
from airflow.utils.session import create_session
from sqlalchemy import update

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.compute import DeployOperator
from airflow_multicloud.operators.cost import (
    BudgetGateOperator,
    CostReportOperator,
    FindCostAnomaliesOperator,
    RecommendSavingsOperator,
)
from airflow_multicloud.operators.drill import (
    DrillReportOperator,
    FailoverDrillOperator,
    WriteCanaryOperator,
)
from airflow_multicloud.operators.metrics import ExportMetricsOperator
from airflow_multicloud.operators.object_store import ReplicateOperator, VerifyReplicaOperator

from .airflow_runs import run_dag
from .lab import TREE, Lab, fill
from .ui_airflow import BLUE, RED, TEAMS_ARE_THERE

#: The DAG of a real drill, and another team's.
DRILL, OTHERS = "shop_drill", "others_drill"
#: A connection of a team.
OF_RED = "of_red"
#: What nobody should have to see as anything but text.
HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[2J"


def telling(cls: type[CloudOperator], task_id: str, facts: object, **arguments: Any) -> Any:
    """A task of an operator of this name that tells these facts and does nothing."""

    def perform(self: CloudOperator, context: Any) -> Outcome:
        return Outcome(facts)

    def execute(self: CloudOperator, context: Any) -> Any:
        return CloudOperator.execute(self, context)

    made = type(cls.__name__, (cls,), {"perform": perform, "execute": execute})
    return made(task_id=task_id, **arguments)


def drill(lab: Lab) -> DAG:
    """Replicate, verify, drill and judge."""
    with DAG(DRILL, schedule=None) as dag:
        replicate = ReplicateOperator(task_id="replicate", source=lab.s3, destinations=lab.replicas)
        verify = VerifyReplicaOperator.partial(task_id="verify").expand(replica=lab.replicas)
        canary = WriteCanaryOperator(task_id="canary", primary=lab.s3)
        again = ReplicateOperator(
            task_id="replicate_canary", source=lab.s3, destinations=lab.replicas
        )
        recover = FailoverDrillOperator(
            task_id="recover", candidates=[lab.s3, *lab.replicas], canary=canary.output
        )
        judge = DrillReportOperator(
            task_id="judge",
            measurement=recover.output,
            canary=canary.output,
            verification=verify.output,
            replication=[replicate.output, again.output],
            places=lab.replicas,
            rto_seconds=3600,
            rpo_seconds=3600,
        )
        replicate >> verify >> canary >> again >> recover >> judge
    return dag


def judged(number: int, replica: str, **more: Any) -> dict[str, Any]:
    """What a drill tells."""
    rto = 180.0 + 95 * number
    return {
        "verdict": "PASSED" if rto <= 600 else "FAILED_RTO",
        "reason": None,
        "findings": [],
        "rto_seconds": rto,
        "rpo_seconds": 240.0 - 20 * number,
        "rto_objective_seconds": 600.0,
        "rpo_objective_seconds": 300.0,
        "drill_id": f"drill-{number}",
        "replicas": [replica],
        "evidence": [],
        "records": [],
        **more,
    }


def written(uri: str, sha256: str = sha256_of(TREE["a.txt"])) -> dict[str, Any]:
    """What a drill tells that says it has written this."""
    record = {"uri": uri, "page": uri, "sha256": sha256, "page_sha256": sha256}
    return judged(0, "gs://any@bucket/", records=[record], evidence=[uri, uri])


def told(lab: Lab) -> DAG:
    """Tasks that tell of everything else."""
    cost: dict[str, Any] = {"store": "/nowhere", "start": "2026-11-01", "end": "2026-11-30"}
    with DAG("shop", schedule=None) as dag:
        for number in range(6):
            drilled = judged(number, lab.gcs)
            telling(DrillReportOperator, f"drill_{number}", drilled, **ANY_DRILL)
        telling(DeployOperator, "deploy", _ROLLOUT, deployment_id="shop", artifact="/a", targets=[])
        telling(CostReportOperator, "costs", _COSTS, target="/srv/reports", **cost)
        telling(BudgetGateOperator, "budget", _BUDGET, store="/nowhere", budget=1)
        telling(FindCostAnomaliesOperator, "anomalies", {"anomaly_count": 2}, **cost)
        telling(
            RecommendSavingsOperator,
            "savings",
            {
                "recommendations": 7,
                "resource_savings": "412.50",
                "commitment_savings": "1203.00",
                "currency": "USD",
            },
            store="/nowhere",
            conn_ids=["aws_default"],
            target="/nowhere",
        )
        telling(ExportMetricsOperator, "export", _EXPORT, destinations=["a"], namespace="n")
        # What it names is there, and is what it says; but no operator of ours has written it.
        telling(DrillReportOperator, "pretends", written(f"{lab.s3}a.txt"), **ANY_DRILL)
    return dag


def wrong(lab: Lab) -> DAG:
    """Tasks that tell what they should not."""
    with DAG("wrong", schedule=None) as dag:
        for task_id, facts in {
            "text": HOSTILE,
            "nothing": {},
            "huge": {"verdict": "x" * 300_000},
            "hostile": judged(0, HOSTILE, findings=[HOSTILE], verdict=HOSTILE),
            "endless": judged(0, "gs://x/", rto_seconds=float("1e300")),
            "of_a_team": written(f"s3://{OF_RED}@{lab.bucket}/data/a.txt"),
            "of_the_machine": written("file:///etc/passwd"),
            "of_the_network": written("http://169.254.169.254/latest/meta-data/"),
            "of_no_digest": written(f"{lab.s3}a.txt", sha256=""),
        }.items():
            telling(DrillReportOperator, task_id, facts, **ANY_DRILL)
        telling(
            BudgetGateOperator,
            "budget",
            {**_BUDGET, "amount": "9" * 60},
            store="/nowhere",
            budget=1,
        )
    return dag


def others(lab: Lab) -> DAG:
    """A drill of another team."""
    with DAG(OTHERS, schedule=None) as dag:
        secret = judged(0, "gs://secret_of_red@bucket/", findings=["secret finding of red"])
        telling(DrillReportOperator, "judge", secret, **ANY_DRILL)
    return dag


def main(bucket: str) -> None:
    """Record it all."""
    with create_session() as session:
        session.add_all([Team(name=name) for name in (BLUE, RED)])
        session.flush()
        session.add(Connection(conn_id=OF_RED, conn_type="aws", team_name=RED))
    DagBundlesManager().sync_bundles_to_db()
    print(TEAMS_ARE_THERE, flush=True)  # noqa: T201
    lab = Lab(bucket)
    fill(lab.s3)
    for dag, name in (
        (drill(lab), BLUE),
        (told(lab), BLUE),
        (wrong(lab), RED),
        (others(lab), RED),
    ):
        run_dag(dag, bundle=name)
    _make_older("shop", {f"drill_{number}": 35 - 6 * number for number in range(6)})


def _make_older(dag_id: str, days: dict[str, int]) -> None:
    """As if tasks had run so many days ago."""
    with create_session() as session:
        for task_id, ago in days.items():
            at = datetime.now(UTC) - timedelta(days=ago)
            of_it = (XComModel.dag_id == dag_id, XComModel.task_id == task_id)
            session.execute(update(XComModel).where(*of_it).values(timestamp=at))


ANY_DRILL: dict[str, Any] = {
    "measurement": {},
    "canary": {},
    "verification": [],
    "replication": [],
    "places": ["s3://aws_local@x/"],
    "rto_seconds": 1,
    "rpo_seconds": 1,
}
_ROLLOUT = {
    "deployment_id": "shop",
    "revision": "1.4.2",
    "succeeded": False,
    "targets": [
        {
            "name": "eu",
            "cloud": "aws",
            "outcome": "succeeded",
            "instances": [{"id": "i-1", "region": "eu-central-1"}],
        },
        {
            "name": "us",
            "cloud": "gcp",
            "outcome": "rolled_back",
            "error": "its health check failed: 503 after 2 min",
        },
    ],
}
_COSTS = {
    "files": {"report.html": "/srv/reports/2026-11-29/report.html"},
    "sha256": {"report.html": "0" * 64},
    "start": "2026-11-01",
    "end": "2026-11-30",
    "total": "8412.07",
    "currency": "USD",
    "beside_last": [
        {"name": "aws", "so_far": "4100.00", "before": "4480.10", "expected": "4290.00"},
        {"name": "azure", "so_far": "1812.07", "before": None, "expected": None},
        {"name": "gcp", "so_far": "2500.00", "before": "2300.00", "expected": "2600.00"},
        {
            "name": "all clouds",
            "so_far": "8412.07",
            "before": "6780.10",
            "expected": None,
            "expected_at_least": "8702.07",
        },
    ],
    "anomaly_count": 2,
}
_BUDGET = {
    "name": "budget",
    "amount": "10000",
    "currency": "USD",
    "period": "month",
    "state": "within",
    "allowed": True,
    "actual": "8412.07",
    "projected": "8702.07",
}
_EXPORT = {
    "namespace": "airflow_multicloud",
    "destinations": [
        {
            "conn_id": "aws_default",
            "cloud": "aws",
            "succeeded": True,
            "points_in": 40,
            "accepted": 40,
            "rejected": 0,
            "unknown": 0,
            "dropped": 0,
        },
        {
            "conn_id": "google_cloud_default",
            "cloud": "gcp",
            "succeeded": False,
            "points_in": 40,
            "accepted": 30,
            "rejected": 4,
            "unknown": 1,
            "dropped": 5,
            "error": "the quota of time series is used up",
        },
    ],
}

if __name__ == "__main__":
    main(sys.argv[1])
