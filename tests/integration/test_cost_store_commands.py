"""Keeping a cost store in order and asking it, by operator and by command line."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from airflow.cli import cli_parser
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.api import CloudCostAnalyzer
from airflow_multicloud.core.cost.budget import Budget, StalePolicy
from airflow_multicloud.core.cost.report import to_html, to_json
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.same_charges import Reason
from airflow_multicloud.operators.cost import (
    BudgetGateOperator,
    CompareCostOperator,
    CostReportOperator,
    FindCostAnomaliesOperator,
    PruneCostStoreOperator,
    RemoveCostExportOperator,
)

from ..unit.cost_store.rows import MONTH, Row, fetched, write  # noqa: TID252
from .airflow_runs import Bare

BILL = [Row(MONTH + timedelta(days=day), "EC2", Decimal(100), invoice="i") for day in range(31)]
REFUND = Row(date(2026, 6, 10), "EC2", Decimal(-400), charge_class="Correction", invoice="i")


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A store with one account's October in two exports, ingested long ago."""
    store = CostStore.open(tmp_path / "store")
    for number, export in enumerate(("b/focus-1-0", "b/focus-1-2"), start=12):
        at = datetime(2026, 11, number, tzinfo=UTC)
        made = fetched(write(tmp_path / "x.csv", [*BILL, REFUND]), "1", exported_at=at)
        store.ingest("aws", replace(made, period=replace(made.period, export=export)), now=at)
    return store.root


def command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    args = cli_parser.get_parser().parse_args(["multicloud", *words, "-o", "json"])
    code: Any = 0
    try:
        args.func(args)
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    return code, json.loads(out) if out.strip() else None, err


def test_the_comparison_says_what_it_left_out_and_which_month_it_is_of(root: str) -> None:
    asked = {"task_id": "compare", "store": root, "start": "2026-10-01", "end": "2026-11-01"}
    billed = CompareCostOperator(**asked, basis="billed").execute(Bare())  # type: ignore[arg-type]
    assert billed["by"] == "billing_period"
    assert Decimal(billed["clouds"][0]["BilledCost"]) == 2700
    (left_out,) = billed["left_out"]
    assert (left_out["export"], left_out["counted"]) == ("b/focus-1-0", "b/focus-1-2")
    assert left_out["reason"] == Reason.LATER
    days = CompareCostOperator(**asked, basis="billed", by="charge_day")
    charged = days.execute(Bare())  # type: ignore[arg-type]
    assert charged["by"] == "charge_day"
    assert Decimal(charged["clouds"][0]["BilledCost"]) == 3100


def test_the_operator_the_report_and_the_command_say_the_same_names(
    root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, (row, *_), _ = command(capsys, "costs", root, "--month", "2026-10", "--basis", "billed")
    asked = {"task_id": "compare", "store": root, "start": "2026-10-01", "end": "2026-11-01"}
    compared = CompareCostOperator(**asked, basis="billed").execute(Bare())  # type: ignore[arg-type]
    analyzer = CloudCostAnalyzer(root, basis="billed")
    start, end = date(2026, 10, 1), date(2026, 11, 1)
    report = json.loads(to_json(analyzer.report(start, end)))
    assert compared == {name: report[name] for name in compared}
    found = FindCostAnomaliesOperator(**asked).execute(Bare())  # type: ignore[arg-type]
    assert found.pop("anomaly_count") == len(report["anomalies"])
    assert found == {name: report[name] for name in found}
    (cloud,) = report["clouds"]
    same = row.keys() & cloud.keys()
    assert row.keys() - same == {"ServiceName", "charges"}
    amounts = {name for name in same if name.endswith("Cost")}
    assert len(amounts) == 4
    # The one service is all of the bill; the command rounds for its reader.
    assert {name: Decimal(row[name]) for name in amounts} == {
        name: Decimal(cloud[name]) for name in amounts
    }
    assert {name: row[name] for name in same - amounts} == {
        name: cloud[name] for name in same - amounts
    }


def test_a_gate_says_what_the_report_says_of_a_budget(root: str) -> None:
    gate = BudgetGateOperator(
        task_id="gate", store=root, basis="billed", budget=100_000, name="data",
        now="2026-10-31T12:00:00+00:00", stale="ignore",
    )  # fmt: skip
    told = gate.execute(Bare())  # type: ignore[arg-type]
    analyzer = CloudCostAnalyzer(root, basis="billed")
    verdict = analyzer.assess_budget(
        Budget(name="data", amount=Decimal(100_000), currency="USD"),
        now=datetime(2026, 10, 31, 12, tzinfo=UTC),
        stale_policy=StalePolicy.IGNORE,
    )
    report = analyzer.report(date(2026, 10, 1), date(2026, 11, 1), budget=verdict)
    assert told == json.loads(to_json(report))["budget"]


def test_an_export_is_taken_out_by_an_operator(root: str) -> None:
    task = RemoveCostExportOperator(task_id="remove", store=root, export="s3://c@b/focus-1-2")
    (gone,) = task.execute(Bare())  # type: ignore[arg-type]
    assert (gone["export"], gone["billing_period"], gone["rows"]) == (
        "b/focus-1-2",
        "2026-10-01",
        32,
    )
    assert [p.export for p in CostStore.open(Path(root)).snapshot().periods] == ["b/focus-1-0"]
    with pytest.raises(AirflowFailException, match="the cost store has no b/focus-1-2; it has:"):
        task.execute(Bare())  # type: ignore[arg-type]


def test_old_versions_are_pruned_by_an_operator(root: str) -> None:
    store = CostStore.open(Path(root))
    store.remove("b/focus-1-2", now=datetime(2026, 11, 14, tzinfo=UTC))
    before = set(store.files.names())
    pruned = PruneCostStoreOperator(task_id="prune", store=root, keep=1)
    told = pruned.execute(Bare())  # type: ignore[arg-type]
    gone = before - set(store.files.names())
    assert told["deleted"] == len(gone) > 0
    assert set(told["files"]) == gone
    assert any("focus-1-2" in name for name in gone)
    assert not any("focus-1-0" in name for name in gone)


def test_the_command_lists_removes_and_prunes(
    root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, rows, _ = command(capsys, "cost-store", root)
    assert code == 0
    assert [(row["export"], row["billing_period"]) for row in rows] == [
        ("b/focus-1-0", "2026-10-01"),
        ("b/focus-1-2", "2026-10-01"),
    ]
    code, rows, said = command(
        capsys, "cost-store", root, "--remove", "b/focus-1-0", "--prune", "--keep", "1"
    )
    assert (code, [row["export"] for row in rows]) == (0, ["b/focus-1-2"])
    assert "not counted any more: aws b/focus-1-0 2026-10" in said
    # The state before the removal was current a moment ago: a reader may be at it.
    assert "files deleted: 1" in said
    code, rows, said = command(capsys, "cost-store", root, "--remove", "b/other")
    assert (code, rows) == (4, None)
    assert "aws b/focus-1-2" in said


def test_the_command_asks_for_the_bill(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("costs", root, "--month", "2026-10", "--basis", "billed")
    _, _, bills = command(capsys, *words)
    assert "aws: 2700.00 USD billed by billing period" in bills
    assert "not counted: aws 2026-10: 32 charges of b/focus-1-0" in bills
    _, _, days = command(capsys, *words, "--by", "charge-day")
    assert "aws: 3100.00 USD billed by charge day" in days


@pytest.mark.parametrize(
    ("more", "amount", "said"),
    [
        ((), "2,700.00", "Billed cost by billing period in USD"),
        (("--by", "charge-day"), "3,100.00", "Billed cost by charge day in USD"),
    ],
)
def test_the_page_has_the_figures_of_its_command(
    root: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    amount: str,
    said: str,
) -> None:
    page = tmp_path / "page.html"
    words = ("costs", root, "--month", "2026-10", "--basis", "billed", "--html", str(page))
    _, _, printed = command(capsys, *words, *more)
    assert f"aws: {amount.replace(',', '')} USD billed" in printed
    text = page.read_text()
    assert said in text
    assert f'<td>aws</td><td class="n">{amount}</td>' in text
    # The refund of June is on October's bill, and none of its days.
    assert ("10 Jun 2026" in text) == (not more)


def test_the_page_is_broken_down_as_its_command(
    root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    _, rows, _ = command(
        capsys, "costs", root, "--month", "2026-10", "--html", str(page), "--limit", "1",
        "--group-by", "tag:team", "--group-by", "ChargeDate",
    )  # fmt: skip
    assert [(row["tag:team"], row["ChargeDate"]) for row in rows] == [
        ("(other)", "(other)"),
        ("data", "2026-10-01"),
    ]
    text = page.read_text()
    assert "<h2>By tag:team, ChargeDate</h2>" in text
    for row in rows:
        assert f"<td>{row['tag:team']}</td><td>{row['ChargeDate']}</td>" in text
    assert "2026-10-02" not in text


def test_the_reports_files_say_which_month_and_what_is_not_counted(
    root: str, tmp_path: Path
) -> None:
    task = CostReportOperator(
        task_id="report", store=root, basis="billed", start="2026-10-01", end="2026-11-01",
        target=str(tmp_path / "report"),
    )  # fmt: skip
    told = task.execute(Bare())  # type: ignore[arg-type]
    assert (told["total"], told["basis"], told["by"]) == ("2700.00", "billed", "billing_period")
    document = json.loads(Path(told["files"]["report.json"]).read_text())
    assert document["by"] == "billing_period"
    (left_out,) = document["left_out"]
    assert told["left_out"] == [left_out]
    assert (left_out["export"], left_out["counted"]) == ("b/focus-1-0", "b/focus-1-2")
    assert (left_out["charges"], Decimal(left_out["billed_cost"])) == (32, Decimal(2700))
    rows = list(csv.DictReader(Path(told["files"]["services.csv"]).read_text().splitlines()))
    (said,) = (row["left_out"] for row in rows)
    assert "charges of b/focus-1-0" in said
    assert "b/focus-1-2 counts instead, it has the same accounts' charges" in said
    assert [row["by"] for row in rows] == ["billing_period"]
    by_day = CostReportOperator(
        task_id="days", store=root, basis="billed", start="2026-10-01", end="2026-11-01",
        target=str(tmp_path / "days"), by="charge_day",
    )  # fmt: skip
    charged = by_day.execute(Bare())  # type: ignore[arg-type]
    assert (charged["total"], charged["by"]) == ("3100.00", "charge_day")


def test_what_other_months_have_twice_is_not_of_the_report(root: str) -> None:
    analyzer = CloudCostAnalyzer(root, basis="billed")
    november = json.loads(to_json(analyzer.report(date(2026, 11, 1), date(2026, 12, 1))))
    assert november["left_out"] == []
    assert [o["charges"] for o in november["before"]["left_out"]] == [32]
    assert "Not counted" not in to_html(analyzer.report(date(2026, 11, 1), date(2026, 12, 1)))


def test_a_long_period_is_beside_all_of_the_one_before(tmp_path: Path) -> None:
    """Also the part of it that anomalies and forecasts don't look back to."""
    store = CostStore.open(tmp_path / "store")
    for month in (date(2025, 10, 1), date(2026, 4, 1)):
        rows = [Row(month + timedelta(days=day), "EC2", Decimal(1)) for day in range(30)]
        made = fetched(write(tmp_path / "x.csv", rows), "1", exported_at=datetime.now(UTC))
        store.ingest("aws", replace(made, period=replace(made.period, billing_period=month)))
    for by in ("charge_day", "billing_period"):
        report = CloudCostAnalyzer(store.root, basis="billed").report(
            date(2026, 4, 1), date(2026, 10, 1), by=by
        )
        assert (report.before.start, report.before.end) == (date(2025, 10, 1), date(2026, 4, 1))
        (aws, _) = report.beside_last
        assert (aws.so_far, aws.before) == (Decimal(30), Decimal(30))
