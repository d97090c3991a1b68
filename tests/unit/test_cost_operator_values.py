"""What a cost operator was given and can't be used is named as the operator's parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.operators.cost import (
    BudgetGateOperator,
    CheckCostQualityOperator,
    CostReportOperator,
    IngestCostOperator,
    PriceWorkloadOperator,
    RemoveCostExportOperator,
)

if TYPE_CHECKING:
    from pathlib import Path

_DAYS: dict[str, Any] = {"start": "2026-10-01", "end": "2026-11-01"}


@pytest.mark.parametrize(
    ("operator", "given", "named"),
    [
        (IngestCostOperator, {"export": "s3://b/e", "first": "junk"}, "first: 'junk' given"),
        (
            IngestCostOperator,
            {"export": "s3://b/e", "first": "2026-10-01", "last": "10/2026"},
            "last: '10/2026' given",
        ),
        (CheckCostQualityOperator, {"day": "2026-10"}, "day: '2026-10' given"),
        (RemoveCostExportOperator, {"export": "b/e", "month": "2026-10"}, "month: '2026-10' given"),
        (PriceWorkloadOperator, {"workload": {}, "day": "2026-10"}, "day: '2026-10' given"),
        (CostReportOperator, {**_DAYS, "target": "t", "start": "x"}, "start: 'x' given"),
        (CostReportOperator, {**_DAYS, "target": "t", "budget": "100 EUR"}, "budget: '100 EUR'"),
        (BudgetGateOperator, {"budget": "100 EUR"}, "budget: '100 EUR' given"),
        (BudgetGateOperator, {"budget": "1", "run_estimate": "-"}, "run_estimate: '-' given"),
    ],
)
def test_it_is_named(tmp_path: Path, operator: Any, given: dict[str, Any], named: str) -> None:
    task = operator(task_id="t", store=str(tmp_path / "costs"), **given)
    with pytest.raises(ValueError, match=f"^{named}"):
        task.execute({})
