"""Keeping a cost store in order, by operator and by command line."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from airflow.cli import cli_parser
from airflow.sdk.exceptions import AirflowFailException

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.operators.cost_compare import CompareCostOperator
from airflow_multicloud.operators.cost_store import (
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
    assert billed["clouds"][0]["billed_cost"] == "2700.00"
    (said,) = billed["not_counted"]
    assert "charges of b/focus-1-0" in said
    assert "b/focus-1-2 has the same account's charges" in said
    days = CompareCostOperator(**asked, basis="billed", by="charge_day")
    charged = days.execute(Bare())  # type: ignore[arg-type]
    assert (charged["by"], charged["clouds"][0]["billed_cost"]) == ("charge_day", "3100.00")


def test_an_export_is_taken_out_by_an_operator(root: str) -> None:
    task = RemoveCostExportOperator(task_id="remove", store=root, export="s3://c@b/focus-1-2")
    (gone,) = task.execute(Bare())  # type: ignore[arg-type]
    assert (gone["export"], gone["month"], gone["rows"]) == ("b/focus-1-2", "2026-10", 32)
    assert [p.export for p in CostStore.open(root).snapshot().periods] == ["b/focus-1-0"]
    with pytest.raises(AirflowFailException, match="the cost store has no b/focus-1-2; it has:"):
        task.execute(Bare())  # type: ignore[arg-type]


def test_old_versions_are_pruned_by_an_operator(root: str) -> None:
    store = CostStore.open(root)
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
    assert [(row["export"], row["month"]) for row in rows] == [
        ("b/focus-1-0", "2026-10"),
        ("b/focus-1-2", "2026-10"),
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
