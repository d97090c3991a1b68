"""The demo's nightly cost run: three exported bills, compared."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow.sdk import DAG
from rich.console import Console
from rich.table import Table

from airflow_multicloud import api
from airflow_multicloud.core.cost.figures import Coverage
from airflow_multicloud.demo import advice, bills, telemetry
from airflow_multicloud.demo.environment import allow
from airflow_multicloud.demo.steps import steps_of, table_of, values_of

#: Below the demo's directory.
REPORTS = "reports"
WORKLOAD = {"vcpus": 4, "memory_gib": 16, "instances": 3, "storage_gb": 1000, "egress_gb": 500}

#: Tells a claim and whether it holds.
Claim = Callable[..., None]


def night(dag: DAG, home: Path, console: Console, claim: Claim) -> None:
    """Export three bills, run the DAG on them, and check what it says."""
    store, reports = home / "costs", home / REPORTS
    for old in (store, reports):
        shutil.rmtree(old, ignore_errors=True)
    exports = bills.Exports()
    exports.publish()
    analyzer = api.CloudCostAnalyzer(store)
    for uri in exports.uris.values():
        analyzer.ingest(uri)
    exports.restate()
    places = {
        **{f"{cloud}_export": uri for cloud, uri in exports.uris.items()},
        "store": str(store),
        "reports": f"{reports}/",
    }
    asked = list(advice.CONNECTIONS)
    lists = {"recommend_from": asked, "metrics_to": list(telemetry.CONNECTIONS)}
    allow(dag, {**{name: [uri] for name, uri in places.items()}, **lists})
    run = dag.test(
        run_conf={
            **places,
            "day": exports.day.isoformat(),
            "workload": WORKLOAD,
            "budget": 250_000,
            **lists,
        }
    )
    steps = steps_of(run)
    console.print(table_of(steps))
    results = values_of(steps)
    claim(f"the DAG run ended with {run.state}", holds=str(run.state) == "success")
    compared = results.get("compare") or {"clouds": [], "smallest_bill": []}
    table = Table("cloud", "billed", "effective", "list", "compared", "completeness", box=None)
    for cloud in compared["clouds"]:
        amounts = ("BilledCost", "EffectiveCost", "ListCost", "compared")
        coverage = Coverage(
            final=cloud["final"],
            days_asked=cloud["days_asked"],
            days_covered=cloud["days_covered"],
            exported_at=datetime.fromisoformat(cloud["exported_at"]),
        )
        shown = (f"{Decimal(cloud[name]):.2f}" for name in amounts)
        table.add_row(cloud["cloud"], *shown, str(coverage))
    console.print(table)
    claim(
        f"three clouds compared in USD; smallest bill: {', '.join(compared['smallest_bill'])}",
        holds=len(compared["clouds"]) == len(exports.uris),
    )
    _workload(results.get("workload") or {}, claim)
    found = (results.get("anomalies") or {}).get("anomalies", [])
    planted = [one for one in found if one["service_name"] == exports.anomaly.service]
    text = "; ".join(
        f"{one['cloud']} {one['service_name']} {one['first_day']}: {Decimal(one['actual']):.2f} "
        f"{one['currency']} where {Decimal(one['expected']):.2f} were expected"
        for one in planted[:1]
    )
    claim(f"the planted anomaly was found: {text or '-'}", holds=bool(planted))
    billed = [
        telemetry.Figure(
            "multicloud.cost.billed", float(cloud["BilledCost"]), {"cloud.provider": cloud["cloud"]}
        )
        for cloud in compared["clouds"]
    ]
    telemetry.read_back(billed, console, claim)
    _restatement(results.get("aws.ingest") or [], exports, analyzer, claim)
    _recommendations(results.get("recommend") or {}, console, claim)
    written = (results.get("report") or {}).get("files", {})
    page = Path(written.get("report.html", "-"))
    claim(f"the report is a page: {page}", holds=page.is_file() and "<svg" in page.read_text())


def _workload(quoted: dict[str, Any], claim: Claim) -> None:
    prices = ", ".join(
        f"{quote['cloud']} {Decimal(quote['total']):.2f}" for quote in quoted.get("quotes", [])
    )
    claim(
        f"cheapest for {WORKLOAD}: {quoted.get('cheapest')} (USD a month: {prices})",
        holds=quoted.get("cheapest") is not None,
    )


def _restatement(
    ingested: list[dict[str, Any]],
    exports: bills.Exports,
    analyzer: api.CloudCostAnalyzer,
    claim: Claim,
) -> None:
    document = analyzer.report(exports.month, exports.day)
    mine = [r for r in document.restatements if r.service_name == bills.RESTATED.service]
    text = "; ".join(
        f"{r.cloud} {r.service_name} {r.first_day}: "
        f"{r.old_billed_cost:.2f} → {r.new_billed_cost:.2f} {r.billing_currency}"
        for r in mine
    )
    rewritten = sum(period["days_written"] for period in ingested)
    claim(
        f"the restated month was read again, {rewritten} of its days rewritten: {text or '-'}",
        holds=len(mine) == 1 and mine[0].new_billed_cost > mine[0].old_billed_cost,
    )


def _recommendations(recommended: dict[str, Any], console: Console, claim: Claim) -> None:
    rows = api.read_recommendations(recommended["uri"]) if "uri" in recommended else []
    table = Table("cloud", "resource", "advice", "saves a month", "effort", "source", box=None)
    for row in rows:
        resource = row["resource_id"].rpartition("/")[2] or "-"
        savings = f"{row['monthly_savings']} {row['currency']}"
        source = ", ".join(row["sources"])
        table.add_row(row["cloud"], resource, row["action"], savings, row["effort"], source)
    console.print(table)
    clouds = sorted({row["cloud"] for row in rows})
    saved = Decimal(recommended.get("resource_savings", 0))
    claim(
        f"recommendations of {', '.join(clouds)}: {saved:.2f} "
        f"{recommended.get('currency')} a month to save on resources",
        holds=clouds == ["aws", "azure", "gcp"] and not recommended["unavailable"],
    )
