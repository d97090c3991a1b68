"""What a report tells other programs: plain values; amounts are unrounded, and texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from airflow_multicloud.core.cost.anomalies import Anomaly
from airflow_multicloud.core.cost.budget import BudgetVerdict
from airflow_multicloud.core.cost.comparison import CostReport
from airflow_multicloud.core.cost.forecast import Forecast
from airflow_multicloud.core.cost.money import CostBasis, Costs
from airflow_multicloud.core.cost.report.beside_last import BesideLast
from airflow_multicloud.core.cost.store.overlaps import Overlap
from airflow_multicloud.core.cost.store.snapshot import Restatement
from airflow_multicloud.core.cost.unconverted import Unconverted
from airflow_multicloud.core.cost.workload import Quote, WorkloadComparison


def cloud(report: CostReport) -> dict[str, Any]:
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
        "final": report.coverage.final,
        "days_covered": report.coverage.days_covered,
        "days_asked": report.coverage.days_asked,
        "exported_at": report.coverage.exported_at and report.coverage.exported_at.isoformat(),
        "lines": [
            {"group": list(line.group), "amount": str(line.costs.on(report.basis))}
            for line in report.lines
        ],
    }


def unconverted(apart: Unconverted) -> dict[str, Any]:
    """What is in no sum, in its own currency."""
    return {
        "cloud": apart.cloud,
        "currency": apart.currency,
        **_costs(apart.costs),
        "first_day": apart.first.isoformat(),
        "last_day": apart.last.isoformat(),
        "reason": apart.reason,
    }


def left_out(overlap: Overlap) -> dict[str, Any]:
    """What of an export is not counted, as another one has it."""
    return {
        "cloud": overlap.cloud,
        "billing_period": overlap.billing_period.isoformat(),
        "export": overlap.export,
        "counted": overlap.counted,
        "accounts": overlap.accounts,
        "first_day": overlap.first_day.isoformat(),
        "last_day": overlap.last_day.isoformat(),
        "charges": overlap.charges,
        "billing_currency": overlap.billing_currency,
        "billed_cost": str(overlap.billed_cost),
    }


def beside(row: BesideLast) -> dict[str, str | None]:
    """One cloud beside its month before: rounded, as the page shows it."""
    amounts = {
        "so_far": row.so_far,
        "same_days_before": row.same_days,
        "before": row.before,
        "expected": row.expected,
        "expected_at_least": row.at_least,
        "lower": row.lower,
        "upper": row.upper,
    }
    return {"name": row.name, **{name: _text(amount) for name, amount in amounts.items()}}


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
        "clouds": [
            {
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
            for one in coming.clouds
        ],
        "unavailable": dict(coming.unavailable),
        "only_billed": {name: str(figure.amount) for name, figure in coming.only_billed.items()},
        "unconverted": [unconverted(apart) for apart in coming.unconverted],
    }


def budget(verdict: BudgetVerdict) -> dict[str, Any]:
    """A budget, and what is known of it; always by charge day."""
    return {
        "name": verdict.budget.name,
        "amount": str(verdict.budget.amount),
        "currency": verdict.budget.currency,
        "period": verdict.budget.period.value,
        "state": verdict.state.value,
        "allowed": verdict.allowed,
        "actual": str(verdict.actual),
        "expected": str(verdict.expected),
        "run_estimate": str(verdict.run_estimate),
        "projected": str(verdict.projected),
        "headroom": str(verdict.headroom),
        "stale": verdict.stale,
        "reasons": list(verdict.reasons),
        "warnings": list(verdict.warnings),
    }


def anomaly(found: Anomaly) -> dict[str, Any]:
    """Days that cost too much."""
    return {
        "cloud": found.cloud,
        "service_name": found.service_name,
        "sub_account_id": found.sub_account_id,
        "first_day": found.first_day.isoformat(),
        "last_day": found.last_day.isoformat(),
        "actual": str(found.actual),
        "expected": str(found.expected),
        "new": found.new,
    }


def restatement(seen: Restatement) -> dict[str, Any]:
    """What a bill says now, and said before."""
    return {
        "cloud": seen.cloud,
        "billing_period": seen.billing_period.isoformat(),
        "service_name": seen.service_name,
        "first_day": seen.first_day.isoformat(),
        "last_day": seen.last_day.isoformat(),
        "billing_currency": seen.billing_currency,
        "old_billed_cost": str(seen.old_billed_cost),
        "new_billed_cost": str(seen.new_billed_cost),
        "seen_at": seen.seen_at.isoformat(),
    }


def workload(compared: WorkloadComparison) -> dict[str, Any]:
    """The same workload on each cloud."""
    return {
        "quantities": {
            meter.value: str(quantity) for meter, quantity in compared.workload.quantities().items()
        },
        "cheapest": compared.cheapest and compared.cheapest.cloud,
        "quotes": [_quote(quote) for quote in compared.quotes],
        "refused": [{"price": one.price, "reason": one.reason} for one in compared.refused],
    }


def _quote(quote: Quote) -> dict[str, Any]:
    return {
        "cloud": quote.cloud,
        "region_id": quote.region_id,
        "complete": quote.complete,
        "missing": [meter.value for meter in quote.missing],
        "total": str(quote.total),
        "currency": quote.currency,
        "oldest_price": quote.oldest_price and quote.oldest_price.isoformat(),
        "lines": [
            {
                "meter": line.meter.value,
                "sku": line.sku,
                "region_id": line.region_id,
                "quantity": str(line.quantity),
                "unit": line.unit,
                "unit_price": str(line.unit_price),
                "unit_currency": line.unit_currency,
                "amount": str(line.amount),
                "source": line.source,
                "as_of": line.as_of.isoformat(),
            }
            for line in quote.lines
        ],
    }


def _costs(costs: Costs) -> dict[str, str]:
    return {basis.column: str(costs.on(basis)) for basis in CostBasis}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
