"""Bills as rows of Google's tables."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.testing.bills import Bill, Restatement
from airflow_multicloud.testing.bills.bigquery import (
    detailed_table,
    focus_rows,
    focus_table,
    standard_rows,
    standard_table,
)
from airflow_multicloud.testing.bills.bigquery_schemas import (
    DETAILED_SCHEMA,
    FOCUS_SCHEMA,
    STANDARD_SCHEMA,
    Field,
)
from tests.unit.bills.conftest import small_bill

TIMES = [datetime(2026, 9, 21, tzinfo=UTC), datetime(2026, 9, 22, tzinfo=UTC)]


def restated(style: CorrectionStyle = CorrectionStyle.APPEND) -> Bill:
    return small_bill("gcp").restate(Restatement(style=style, service="BigQuery", day=4))


def test_focus_rows_add_up() -> None:
    bill = restated()
    sums: dict[str, Decimal] = defaultdict(Decimal)
    tasks: dict[str | None, Decimal] = defaultdict(Decimal)
    rows = list(focus_rows(bill, TIMES))
    for row in rows:
        sums[row["ServiceName"]] += Decimal(row["BilledCost"])
        tags = {pair["key"]: pair["value"] for pair in row["Tags"]}
        tasks[tags.get("airflow-task")] += Decimal(row["EffectiveCost"])
    totals = bill.totals()
    assert sums == {k: v.billed_cost for k, v in totals.by["ServiceName"].items()}
    assert tasks == {k: v.effective_cost for k, v in totals.by["airflow-task"].items()}
    assert len(rows) == totals.total.rows


def test_versions_have_their_export_time() -> None:
    rows = list(focus_rows(restated(), TIMES))
    corrections = [row for row in rows if row.get("ChargeClass") == "Correction"]
    assert {row["x_ExportTime"] for row in corrections} == {"2026-09-22T00:00:00Z"}
    assert list(focus_rows(restated(), TIMES, since=1)) == corrections
    assert len(rows) - len(corrections) == 3000


@pytest.mark.parametrize("detailed", [False, True])
def test_standard_rows_add_up_to_what_is_billed(detailed: bool) -> None:
    bill = restated(CorrectionStyle.ADJUST)
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for row in standard_rows(bill, TIMES, detailed=detailed):
        amounts = [row["cost"], *(credit["amount"] for credit in row["credits"])]
        # Shortest texts of the floats: what BigQuery gives as JSON.
        billed[row["service"]["description"]] += sum(Decimal(repr(a)) for a in amounts)
        assert ("resource" in row) == detailed
        assert row["invoice"] == {"month": "202609"}
    assert billed == {k: v.billed_cost for k, v in bill.totals().by["ServiceName"].items()}


def test_standard_rows_have_credits_and_tax() -> None:
    rows = list(standard_rows(small_bill("gcp"), TIMES[:1]))
    kinds = {credit["type"] for row in rows for credit in row["credits"]}
    assert kinds == {"COMMITTED_USAGE_DISCOUNT", "PROMOTION"}
    assert {row["cost_type"] for row in rows} == {"regular", "tax"}
    machine = next(row for row in rows if row["system_labels"])
    labels = {label["key"]: label["value"] for label in machine["system_labels"]}
    assert int(labels["compute.googleapis.com/cores"]) > 0


@pytest.mark.parametrize(
    ("schema", "rows"),
    [
        (FOCUS_SCHEMA, lambda: focus_rows(restated(), TIMES)),
        (STANDARD_SCHEMA, lambda: standard_rows(restated(), TIMES)),
        (DETAILED_SCHEMA, lambda: standard_rows(restated(), TIMES, detailed=True)),
    ],
    ids=["focus", "standard", "detailed"],
)
def test_rows_fit_the_schema(schema: tuple[Field, ...], rows: Any) -> None:
    for row in rows():
        assert not misfits(row, schema)


def misfits(row: dict[str, Any], schema: tuple[Field, ...]) -> list[str]:
    """The names of a row that its table has not, or that have another shape."""
    fields = {field.name: field for field in schema}
    wrong = [name for name in row if name not in fields]
    for name, value in row.items():
        field = fields.get(name)
        if field is None or value is None:
            continue
        if (field.mode == "REPEATED") != isinstance(value, list):
            wrong.append(name)
        values = value if isinstance(value, list) else [value]
        for each in values:
            if field.type == "RECORD":
                wrong += misfits(each, field.fields)
            elif (field.type == "FLOAT") != isinstance(each, float):
                wrong.append(name)
    return wrong


def test_tables() -> None:
    bill = small_bill("gcp")
    assert focus_table(bill) == "gcp_billing_export_focus_010101_F0FFF0_61C528"
    assert standard_table(bill) == "gcp_billing_export_v1_010101_F0FFF0_61C528"
    assert detailed_table(bill) == "gcp_billing_export_resource_v1_010101_F0FFF0_61C528"
    assert next(f.as_json() for f in FOCUS_SCHEMA if f.name == "Tags")["mode"] == "REPEATED"


def test_refused() -> None:
    with pytest.raises(ValueError, match="of cloud 'aws', allowed is 'gcp'"):
        list(focus_rows(small_bill("aws"), TIMES))
    with pytest.raises(ValueError, match="can't hold a restatement that replaces"):
        list(focus_rows(restated(CorrectionStyle.REPLACE), TIMES))
    with pytest.raises(ValueError, match="1 times given for 2"):
        list(focus_rows(restated(), TIMES[:1]))
