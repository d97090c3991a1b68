"""Release an artifact to virtual machines in three clouds: proof, plan, approval, waves, health."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Asset, Param, task

from airflow_multicloud import api
from airflow_multicloud.operators.compute import DeployOperator, ReleaseSummaryOperator
from airflow_multicloud.operators.metrics import ExportMetricsOperator
from airflow_multicloud.operators.metrics.run_reports import RunReports, skip_if_empty
from airflow_multicloud.operators.object_store import UploadArtifactOperator
from airflow_multicloud.operators.params import CheckParamsOperator, chosen_targets
from airflow_multicloud.operators.preflight import PreflightOperator
from airflow_multicloud.sensors.compute import DeploymentHealthSensor

log = logging.getLogger(__name__)

# In: what a run takes, if something builds it as an asset. Out: what runs now, and each run's page.
ARTIFACT = Asset("release_artifact")
RELEASE = Asset("release")
SUMMARY = Asset("release_summary")

#: What a run may choose among, by param. Edit the lists here, or replace single ones in an Airflow
#: Variable of this name, as JSON: {"artifact": ["/srv/builds/shop.tar.gz"]}.
PLACES: dict[str, list[str]] = {
    "artifact": ["/srv/builds/shop.tar.gz"],
    "destination": ["s3://aws_default@releases/shop/"],
    "replicas": ["gs://google_cloud_default@releases/shop/", "abfs://wasb_default@releases/shop/"],
    "deployment_id": ["shop"],
    "summaries": ["s3://aws_default@releases/shop/"],
    "prices": [],
    "metrics_to": ["aws_default", "google_cloud_default", "azure_default"],
}
PLACES_VARIABLE = "release_places"

#: Where it may run: a run chooses among these by name. Edit them here, or give an Airflow Variable
#: of this name with other ones, as a JSON list.
TARGETS: list[dict[str, Any]] = [
    {
        "name": "aws",
        "conn_id": "aws_default",
        "region": "eu-central-1",
        "size": "t3.small",
        "network": {
            "subnets": ["subnet-0a1b2c3d4e5f60718"],
            "security_groups": ["sg-0a1b2c3d4e5f60718"],
        },
        "artifacts": "s3://aws_default@releases/deployments/",
        "required": True,
    },
    {
        "name": "gcp",
        "conn_id": "google_cloud_default",
        "region": "europe-west3",
        "zones": ["europe-west3-a", "europe-west3-b"],
        "size": "e2-small",
        "network": {"subnets": ["default"]},
        "artifacts": "gs://google_cloud_default@releases/deployments/",
    },
    {
        "name": "azure",
        "conn_id": "azure_default",
        "region": "germanywestcentral",
        "size": "Standard_B2s",
        "network": {
            "subnets": [
                "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/net/providers/"
                "Microsoft.Network/virtualNetworks/releases/subnets/default"
            ]
        },
        "resource_group": "releases",
        "artifacts": "abfs://wasb_default@releases/deployments/",
    },
]
TARGETS_VARIABLE = "release_targets"

DOC = """
### Release

Ask the clouds whether all of this is allowed (**preflight**), before any of it is done. Then:

1. **upload** the artifact with its SHA-256 and replicate it, with proof.
2. **plan**: images, sizes, zones, API calls, permissions and prices are looked up, and nothing is
   made. The plan has a hash, and says what each target is expected to cost by the hour and month.
   With the param `max_monthly_cost`, a plan that may cost more is refused, as is one of which a
   price is not known: `refresh_cost_tables` keeps those of your regions, for the param `prices`.
3. With the param `approve`, somebody reads the plan and its cost and **approves** it. What was
   approved is what runs: `deploy` refuses, naming every difference, when it would do anything else
   by then.
4. **deploy**: a canary first, then the other targets in waves, at the same time in all clouds. Too
   few healthy targets: what was made is removed, what was stopped runs again, and the task fails.
5. **health** asks every instance once more, and looks for drift.
6. **summary** tells what came of each target. It fails, and with it the run, when the revision does
   not run, and says why.
7. **export** the release's figures to the clouds' metrics, whatever became of it.
8. **summary_page** keeps one page of all that: artifact, plan, who approved it, expected cost, what
   came of each target, and what was exported. Nothing replaces it.

When one of the last two fails, it is red, and the run's state stays as it is.

A run of an older revision that ends last does not win: of two runs the one that was due later
stays. Artifact, places and the deployment's id are params, among those that `PLACES` in this file
or the Airflow Variable `release_places` lists; so are the names of targets, which are those of
`TARGETS` or of the Variable `release_targets`.
"""


def figures(ti: Any, deployment_id: str) -> list[dict[str, Any]]:
    """The release's figures; what was not found out is left out."""
    reports = RunReports(ti)
    found: list[dict[str, Any]] = [
        {"name": "multicloud.release.success", "value": int(reports.succeeded)}
    ]
    if uploaded := reports.of("upload", "report"):
        # What was there already was not sent again.
        size = 0 if uploaded["unchanged"] else uploaded["size"]
        name = "multicloud.release.uploaded"
        found.append({"name": name, "type": "counter", "value": size, "unit": "By"})
    if deployed := reports.of("deploy", "deployment_report"):
        began, ended = (datetime.fromisoformat(deployed[name]) for name in ("began_at", "ended_at"))
        took, rate = (ended - began).total_seconds(), deployed["success_rate"]
        found += [
            {"name": "multicloud.release.duration", "value": took, "unit": "s"},
            {"name": "multicloud.release.success_rate", "value": rate, "unit": "1"},
        ]
        for outcome, count in deployed["counts"].items():
            attributes = {"multicloud.outcome": outcome}
            name = "multicloud.release.targets"
            found.append({"name": name, "value": count, "attributes": attributes})
    common = {"multicloud.deployment": deployment_id}
    return [{**one, "attributes": {**common, **one.get("attributes", {})}} for one in found]


def summary_places(params: Any) -> list[str]:
    """Where the summary's page is kept: beside the artifact, unless the param says otherwise."""
    return list(params["summaries"] or [params["destination"]])


def needed(params: dict[str, Any], targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the release needs to be allowed, as preflight takes it."""
    kept_as = params["destination"] + params["artifact"].rpartition("/")[2]
    deployed = {"deployment_id": params["deployment_id"], "artifact": kept_as, "targets": targets}
    asked: list[dict[str, Any]] = [
        {"upload": {"destination": params["destination"], "replicate_to": params["replicas"]}},
        {"deploy": deployed},
    ]
    asked.append({"summarize_release": {"places": summary_places(params)}})
    if params["metrics_to"]:
        asked.append({"export_metrics": {"destinations": params["metrics_to"]}})
    return asked


with DAG(
    dag_id="release",
    description="Upload with proof, plan, approve, deploy in waves to three clouds, watch.",
    doc_md=DOC,
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["multicloud", "release", "compute"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    user_defined_macros={"figures": figures, "summary_places": summary_places},
    params={
        "artifact": Param(
            PLACES["artifact"][0],
            type="string",
            examples=PLACES["artifact"],
            description="A file on the worker: a tar archive with an executable ./run in it",
        ),
        "destination": Param(
            PLACES["destination"][0],
            type="string",
            examples=PLACES["destination"],
            description="Where it is kept: the URI of a prefix",
        ),
        "replicas": Param(
            PLACES["replicas"],
            type="array",
            items={"type": "string"},
            uniqueItems=True,
            examples=PLACES["replicas"],
            description="URIs of the prefixes that it is replicated to",
        ),
        "deployment_id": Param(
            PLACES["deployment_id"][0],
            type="string",
            examples=PLACES["deployment_id"],
            description="Of the deployment, for good",
        ),
        "revision": Param(
            None,
            type=["null", "string"],
            description="Its name; the first digits of the artifact's SHA-256 when left out",
        ),
        "targets": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            description="Names of targets; all when left out",
        ),
        "approve": Param(
            True, type="boolean", description="Whether somebody must approve the plan"
        ),
        "max_monthly_cost": Param(
            None,
            type=["null", "string"],
            pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})? [A-Z]{3}$(?!\n)",
            description="What the plan may cost in a month, by list prices of its machines: "
            "250 USD; anything when left out",
        ),
        "prices": Param(
            None,
            type=["null", "string"],
            examples=PLACES["prices"],
            description="The list prices that refresh_cost_tables keeps; else the packaged ones, "
            "of few regions",
        ),
        "health": Param(
            {"port": 8080, "path": "/", "expect": "{revision}"},
            type=["null", "object"],
            description="How an instance is asked whether it is well; without it its cloud is",
        ),
        "policy": Param(
            {"canary": 1, "min_success": 1.0, "rollback": "all", "strategy": "replace"},
            type="object",
            description="How the rollout goes",
        ),
        "metrics_to": Param(
            PLACES["metrics_to"],
            type="array",
            items={"type": "string"},
            uniqueItems=True,
            examples=PLACES["metrics_to"],
            description="Connections whose clouds' metrics get the release's figures; leave out "
            "what you don't have",
        ),
        "summaries": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            uniqueItems=True,
            examples=PLACES["summaries"],
            description="URIs of prefixes that keep the summary's page; beside the artifact when "
            "left out",
        ),
        "on_unknown": Param(
            "fail",
            enum=["fail", "warn"],
            description="What it means for preflight when a cloud can't say whether something is "
            "allowed",
        ),
    },
) as dag:
    check = CheckParamsOperator(task_id="check_params", allowed=PLACES, variable=PLACES_VARIABLE)

    @task(retries=0, multiple_outputs=True)
    def choose(params: dict[str, Any]) -> dict[str, Any]:
        """Structured values, as a text that is rendered has no types."""
        targets = chosen_targets("targets", params["targets"], TARGETS, variable=TARGETS_VARIABLE)
        chosen = {"targets": targets, "needed": needed(params, targets)}
        return chosen | {name: params[name] for name in ("replicas", "health", "policy")}

    chosen = choose()
    preflight = PreflightOperator(
        task_id="preflight",
        operations=chosen["needed"],
        on_unknown="{{ params.on_unknown }}",
    )
    upload = UploadArtifactOperator(
        task_id="upload",
        file="{{ params.artifact }}",
        destination="{{ params.destination }}",
        replicate_to=chosen["replicas"],
        inlets=[ARTIFACT],
    )
    what = {
        "deployment_id": "{{ params.deployment_id }}",
        "artifact": "{{ ti.xcom_pull(task_ids='upload')['uri'] }}",
        "artifact_sha256": "{{ ti.xcom_pull(task_ids='upload')['sha256'] }}",
        "revision": "{{ params.revision or '' }}",
        "targets": chosen["targets"],
        "health": chosen["health"],
        "policy": chosen["policy"],
        "max_monthly_cost": "{{ params.max_monthly_cost or 'unlimited' }}",
        "prices": "{{ params.prices or '' }}",
    }
    plan = DeployOperator(task_id="plan", dry_run=True, **what)

    @task
    def describe(document: dict[str, Any]) -> str:
        """The plan as people read it."""
        return "\n".join(api.MultiCloudPlan.of(document).lines)

    @task.branch
    def gate(params: dict[str, Any]) -> str:
        """Whether somebody is asked."""
        return "approve" if params["approve"] else "deploy"

    approve = ApprovalOperator(
        task_id="approve",
        subject="Release {{ params.deployment_id }} "
        "{{ ti.xcom_pull(task_ids='plan')['revision'] }}?",
        body="```\n{{ ti.xcom_pull(task_ids='describe') }}\n```",
        fail_on_reject=True,
        response_timeout=timedelta(days=1),
        retries=0,
    )
    deploy = DeployOperator(
        task_id="deploy",
        approved_plan=plan.output,
        trigger_rule="none_failed_min_one_success",
        outlets=[RELEASE],
        **what,
    )

    @task(multiple_outputs=True)
    def watched(report: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        """What is to be well: the targets that the revision runs at."""
        good = {
            one["name"]: sorted({instance["region"] for instance in one["instances"]})
            for one in report["targets"]
            if one["outcome"] in ("succeeded", "adopted")
        }
        targets = [
            {
                "name": one["name"],
                "conn_id": one["conn_id"],
                "regions": good[one["name"]],
                "count": one.get("count", 1),
                "health": given["health"],
            }
            for one in given["targets"]
            if one["name"] in good
        ]
        return {"targets": targets}

    health = DeploymentHealthSensor(
        task_id="health",
        deployment_id="{{ params.deployment_id }}",
        revision="{{ ti.xcom_pull(task_ids='plan')['revision'] }}",
        targets=watched(deploy.output, chosen)["targets"],
        poke_interval=10,
        timeout=600,
    )

    @task(trigger_rule="all_done", retries=0)
    def summary(ti: Any) -> dict[str, Any]:
        """What came of it; the run fails here when the revision does not run."""
        # Of this run only: XCom keeps what a task told before the run was cleared.
        reports = RunReports(ti)
        report = reports.of("deploy", "deployment_report")
        if report is None:
            raise AirflowFailException("nothing was rolled out: a task before deploy says why")
        for one in report["targets"]:
            where = ", ".join(instance["id"] for instance in one["instances"]) or "no instance"
            why = f": {one['error']}" if one["error"] else ""
            log.info("%s: %s, %s%s", one["name"], one["outcome"], where, why)
        counts = ", ".join(f"{n} {name}" for name, n in report["counts"].items() if n)
        told = f"{report['deployment_id']} {report['revision']}: {counts}"
        if not report["succeeded"]:
            why = "; ".join(
                f"{one['name']}: {one['error']}" for one in report["targets"] if one["error"]
            )
            raise AirflowFailException(f"{told}; {why}")
        if reports.of("health") is None:
            raise AirflowFailException(f"{told}; it did not stay well: health says why")
        return {"told": told, "targets": report["targets"]}

    # Teardowns: they run whatever became of the others, unless the params are not allowed, and the
    # run's state does not depend on them.
    export = ExportMetricsOperator(
        task_id="export",
        destinations="{{ params.metrics_to }}",
        namespace="airflow_multicloud",
        metrics="{{ figures(ti, params.deployment_id) }}",
        on_invalid="drop",
        pre_execute=skip_if_empty("metrics_to"),
    ).as_teardown(setups=check)
    page = ReleaseSummaryOperator(
        task_id="summary_page",
        deployment_id="{{ params.deployment_id }}",
        places="{{ summary_places(params) | tojson }}",
        plan_task_id="plan",
        deploy_task_id="deploy",
        upload_task_id="upload",
        approval_task_id="approve",
        health_task_id="health",
        export_task_id="export",
        outlets=[SUMMARY],
    ).as_teardown(setups=check)
    described, asked = describe(plan.output), gate()
    check >> chosen >> preflight >> upload >> plan >> described >> asked >> [approve, deploy]
    approve >> deploy >> health >> summary() >> export >> page
