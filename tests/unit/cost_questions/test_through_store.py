"""Every question asked of a real store's views, not of tables made here."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from airflow_multicloud.core.cost.anomalies import find_anomalies
from airflow_multicloud.core.cost.attribution import attribute_costs
from airflow_multicloud.core.cost.compare import compare_costs
from airflow_multicloud.core.cost.forecast import forecast_costs
from airflow_multicloud.core.cost.store import CostStore
from tests.unit.cost_questions.bill import days
from tests.unit.cost_store.rows import MONTH, Row, fetched, write

END = date(2026, 11, 1)
TAGS = '{"airflow-dag": "nightly"}'


def store(tmp_path: Path) -> CostStore:
    rows = [Row(day, "EC2", Decimal("100.25"), tags=TAGS) for day in days(MONTH, 29)]
    rows += [
        Row(date(2026, 10, 28), "EC2", Decimal(400)),
        Row(MONTH, "EC2", Decimal(-5), category="Credit"),
        Row(date(2026, 10, 5), "S3", Decimal(7), currency="EUR"),
    ]
    made = CostStore.open(tmp_path / "store")
    at = datetime(2026, 10, 30, 4, tzinfo=UTC)
    made.ingest("aws", fetched(write(tmp_path / "a.parquet", rows), "1", exported_at=at))
    return made


def test_the_store_answers_every_question(tmp_path: Path) -> None:
    with store(tmp_path).connect() as connection:
        by_rollup = compare_costs(connection, MONTH, END, currency="EUR").reports[0]
        by_charges = compare_costs(
            connection, MONTH, END, currency="EUR", group_by=["RegionId", "tag:airflow-dag"]
        ).reports[0]
        assert by_rollup.totals == by_charges.totals
        assert by_rollup.totals.billed * 2 == by_rollup.totals.effective
        assert {line.group for line in by_charges.lines} == {
            ("(none)", "nightly"),
            ("(none)", "(none)"),
        }
        assert (by_rollup.coverage.days_covered, by_rollup.coverage.final) == (29, False)

        found = attribute_costs(connection, MONTH, END, currency="USD")
        assert found.by_dag() == {"nightly": Decimal("200.5") * 29}

        checked = find_anomalies(connection, date(2026, 10, 25), date(2026, 10, 31), currency="USD")
        assert [(a.first_day, a.actual, a.expected) for a in checked.found] == [
            (date(2026, 10, 28), Decimal("1000.5"), Decimal("200.50"))
        ]

        forecast = forecast_costs(connection, MONTH, END, currency="USD")
        assert forecast.clouds[0].days_left == 2
        assert forecast.lower <= forecast.expected <= forecast.upper
