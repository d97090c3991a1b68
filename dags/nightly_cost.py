"""Every night: read the three clouds' bills, compare them, and stop before the budget breaks."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pendulum
from airflow.sdk import DAG, Asset, Param, TaskGroup

from airflow_multicloud.operators.cost import (
    AttributeCostOperator,
    BudgetGateOperator,
    CheckCostQualityOperator,
    CompareCostOperator,
    CostReportOperator,
    FindCostAnomaliesOperator,
    IngestCostOperator,
    PriceWorkloadOperator,
    PruneCostStoreOperator,
    RecommendSavingsOperator,
)
from airflow_multicloud.operators.metrics import ExportMetricsOperator
from airflow_multicloud.operators.metrics.run_reports import RunReports, skip_if_empty
from airflow_multicloud.operators.params import CheckParamsOperator
from airflow_multicloud.sensors.cost import CostExportSensor

# One asset a cloud; the partition of its events is the day, so a consumer can wait for one
# cloud's day, or with a rollup mapper for all three.
BILLS = {cloud: Asset(f"bill_{cloud}") for cloud in ("aws", "gcp", "azure")}
REPORT = Asset("cost_report")

#: What a run may choose among, by param. Edit the lists here, or replace single ones in an Airflow
#: Variable of this name, as JSON: {"store": ["s3://conn@bucket/costs/"]}.
PLACES: dict[str, list[str]] = {
    "aws_export": ["s3://aws_default@billing/exports/focus"],
    "gcp_export": [
        "bigquery://google_cloud_default@project/billing/gcp_billing_export_focus_000000"
    ],
    "azure_export": ["abfs://wasb_default@billing/exports/focus"],
    "store": ["s3://aws_default@finops/costs/"],
    "reports": ["s3://aws_default@finops/reports/"],
    "recommend_from": ["aws_default", "google_cloud_default", "azure_default"],
    "rates_file": [],
    "prices": [],
    "metrics_to": ["aws_default", "google_cloud_default", "azure_default"],
}
PLACES_VARIABLE = "nightly_cost_places"

DOC = """
### Nightly cost comparison

1. **wait** until each cloud has exported the month's bill within the last day, then **ingest**
   what is new of it into the cost store, of the month before too, and of every earlier month that
   is not final yet. A restated month rewrites only its changed days, and the log says which
   services changed by how much.
2. Check the bills' **quality**, **compare** the clouds, look for **anomalies**, say what each
   **DAG** cost and what a stated **workload** would cost on each cloud.
3. The **budget** gate fails, and with it the run, when what was billed, what is expected and the
   budget don't fit.
4. Gather **recommendations** and write the **report** (HTML, JSON, CSV), whatever the gate said.
5. **prune** deletes what only older states of the store need.
6. **export** the night's figures to the clouds' metrics, whatever became of the rest. When that
   fails, it is red, and the run's state stays as it is.

Each run is of one day, its partition: by default the day before. The budget is a
param; so are exports, store and the like, among those that `PLACES` in this file or the Airflow
Variable `nightly_cost_places` lists.
"""

try:
    from airflow.sdk import CronPartitionTimetable
except ImportError:  # Airflow 3.1 has no partitions: there the data interval says the day.
    from airflow.timetables.trigger import CronTriggerTimetable

    SCHEDULE = CronTriggerTimetable("30 6 * * *", timezone="UTC", interval=timedelta(days=1))
    OWN_DAY = "(data_interval_start | default(dag_run.run_after, true) | ds)"
else:
    SCHEDULE = CronPartitionTimetable(
        "30 6 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"
    )
    OWN_DAY = (
        "(macros.ds_format(dag_run.partition_key, '%Y-%m-%d', '%Y-%m-%d') "
        "if dag_run.partition_key else (dag_run.run_after | ds))"
    )

# The day of the run: the param, else the scheduled one. A run by hand is of today; on Airflow 3.1,
# where Airflow infers an interval for it too, of the day before.
DAY = f"{{{{ params.day or {OWN_DAY} }}}}"
MONTH = f"{{{{ (params.day or {OWN_DAY})[:8] }}}}01"
# The first of the month before: its bill changes for days after it ended.
BEFORE = f"{{{{ macros.ds_add((params.day or {OWN_DAY})[:8] ~ '01', -1)[:8] }}}}01"
AFTER = f"{{{{ macros.ds_add(params.day or {OWN_DAY}, 1) }}}}"


def figures(ti: Any) -> list[dict[str, Any]]:
    """The night's figures; what was not found out is left out."""
    reports = RunReports(ti)
    found: list[dict[str, Any]] = [
        {"name": "multicloud.cost.success", "value": int(reports.succeeded)}
    ]
    compared = reports.of("compare") or {"clouds": [], "unconverted": []}
    billed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    # What could not be converted is in no other sum, and stays in its own currency.
    for one in (*compared["clouds"], *compared["unconverted"]):
        billed[one["cloud"], one["currency"]] += Decimal(one["BilledCost"])
    for (cloud, currency), amount in billed.items():
        found.append(money("billed", amount, currency, **{"cloud.provider": cloud}))
    verdict = reports.of("budget", "verdict")
    if verdict is not None:
        used = float(Decimal(verdict["actual"]) / Decimal(verdict["amount"]))
        found.append({"name": "multicloud.cost.budget_used", "value": used, "unit": "1"})
        found.append(money("projected", verdict["projected"], verdict["currency"]))
    if (anomalies := reports.of("anomalies")) is not None:
        count = anomalies["anomaly_count"]
        found.append({"name": "multicloud.cost.anomalies", "value": count})
    if (advice := reports.of("recommend")) is not None:
        found.append(money("savings", advice["resource_savings"], advice["currency"]))
    return found


def money(name: str, amount: str | Decimal, currency: str, **attributes: str) -> dict[str, Any]:
    """An amount as a figure."""
    return {
        "name": f"multicloud.cost.{name}",
        "value": float(amount),
        "unit": f"{{{currency}}}",
        "attributes": {**attributes, "currency": currency},
    }


with DAG(
    dag_id="nightly_cost",
    description="Ingest three bills, compare them, find anomalies, gate the budget, report.",
    doc_md=DOC,
    schedule=SCHEDULE,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["multicloud", "cost"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    render_template_as_native_obj=True,
    user_defined_macros={"figures": figures, "reports": RunReports},
    params={
        "aws_export": Param(
            PLACES["aws_export"][0],
            type="string",
            examples=PLACES["aws_export"],
            description="AWS Data Exports: bucket, prefix and the export's name",
        ),
        "gcp_export": Param(
            PLACES["gcp_export"][0],
            type="string",
            examples=PLACES["gcp_export"],
            description="Google's billing export: project, dataset and table",
        ),
        "azure_export": Param(
            PLACES["azure_export"][0],
            type="string",
            examples=PLACES["azure_export"],
            description="Azure Cost Management export: container, directory and the export's name",
        ),
        "store": Param(
            PLACES["store"][0],
            type="string",
            examples=PLACES["store"],
            description="The cost store: a prefix, or a directory that every worker sees",
        ),
        "reports": Param(
            PLACES["reports"][0],
            type="string",
            examples=PLACES["reports"],
            description="Where reports are written, below a folder per day",
        ),
        "currency": Param("USD", type="string", pattern=r"^[A-Z]{3}$(?!\n)"),
        "budget": Param(100_000, type="number", exclusiveMinimum=0, description="A month's"),
        "recommend_from": Param(
            PLACES["recommend_from"],
            type="array",
            items={"type": "string"},
            uniqueItems=True,
            examples=PLACES["recommend_from"],
            description="Connections whose accounts, projects and subscriptions are asked for "
            "recommendations; leave out what you don't have",
        ),
        "workload": Param(
            {"vcpus": 4, "memory_gib": 16, "storage_gb": 1000, "egress_gb": 200},
            type="object",
            description="Priced on each cloud: vcpus, memory_gib, instances, storage_gb, …",
        ),
        "rates_file": Param(
            None,
            type=["null", "string"],
            examples=PLACES["rates_file"],
            description="The European Central Bank's eurofxref-hist.zip, for days that the "
            "installed rates do not reach",
        ),
        "prices": Param(
            None,
            type=["null", "string"],
            examples=PLACES["prices"],
            description="The list prices that refresh_cost_tables keeps; else the packaged ones",
        ),
        "metrics_to": Param(
            PLACES["metrics_to"],
            type="array",
            items={"type": "string"},
            uniqueItems=True,
            examples=PLACES["metrics_to"],
            description="Connections whose clouds' metrics get the night's figures; leave out what "
            "you don't have",
        ),
        "max_export_age_hours": Param(24, type="number", exclusiveMinimum=0),
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)",
            description="YYYY-MM-DD; the day before",
        ),
    },
) as dag:
    common = {
        "store": "{{ params.store }}",
        "currency": "{{ params.currency }}",
        "rates_file": "{{ params.rates_file or '' }}",
    }
    folder = "{{ params.reports }}" + DAY + "/"

    check = CheckParamsOperator(task_id="check_params", allowed=PLACES, variable=PLACES_VARIABLE)
    ingested = []
    for cloud, bill in BILLS.items():
        with TaskGroup(cloud):
            export = f"{{{{ params.{cloud}_export }}}}"
            wait = CostExportSensor(
                task_id="wait",
                export=export,
                day=DAY,
                max_age_hours="{{ params.max_export_age_hours }}",
                poke_interval=300,
                timeout=6 * 3600,
                deferrable=True,
            )
            ingest = IngestCostOperator(
                task_id="ingest", export=export, first=BEFORE, last=DAY, outlets=[bill], **common
            )
            check >> wait >> ingest
            ingested.append(ingest)

    quality = CheckCostQualityOperator(task_id="quality", day=DAY, **common)
    compare = CompareCostOperator(task_id="compare", start=MONTH, end=AFTER, **common)
    anomalies = FindCostAnomaliesOperator(task_id="anomalies", start=MONTH, end=AFTER, **common)
    dags = AttributeCostOperator(task_id="dags", start=MONTH, end=AFTER, **common)
    workload = PriceWorkloadOperator(
        task_id="workload",
        workload="{{ params.workload }}",
        day=DAY,
        prices="{{ params.prices or '' }}",
        **common,
    )
    gate = BudgetGateOperator(
        task_id="budget",
        budget="{{ params.budget }}",
        now=DAY + "T23:59:59+00:00",
        on_exceeded="fail",
        max_age=timedelta(days=2),
        retries=0,
        **common,
    )
    recommend = RecommendSavingsOperator(
        task_id="recommend",
        conn_ids="{{ params.recommend_from }}",
        target=folder,
        **common,
    )
    report = CostReportOperator(
        task_id="report",
        start=MONTH,
        end=AFTER,
        target=folder,
        workload="{{ params.workload }}",
        prices="{{ params.prices or '' }}",
        recommendations="{{ (reports(ti).of('recommend') or {}).get('uri', '') }}",
        budget="{{ params.budget }}",
        # A comparison is enough: without recommendations the report says nothing of them.
        trigger_rule="all_done_min_one_success",
        outlets=[REPORT],
        **common,
    )
    prune = PruneCostStoreOperator(task_id="prune", **common)
    ingested >> prune
    questions = [compare, anomalies, dags, workload]
    ingested >> quality >> questions
    # The gate is a leaf, so that a broken budget fails the run; the report is written all the same.
    questions >> gate
    questions >> recommend
    [compare, recommend] >> report
    # A teardown: it runs whatever became of the others, unless the params are not allowed, and the
    # run's state does not depend on it.
    export = ExportMetricsOperator(
        task_id="export",
        destinations="{{ params.metrics_to }}",
        namespace="airflow_multicloud",
        metrics="{{ figures(ti) }}",
        on_invalid="drop",
        pre_execute=skip_if_empty("metrics_to"),
    ).as_teardown(setups=check)
    [gate, report, prune] >> export
