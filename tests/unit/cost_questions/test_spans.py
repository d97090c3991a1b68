"""Every question about cost opens a span, whose outcome says whether it was answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from airflow_multicloud.api import CloudCostAnalyzer
from airflow_multicloud.core.cost.budget import Budget
from airflow_multicloud.core.cost.prices import PriceTable
from airflow_multicloud.core.cost.prices.transfer import Place, estimate_transfer
from airflow_multicloud.core.cost.prices.workload import Workload
from airflow_multicloud.core.cost.recommendations import rank_recommendations
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.errors import CostAnalysisError
from tests.unit.cost_questions.bill import days
from tests.unit.cost_store.rows import MONTH, Row, fetched, write

END = date(2026, 11, 1)
NOW = datetime(2026, 10, 30, 5, tzinfo=UTC)
PRICES = PriceTable(())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("costs")
    rows = [Row(day, "EC2", Decimal("100.25")) for day in days(MONTH, 29)]
    file = write(directory / "a.parquet", rows)
    store = CostStore.open(directory / "store")
    store.ingest("aws", fetched(file, "1", exported_at=datetime(2026, 10, 30, 4, tzinfo=UTC)))
    return directory / "store"


#: Name of the span → the question, and the spans below it.
QUESTIONS: dict[str, tuple[Callable[[CloudCostAnalyzer], Any], set[str]]] = {
    "compare": (lambda a: a.compare_costs(MONTH, END), set()),
    "find_anomalies": (lambda a: a.find_anomalies(date(2026, 10, 25), END), set()),
    "forecast": (lambda a: a.forecast_costs(MONTH, END), set()),
    "assess_budget": (
        lambda a: a.assess_budget(Budget(name="b", amount=Decimal(1), currency="USD"), now=NOW),
        {"forecast"},
    ),
    "attribute": (lambda a: a.attribute_costs(MONTH, END), {"compare"}),
    "price_workload": (
        lambda a: a.price_workload(Workload(vcpus=1), ["aws"], today=NOW.date(), prices=PRICES),
        {"own_prices", "read_prices"},
    ),
    "report": (
        lambda a: a.report(MONTH, END),
        {"compare", "forecast", "find_anomalies", "smallest_bill"},
    ),
    "check_quality": (lambda a: a.check_quality(MONTH), {"check_exports"}),
    "smallest_bill": (
        lambda a: a.get_smallest_bill(a.compare_costs(MONTH, END).reports),
        {"compare"},
    ),
    "estimate_transfer": (
        lambda _: estimate_transfer(
            Place("aws"), [], PRICES, reads=0, read_bytes=0, today=NOW.date()
        ),
        set(),
    ),
    "rank_recommendations": (
        lambda _: rank_recommendations({}, currency="USD", today=NOW.date()),
        set(),
    ),
    "prune_store": (lambda a: a.prune_store(), set()),
}


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """Name → the last span that ended."""
    return {span.name.removeprefix("multicloud.cost."): span for span in spans.get_finished_spans()}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question(name: str, place: Path, spans: InMemorySpanExporter) -> None:
    ask, also = QUESTIONS[name]
    ask(CloudCostAnalyzer(place))
    spans = named(spans)
    assert spans.keys() - {"open_store"} == {name, *also}
    assert {dict(span.attributes or {})["multicloud.outcome"] for span in spans.values()} == {"ok"}


def test_the_questions_of_a_report_are_below_it(place: Path, spans: InMemorySpanExporter) -> None:
    CloudCostAnalyzer(place).report(MONTH, END)
    spans = named(spans)
    report = spans.pop("report").get_span_context()
    assert report is not None
    for span in spans.values():
        assert span.parent is not None
        assert span.parent.span_id == report.span_id


def test_an_export_that_is_taken_out(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    file = write(tmp_path / "a.parquet", [Row(MONTH, "EC2", Decimal(1))])
    CostStore.open(tmp_path / "store").ingest("aws", fetched(file, "1"))
    CloudCostAnalyzer(tmp_path / "store").remove_export("bucket/export")
    assert "remove_export" in named(spans)


def test_a_question_that_is_refused(place: Path, spans: InMemorySpanExporter) -> None:
    with pytest.raises(CostAnalysisError):
        CloudCostAnalyzer(place, currency="XXX").compare_costs(MONTH, END)
    span = named(spans)["compare"]
    attributes = dict(span.attributes or {})
    assert (attributes["multicloud.currency"], attributes["multicloud.outcome"]) == (
        "XXX",
        "not_found",
    )
    assert [event.name for event in span.events] == ["exception"]
