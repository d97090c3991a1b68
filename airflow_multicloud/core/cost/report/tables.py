"""The tables of a report's page: rounded for a reader so that every row and column adds up.

A cloud's amounts are rounded as its invoice is. What is below it is rounded so that it adds up
to that; what is above it, a total over clouds, is the sum of what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.compare.comparison import CostComparison, CostLine, CostReport
from airflow_multicloud.core.cost.dimensions import NONE
from airflow_multicloud.core.cost.documents import completeness
from airflow_multicloud.core.cost.money import CostBasis, cents, exact_sum, rounded_lines
from airflow_multicloud.core.cost.prices.workload import Quote, QuoteLine
from airflow_multicloud.core.cost.report.beside_last import NOT_DAILY, day_of

if TYPE_CHECKING:
    from airflow_multicloud.core.cost.report.document import CostDocument

#: Charges that are no daily use, named one by one; the rest is summed up.
_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudRow:
    """A cloud, or all of them.

    :param report: ``None`` for the total.
    :param categories: parts of ``amounts`` on the comparison's basis; ``None`` where a cloud has
        none of that category.
    """

    name: str
    report: CostReport | None
    amounts: tuple[Decimal, ...]
    categories: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCharge:
    """What was bought, levied or given on a day; the last two rows have no day.

    :param what: the FOCUS ChargeCategory, or what the row sums up.
    """

    day: date | None
    cloud: str
    what: str
    amount: Decimal


def categories_of(comparison: CostComparison) -> tuple[str, ...]:
    """Every charge category of any cloud."""
    return tuple(sorted({k for report in comparison.reports for k in report.by_category}))


def cloud_rows(comparison: CostComparison) -> tuple[CloudRow, ...]:
    """Every cloud on all four bases and by category, and their sums."""
    names = categories_of(comparison)
    rows = [_cloud_row(report, names) for report in comparison.reports]
    if not rows:
        return ()
    total = CloudRow(
        name="all clouds",
        report=None,
        amounts=tuple(exact_sum(column) for column in zip(*(r.amounts for r in rows), strict=True)),
        categories=tuple(
            exact_sum([amount for amount in column if amount is not None])
            for column in zip(*(row.categories for row in rows), strict=True)
        ),
    )
    return (*rows, total)


def _cloud_row(report: CostReport, names: Sequence[str]) -> CloudRow:
    totals = report.totals
    shown = dict(
        zip(
            report.by_category,
            rounded_lines([costs.on(report.basis) for costs in report.by_category.values()]),
            strict=True,
        )
    )
    return CloudRow(
        name=report.cloud,
        report=report,
        amounts=tuple(rounded_lines([totals.on(basis)])[0] for basis in CostBasis),
        categories=tuple(shown.get(name) for name in names),
    )


def service_rows(report: CostReport) -> list[dict[str, Any]]:
    """One cloud's breakdown, on all four bases, as flat rows; amounts are texts."""
    by_basis = {
        basis: rounded_lines([line.costs.on(basis) for line in report.lines]) for basis in CostBasis
    }
    return [
        {
            "cloud": report.cloud,
            **{n: v for n, v in zip(report.group_by, line.group, strict=True) if n != "Cloud"},
            **{basis.column: str(by_basis[basis][number]) for basis in CostBasis},
            "currency": report.currency,
            "charges": line.charges,
            **completeness(report.coverage),
        }
        for number, line in enumerate(report.lines)
    ]


def csv_rows(document: CostDocument) -> list[dict[str, Any]]:
    """Every cloud's breakdown, each row with what the cloud's sums are of and what they lack."""
    comparison = document.comparison
    rows: list[dict[str, Any]] = []
    for report in comparison.reports:
        apart = [f"{one.on(report.basis)}: {one.reason}" for one in report.unconverted]
        twice = [str(one) for one in comparison.left_out if one.cloud == report.cloud]
        said = {
            "by": report.by.value,
            "unconverted": "; ".join(apart),
            "left_out": "; ".join(twice),
        }
        # A cloud of which nothing can be converted has no line to say so.
        lines = service_rows(report) or service_rows(replace(report, lines=(_nothing(report),)))
        rows.extend({**line, **said} for line in lines)
    return rows


def _nothing(report: CostReport) -> CostLine:
    return CostLine(group=(NONE,) * len(report.group_by), by_category={}, charges=0)


def other_charges(
    daily: CostComparison, clouds: Sequence[CloudRow], categories: Sequence[str]
) -> tuple[OtherCharge, ...]:
    """What is no use of the period's days, the largest by name, then their sum.

    Purchases, taxes, credits and adjustments, and all that is on a bill and of another month.

    :param daily: day by day.
    :param clouds: of :func:`cloud_rows`, over the same charges: what they show of a category is
        what its charges here add up to.
    """
    shown = {
        (row.name, name): amount
        for row in clouds
        for name, amount in zip(categories, row.categories, strict=True)
    }
    found: list[OtherCharge] = []
    for report in daily.reports:
        for name in sorted(report.by_category):
            lines = [line for line in report.lines if name in line.by_category]
            exact = [line.by_category[name].on(report.basis) for line in lines]
            amounts = rounded_lines(exact, total=shown.get((report.cloud, name)))
            for line, amount in zip(lines, amounts, strict=True):
                day = day_of(line)
                within = report.start <= day < report.end
                if amount and (name in NOT_DAILY or not within):
                    what = name if within else f"{name}, of another month"
                    found.append(OtherCharge(day=day, cloud=report.cloud, what=what, amount=amount))
    if not found:
        return ()
    found.sort(key=lambda charge: (-abs(charge.amount), charge.day or date.min, charge.cloud))
    rows = found[:_NAMED]
    if rest := found[_NAMED:]:
        rows.append(_all(f"{len(rest)} smaller ones", rest))
    return (*rows, _all("all", rows))


def _all(what: str, charges: Iterable[OtherCharge]) -> OtherCharge:
    amount = exact_sum([charge.amount for charge in charges])
    return OtherCharge(day=None, cloud="", what=what, amount=amount)


def budget_amounts(document: CostDocument) -> tuple[Decimal, Decimal] | None:
    """What a budget's period cost so far, and is projected to: as shown elsewhere on the page.

    Where the budget is of the same month and clouds, that is what the months' table shows.
    """
    verdict = document.budget
    if verdict is None:
        return None
    so_far, projected = verdict.actual, verdict.projected
    total, coming, rows = document.comparison.total, document.forecast, document.beside_last
    if total is not None and total.amount == so_far:
        so_far = rows[-1].so_far
    foreseen = exact_sum([verdict.expected, verdict.run_estimate])
    if coming is not None and verdict.projected == foreseen:
        shown = rows[-1].expected
        if shown is not None and coming.expected == verdict.expected:
            projected = exact_sum([shown, verdict.run_estimate])
    return cents(so_far), cents(projected)


def quote_lines(quote: Quote) -> list[tuple[QuoteLine, Decimal]]:
    """A quote's lines, each with its amount; these add up to the rounded total."""
    amounts = rounded_lines([line.amount for line in quote.lines])
    return list(zip(quote.lines, amounts, strict=True))


def savings(recommendations: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Decimal]:
    """What all advice that counts saves a month, by ``resources`` or ``commitments``, and currency.

    The two are not added: commitments are sized for today's use, which the other would shrink.
    """
    found: dict[tuple[str, str], Decimal] = {}
    for item in recommendations:
        if item["monthly_savings"] and item["counted"]:
            on = "resources" if item["resource_id"] else "commitments"
            key = (on, str(item["currency"]))
            found[key] = exact_sum([found.get(key, Decimal(0)), Decimal(item["monthly_savings"])])
    return found
