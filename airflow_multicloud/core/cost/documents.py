"""Answers about cost as documents: XCom, the JSON report and the command line say the same names.

What is a column of FOCUS is called as FOCUS calls it. Amounts are unrounded, and texts, so that no
reader makes floats of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.money import CostBasis, Costs
from airflow_multicloud.documents import to_document

# The classes of answers need a query engine's modules, which an operator's module does not load.
if TYPE_CHECKING:
    from airflow_multicloud.core.cost.anomalies import Anomalies
    from airflow_multicloud.core.cost.budget import BudgetVerdict
    from airflow_multicloud.core.cost.compare.comparison import CostComparison, CostReport
    from airflow_multicloud.core.cost.figures import Coverage
    from airflow_multicloud.core.cost.forecast import CloudForecast, Forecast
    from airflow_multicloud.core.cost.fx.unconverted import Unconverted
    from airflow_multicloud.core.cost.prices.workload import WorkloadComparison
    from airflow_multicloud.core.cost.report.document import CostDocument


def document_of(value: object) -> dict[str, Any]:
    """An answer that is shown by its fields (``DOCUMENT``), with amounts as texts."""
    found: dict[str, Any] = _texts(to_document(value))
    return found


def report(document: CostDocument) -> dict[str, Any]:
    """Everything that a report's page shows: each figure says what it is of, and as of when."""
    return {
        "format": "airflow-multicloud cost report",
        "format_version": 1,
        "made_at": document.made_at.isoformat(),
        **comparison(document.comparison),
        "before": {
            "start": document.before.start.isoformat(),
            "end": document.before.end.isoformat(),
            **apart(document.before),
        },
        "beside_last": [document_of(row) for row in document.beside_last],
        "forecast": document.forecast and forecast(document.forecast),
        "budget": document.budget and budget(document.budget),
        "smallest_bill": list(document.smallest_bill.clouds) if document.smallest_bill else [],
        **anomalies(document.anomalies),
        "restatements": [document_of(seen) for seen in document.restatements],
        "workload": document.workload and workload(document.workload),
        "quality": [document_of(one) for one in document.quality],
        "recommendations": [dict(item) for item in document.recommendations],
    }


def comparison(found: CostComparison) -> dict[str, Any]:
    """What each cloud cost."""
    total = found.total
    return {
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "currency": found.currency,
        "basis": found.basis.value,
        "by": found.by.value,
        "group_by": list(found.group_by),
        "total": None if total is None else str(total.amount),
        # What the total lacks, as billed: the details are in "unconverted".
        "total_without": [] if total is None else list(total.without),
        "clouds": [_cloud(one) for one in found.reports],
        **apart(found),
    }


def apart(found: CostComparison) -> dict[str, Any]:
    """What is in no sum of a comparison, and why."""
    return {
        "missing": dict(found.missing),
        "unconverted": [_unconverted(one) for one in found.unconverted],
        "left_out": [document_of(overlap) for overlap in found.left_out],
    }


def _cloud(report: CostReport) -> dict[str, Any]:
    """One cloud, on all four bases and broken down."""
    return {
        "cloud": report.cloud,
        **_costs(report.totals),
        "without": list(report.total.without),
        "compared": str(report.compared.amount),
        "by_category": {
            category: str(costs.on(report.basis))
            for category, costs in sorted(report.by_category.items())
        },
        "currency": report.currency,
        "fx": str(report.fx) if report.fx else None,
        **completeness(report.coverage),
        "lines": [
            {"group": list(line.group), "amount": str(line.costs.on(report.basis))}
            for line in report.lines
        ],
    }


def completeness(coverage: Coverage) -> dict[str, Any]:
    """How complete the bill is behind a cloud's figures, and as of when."""
    return {
        "final": coverage.final,
        "days_covered": coverage.days_covered,
        "days_asked": coverage.days_asked,
        "exported_at": coverage.exported_at and coverage.exported_at.isoformat(),
    }


def _unconverted(one: Unconverted) -> dict[str, Any]:
    """What is in no sum, in its own currency."""
    return {
        "cloud": one.cloud,
        "currency": one.currency,
        **_costs(one.costs),
        "first_day": one.first.isoformat(),
        "last_day": one.last.isoformat(),
        "reason": one.reason,
    }


def forecast(coming: Forecast) -> dict[str, Any]:
    """The whole month: each cloud's, and of all: of those without a forecast, what was billed."""
    return {
        "start": coming.start.isoformat(),
        "end": coming.end.isoformat(),
        "confidence": coming.confidence,
        "expected": str(coming.expected),
        "lower": str(coming.lower),
        "upper": str(coming.upper),
        "complete": coming.complete,
        "clouds": [_cloud_forecast(one) for one in coming.clouds],
        "unavailable": dict(coming.unavailable),
        "only_billed": {name: str(figure.amount) for name, figure in coming.only_billed.items()},
        "unconverted": [_unconverted(one) for one in coming.unconverted],
    }


def _cloud_forecast(one: CloudForecast) -> dict[str, Any]:
    return {
        "cloud": one.cloud,
        "so_far": str(one.actual.amount),
        "usage_left": str(one.usage_left),
        "recurring_left": str(one.recurring_left),
        "days_left": one.days_left,
        "days_unknown": one.days_unknown,
        "known_since": one.known_since and one.known_since.isoformat(),
        "expected": str(one.expected),
        "lower": str(one.lower),
        "upper": str(one.upper),
    }


def budget(verdict: BudgetVerdict) -> dict[str, Any]:
    """A budget, and what is known of it; always by charge day."""
    return {**document_of(verdict.budget), **document_of(verdict)}


def anomalies(found: Anomalies | None, *, limit: int | None = None) -> dict[str, Any]:
    """Days that cost too much, and which clouds could not be checked.

    :param limit: show so many, largest first.
    """
    shown = found.found[:limit] if found else ()
    return {
        "anomalies": [document_of(one) for one in shown],
        "anomalies_unchecked": dict(found.unchecked) if found else {},
    }


def workload(compared: WorkloadComparison) -> dict[str, Any]:
    """The same workload on each cloud."""
    return {
        "quantities": {
            meter.value: str(quantity) for meter, quantity in compared.workload.quantities().items()
        },
        "cheapest": compared.cheapest and compared.cheapest.cloud,
        "quotes": [document_of(quote) for quote in compared.quotes],
        "refused": [document_of(one) for one in compared.refused],
    }


def _costs(costs: Costs) -> dict[str, str]:
    return {basis.column: str(costs.on(basis)) for basis in CostBasis}


def _texts(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _texts(of) for key, of in value.items()}
    return [_texts(one) for one in value] if isinstance(value, list) else value
