"""Every function and method of the API is an operation: it has a span, and its errors are in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from airflow_multicloud import api
from airflow_multicloud.core.rollout.drift import ExpectedDeployment
from airflow_multicloud.errors import CloudError

NOWHERE = "mem://no_such_connection@data/a/"
FILE = f"{NOWHERE}file"
CONN = "no_such_connection"
HOUR = timedelta(hours=1)
HERE, THERE = date(2026, 10, 1), date(2026, 11, 1)
TARGET = {"name": "one", "conn_id": CONN, "region": "r", "image": "i", "size": "s"}
DEPLOYMENT = {"deployment_id": "shop", "artifact": FILE, "targets": [TARGET]}


def analyzer() -> api.CloudCostAnalyzer:
    return api.CloudCostAnalyzer(NOWHERE)


def budget() -> api.Budget:
    return api.Budget(name="b", amount=Decimal(1), currency="USD")


#: Function → its span, and a call that fails: at the latest because there is no such connection.
CALLS: dict[str, tuple[str, Callable[[], object]]] = {
    "CloudCostAnalyzer.assess_budget": (
        "cost.assess_budget",
        lambda: analyzer().assess_budget(budget(), now=datetime(2026, 10, 5, tzinfo=UTC)),
    ),
    "CloudCostAnalyzer.attribute_costs": (
        "cost.attribute",
        lambda: analyzer().attribute_costs(HERE, THERE),
    ),
    "CloudCostAnalyzer.check_quality": (
        "cost.check_exports",
        lambda: analyzer().check_quality(HERE),
    ),
    "CloudCostAnalyzer.compare_costs": (
        "cost.compare",
        lambda: analyzer().compare_costs(HERE, THERE),
    ),
    "CloudCostAnalyzer.find_anomalies": (
        "cost.find_anomalies",
        lambda: analyzer().find_anomalies(HERE, THERE),
    ),
    "CloudCostAnalyzer.forecast_costs": (
        "cost.forecast",
        lambda: analyzer().forecast_costs(HERE, THERE),
    ),
    "CloudCostAnalyzer.get_cheapest_provider": (
        "cost.smallest_bill",
        lambda: analyzer().get_cheapest_provider([]),
    ),
    "CloudCostAnalyzer.get_smallest_bill": (
        "cost.smallest_bill",
        lambda: analyzer().get_smallest_bill([]),
    ),
    "CloudCostAnalyzer.ingest": ("cost.ingest_export", lambda: analyzer().ingest(FILE)),
    "CloudCostAnalyzer.price_workload": (
        "cost.price_workload",
        lambda: analyzer().price_workload(api.Workload(vcpus=1), ["aws"]),
    ),
    "CloudCostAnalyzer.prune_store": ("cost.prune_store", lambda: analyzer().prune_store()),
    "CloudCostAnalyzer.recommend": (
        "cost.recommend_all",
        lambda: analyzer().recommend([CONN]),
    ),
    "CloudCostAnalyzer.remove_export": (
        "cost.remove_export",
        lambda: analyzer().remove_export(FILE),
    ),
    "CloudCostAnalyzer.report": ("cost.report", lambda: analyzer().report(HERE, THERE)),
    "CloudCostAnalyzer.stored_exports": (
        "cost.stored_exports",
        lambda: analyzer().stored_exports(),
    ),
    "CloudMetricsAggregator.export": (
        "metrics.export",
        lambda: api.CloudMetricsAggregator("space").export([]),
    ),
    "MultiCloudDeployer.deploy": ("deploy", lambda: deployer().deploy(FILE)),
    "MultiCloudDeployer.plan": ("deploy.plan", lambda: deployer().plan(FILE)),
    "ProviderRegistry.statuses": (
        "check_connection",
        lambda: registry_of_one().statuses(),
    ),
    "UnifiedCloudStorage.download": ("fetch", lambda: storage().download("x", "/nowhere/x")),
    "UnifiedCloudStorage.list": ("list_objects", lambda: next(storage().list())),
    "UnifiedCloudStorage.replicate": ("replicate", lambda: storage().replicate()),
    "UnifiedCloudStorage.upload": ("upload", lambda: storage().upload("/nowhere/x", "x")),
    "check_connection": ("check_connection", lambda: api.check_connection(CONN)),
    "check_location": ("check_location", lambda: api.check_location(NOWHERE)),
    "check_metrics": ("metrics.check", lambda: api.check_metrics([CONN], "space", [])),
    "cleanup": ("cleanup", lambda: api.cleanup([NOWHERE])),
    "compare_costs": ("cost.compare", lambda: api.compare_costs(NOWHERE, HERE, THERE)),
    "deploy_multicloud": ("deploy", lambda: api.deploy_multicloud(DEPLOYMENT)),
    "deployment_drift": (
        "deployment_drift",
        lambda: api.deployment_drift(ExpectedDeployment(deployment_id="shop", targets=()), []),
    ),
    "describe_database": ("database.describe", lambda: api.describe_database(CONN, "db")),
    "estimate_transfer_cost": (
        "cost.estimate_transfer",
        lambda: api.estimate_transfer_cost(NOWHERE, [NOWHERE]),
    ),
    "evidence_trend": ("evidence_trend", lambda: api.evidence_trend(NOWHERE)),
    "export_metrics_to_cloud": (
        "metrics.export",
        lambda: api.export_metrics_to_cloud([CONN], "space", []),
    ),
    "failover_fetch": ("fetch", lambda: api.failover_fetch([NOWHERE], "/nowhere")),
    "initialize_providers": (
        "initialize_providers",
        lambda: api.initialize_providers({"aws": CONN}),
    ),
    "list_deployments": ("list_deployments", lambda: api.list_deployments([])),
    "list_runs": ("list_runs", lambda: api.list_runs(NOWHERE)),
    "make_bucket": ("make_bucket", lambda: api.make_bucket(NOWHERE)),
    "plan_multicloud": ("deploy.plan", lambda: api.plan_multicloud(DEPLOYMENT)),
    "plan_replication": ("replicate.plan", lambda: api.plan_replication(NOWHERE, [NOWHERE])),
    "plan_rollback": ("deploy.plan", lambda: api.plan_rollback("shop", "1", [TARGET])),
    "plan_upload": ("plan_upload", lambda: api.plan_upload("/nowhere/x", NOWHERE)),
    "power_database": ("database.power", lambda: api.power_database(CONN, "db", on=True)),
    "promote_replica": (
        "database.promote",
        lambda: api.promote_replica(CONN, "db", confirm="db", allow=["db"]),
    ),
    "query_costs": ("cost.query", lambda: api.query_costs(CONN, None)),  # type: ignore[arg-type]
    "query_logs": ("query_logs", lambda: api.query_logs([CONN], "log")),
    "reachable_replicas": ("reachable_replicas", lambda: api.reachable_replicas([])),
    "read_evidence": ("read_evidence", lambda: api.read_evidence(FILE)),
    "read_metric": ("metrics.read", lambda: api.read_metric(CONN, "name", "space")),
    "read_prices": ("cost.read_prices", lambda: api.read_prices(FILE)),
    "read_recommendations": (
        "cost.read_recommendations",
        lambda: api.read_recommendations(FILE),
    ),
    "refresh_exchange_rates": (
        "cost.refresh_rates",
        lambda: api.refresh_exchange_rates(FILE, source=FILE),
    ),
    "refresh_prices": ("cost.refresh_prices", lambda: api.refresh_prices(FILE, {"aws": CONN})),  # type: ignore[arg-type]
    "remove_database": (
        "database.remove",
        lambda: api.remove_database(CONN, "db", confirm="db", allow=["db"]),
    ),
    "remove_scratch_databases": (
        "database.remove",
        lambda: api.remove_scratch_databases(CONN, "run"),
    ),
    "remove_snapshot": (
        "database.remove_snapshot",
        lambda: api.remove_snapshot(CONN, "s", confirm="s", allow=["s"]),
    ),
    "render_policy": ("render_policy", lambda: api.render_policy([], "aws")),
    "replica_status": ("replica_status", lambda: api.replica_status(NOWHERE)),
    "replicate": ("replicate", lambda: api.replicate(NOWHERE, [NOWHERE])),
    "restore_database": (
        "database.restore",
        lambda: api.restore_database(CONN, database="db", at="latest"),
    ),
    "roll_back_deployment": (
        "deploy",
        lambda: api.roll_back_deployment("shop", "1", [TARGET]),
    ),
    "run_drill": (
        "run_drill",
        lambda: api.run_drill(NOWHERE, [NOWHERE], objectives=api.Objectives(HOUR, HOUR)),
    ),
    "run_preflight": ("preflight", lambda: api.run_preflight([])),
    "ship_logs": ("ship_logs", lambda: api.ship_logs([CONN], "log", [])),
    "list_secrets": ("secrets.list", lambda: api.list_secrets(CONN)),
    "secret_drift": ("secrets.drift", lambda: api.secret_drift(CONN, [CONN])),
    "snapshot_database": ("database.snapshot", lambda: api.snapshot_database(CONN, "db")),
    "sync_secrets": ("secrets.sync", lambda: api.sync_secrets(CONN, [CONN])),
    "store_evidence": (
        "store_evidence",
        lambda: api.store_evidence(None, [], signing_conn_id=CONN),  # type: ignore[arg-type]
    ),
    "tear_down_deployment": ("teardown", lambda: api.tear_down_deployment("shop", [CONN])),
    "upload_artifact": ("upload", lambda: api.upload_artifact("/nowhere/x", NOWHERE)),
    "verify_database": (
        "database.verify",
        lambda: api.verify_database(CONN, [{"table": "t"}]),
    ),
    "verify_evidence": ("verify_evidence", lambda: api.verify_evidence(FILE)),
    "verify_replica": ("verify_replica", lambda: api.verify_replica(NOWHERE)),
    "write_cost_report": (
        "cost.write_report",
        lambda: api.write_cost_report(None, NOWHERE),  # type: ignore[arg-type]
    ),
    "write_recommendations": (
        "cost.write_recommendations",
        lambda: api.write_recommendations(None, NOWHERE),  # type: ignore[arg-type]
    ),
}
#: What asks no cloud, reads nothing and writes nothing.
PURE = {
    "name_of_path": "a name made of another",
    "recommendation_rows": "a table made of another",
    "replication": "URIs resolved to a request, which is not made",
    "CloudMetricsAggregator.count": "kept until it is exported",
    "CloudMetricsAggregator.documents": "what is kept",
    "CloudMetricsAggregator.gauge": "kept until it is exported",
    "CloudMetricsAggregator.record": "kept until it is exported",
    "DeploymentProvider.target": "a target made of the provider's fields",
    "MultiCloudDeployer.deployment": "a deployment made of the deployer's fields",
    "ProviderRegistry.clouds": "what is installed",
    "ProviderRegistry.connection_of": "what was given",
    "ProviderRegistry.use": "what is given",
}
#: The classes that do something; all others are values.
ACTING = (
    api.CloudCostAnalyzer,
    api.CloudMetricsAggregator,
    api.DeploymentProvider,
    api.MultiCloudDeployer,
    api.ProviderRegistry,
    api.UnifiedCloudStorage,
)


def deployer() -> api.MultiCloudDeployer:
    provider = api.DeploymentProvider(
        conn_id=CONN, size="small", artifacts=NOWHERE, networks={"region": {"id": "net"}}
    )
    return api.MultiCloudDeployer([provider])


def registry_of_one() -> api.ProviderRegistry:
    registry = api.ProviderRegistry()
    registry._connections["aws"] = CONN
    return registry


def storage() -> api.UnifiedCloudStorage:
    return api.UnifiedCloudStorage(NOWHERE, [NOWHERE])


def test_all_are_here() -> None:
    found = {name for name in api.__all__ if inspect.isfunction(getattr(api, name))}
    for kind in ACTING:
        found |= {
            f"{kind.__name__}.{name}"
            for name, member in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }
    assert found == CALLS.keys() | PURE.keys()
    assert not CALLS.keys() & PURE.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_fails(name: str, spans: InMemorySpanExporter) -> None:
    expected, call = CALLS[name]
    raised: Any = None
    try:
        call()
    except Exception as err:  # noqa: BLE001 - whichever it is, the span has it
        raised = err
    root: ReadableSpan = spans.get_finished_spans()[-1]
    assert root.parent is None
    assert root.name == f"multicloud.{expected}"
    attributes = dict(root.attributes or {})
    if raised is None:  # It says in its answer what is wrong.
        assert expected in ("check_connection", "check_location")
    else:
        kind = raised.kind if isinstance(raised, CloudError) else type(raised).__name__
        assert attributes["error.type"] == attributes["multicloud.outcome"] == kind
    assert not root.status.is_ok
    assert [event.name for event in root.events] == ["exception"]
    assert len([s for s in spans.get_finished_spans() if s.name == root.name]) == 1
