"""The shipped nightly cost DAG on generated bills, against the local clouds."""

from __future__ import annotations

import importlib.util
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import api
from airflow_multicloud.demo import bills

from ..integration.airflow_runs import Run, allow, run_dag  # noqa: TID252

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from .conftest import Figures

DAGS = Path(__file__).parents[2] / "dags"

pytestmark = pytest.mark.usefixtures("airflow_db", "local_clouds", "local_bigquery")


def load() -> DAG:
    spec = importlib.util.spec_from_file_location("nightly_cost", DAGS / "nightly_cost.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag: DAG = module.dag
    for task in dag.tasks:
        task.retries = 0
    return dag


def night(exports: bills.Exports, home: Path, **conf: Any) -> Run:
    places = {
        **{f"{cloud}_export": uri for cloud, uri in exports.uris.items()},
        "store": str(home / "costs"),
        "reports": f"{home}/reports/",
    }
    asked = {
        **places,
        "day": bills.DAY.isoformat(),
        "recommend_from": [],
        "budget": 250_000,
        "metrics_to": [],
        **conf,
    }
    with pytest.MonkeyPatch.context() as patch:
        others = {"recommend_from": ["no_such_connection"], "metrics_to": ["memory_metrics"]}
        allow(patch, "nightly_cost", **places, **others)
        return run_dag(load(), asked)


def test_a_night(exports: bills.Exports, tmp_path: Path, figures: Figures) -> None:
    analyzer = api.CloudCostAnalyzer(tmp_path / "costs")
    for uri in exports.uris.values():
        analyzer.ingest(uri)
    run = night(exports, tmp_path, metrics_to=[figures.conn_id])
    assert (run.state, run.state_of("export")) == ("success", "success")
    compared = run.xcom("compare")
    assert figures.one("multicloud.cost.success") == 1
    assert figures.of("multicloud.cost.billed") == {
        (("cloud.provider", c["cloud"]), ("currency", "USD")): float(c["BilledCost"])
        for c in compared["clouds"]
    }
    assert {p.unit for p in figures.points if p.name == "multicloud.cost.billed"} == {"{USD}"}
    used = Decimal(run.xcom("budget")["actual"]) / 250_000
    assert figures.one("multicloud.cost.budget_used") == pytest.approx(float(used))
    projected = float(run.xcom("budget")["projected"])
    assert figures.of("multicloud.cost.projected") == {(("currency", "USD"),): projected}
    found = run.xcom("anomalies")
    assert figures.one("multicloud.cost.anomalies") == found["anomaly_count"] > 0
    assert figures.of("multicloud.cost.savings") == {(("currency", "USD"),): 0}  # Nobody asked.
    assert {c["cloud"] for c in compared["clouds"]} == {"aws", "gcp", "azure"}
    assert compared["missing"] == {}
    (aws,) = (c for c in compared["clouds"] if c["cloud"] == "aws")
    expected = exports.bill("aws", exports.month).totals().total.effective_cost
    assert Decimal(aws["EffectiveCost"]) == expected
    found = run.xcom("anomalies")["anomalies"]
    of_service = [one for one in found if one["service_name"] == bills.ANOMALY.service]
    assert any(one["first_day"] <= "2026-10-20" <= one["last_day"] for one in of_service)
    dags = run.xcom("dags")
    assert set(dags["dags"]) == {"nightly_cost", "replicate_lake", "train_model"}
    assert Decimal(dags["unexplained_usage"]) > 0
    assert run.xcom("workload")["cheapest"] in {"aws", "gcp", "azure"}
    assert run.xcom("budget")["allowed"] is True
    files = run.xcom("report")["files"]
    page = Path(files["report.html"]).read_text()
    assert page.count("<figure") >= 3
    assert "<script" not in page
    document = json.loads(Path(files["report.json"]).read_text())
    total = sum(Decimal(cloud["EffectiveCost"]) for cloud in document["clouds"])
    assert Decimal(document["total"]) == total
    shown = run.shown("costs").dags[0]
    assert Decimal(shown.report.total.replace(",", "")) == round(total, 2)
    assert [row.name for row in shown.report.clouds][:3] == ["aws", "azure", "gcp"]
    assert shown.budgets[0].state == "within"
    assert shown.anomalies.text == str(len(found))


def test_a_broken_budget_stops_the_night_but_not_the_report_and_the_figures(
    exports: bills.Exports, tmp_path: Path, figures: Figures
) -> None:
    run = night(exports, tmp_path, budget=1, metrics_to=[figures.conn_id])
    assert run.state_of("export") == "success"
    assert figures.one("multicloud.cost.success") == 0
    assert (figures.one("multicloud.cost.budget_used") or 0) > 1
    assert run.state_of("budget") == "failed"
    assert run.state_of("recommend") == "success"
    assert run.state_of("report") == "success"
    assert run.state == "failed"


@pytest.mark.parametrize("param", ["azure_export", "store", "reports", "rates_file", "metrics_to"])
def test_a_place_that_is_not_listed_ends_the_night_before_it_begins(
    exports: bills.Exports, tmp_path: Path, figures: Figures, param: str
) -> None:
    other: Any = str(tmp_path / "elsewhere")
    given = {param: [figures.conn_id, other] if param == "metrics_to" else other}
    run = night(exports, tmp_path, **{"metrics_to": [figures.conn_id], **given})
    assert figures.points == []
    assert run.state == "failed"
    assert run.state_of("check_params") == "failed"
    states = {task: state for (task, _), state in run.states.items() if task != "check_params"}
    assert set(states.values()) == {"upstream_failed"}
    assert not (tmp_path / "costs").exists()


def test_the_report_needs_no_advice(exports: bills.Exports, tmp_path: Path) -> None:
    run = night(exports, tmp_path, recommend_from=["no_such_connection"])
    assert run.state_of("recommend") == "failed"
    assert run.state_of("report") == "success"


def test_a_missing_export_fails_its_cloud_by_name(exports: bills.Exports, tmp_path: Path) -> None:
    store = api.CloudCostAnalyzer(tmp_path / "costs")
    with pytest.raises(Exception, match=r"billing/exports/nothing.* no complete billing period"):
        store.ingest("s3://aws_local@billing/exports/nothing", first=date(2026, 10, 1))
