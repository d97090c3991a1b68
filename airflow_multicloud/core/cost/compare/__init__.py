"""What each cloud costs, broken down so that every breakdown adds up to the total.

Nothing is rounded here: costs are exact decimals, converted per charge day
(:mod:`airflow_multicloud.core.cost.fx`). For rounded lines that still add up see
:func:`~airflow_multicloud.core.cost.money.rounded_lines`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.compare.breakdown import (
    Asked,
    costs_by_category,
    costs_not_counted,
    lines_by_cloud,
    totals_of,
)
from airflow_multicloud.core.cost.compare.comparison import CostComparison, CostReport
from airflow_multicloud.core.cost.completeness import measure_completeness
from airflow_multicloud.core.cost.dimensions import parse_grouping
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.fx.unconverted import unconverted_costs
from airflow_multicloud.core.cost.money import (
    CostBasis,
    CostPeriod,
    Costs,
    add_costs,
    check_period,
    checked_basis,
    checked_currency,
)
from airflow_multicloud.core.cost.store.overlaps import read_overlaps
from airflow_multicloud.core.cost.store.views import View
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def views_asked(group_by: Sequence[str]) -> frozenset[View]:
    """The views that :func:`compare_costs` asks for a breakdown.

    :raises CostAnalysisError: kind ``invalid_argument``, naming what is allowed.
    """
    return frozenset({View.PERIODS, View.ROLLUP, View.LEFT_OUT, parse_grouping(group_by).source})


def compare_costs(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    currency: str,
    basis: CostBasis = CostBasis.EFFECTIVE,
    group_by: Sequence[str] = ("Cloud", "ServiceName"),
    clouds: Sequence[str] | None = None,
    limit: int | None = None,
    rates: ExchangeRates | None = None,
    by: CostPeriod = CostPeriod.CHARGE_DAY,
) -> CostComparison:
    """What each cloud cost, in one currency.

    :param connection: with what :func:`views_asked` says.
    :param start: first day.
    :param end: the day after the last.
    :param group_by: names of :data:`~airflow_multicloud.core.cost.dimensions.DIMENSIONS`, or
        ``tag:<key>``. The rollup answers where it has the dimensions, else the charges do.
    :param clouds: those compared; ``None``: all that were ever ingested.
    :param limit: lines per cloud; the rest, smallest first, is summed up as ``(other)``.
    :param by: charges of these days, or the bills of these months; the connection must be of the
        same.
    :raises CostAnalysisError: kind ``invalid_argument`` for a bad parameter; ``not_found``
        when no charge at all can be converted; ``integrity`` when the rollup and the charges
        disagree.
    """
    basis = checked_basis(basis)
    checked_currency("currency", currency)
    check_period(start, end)
    grouping = parse_grouping(group_by)
    if limit is not None and limit < 1:
        raise CostAnalysisError(
            f"limit: {limit} given, expected 1 or more", kind=ErrorKind.INVALID_ARGUMENT
        )
    with operation("cost.compare", multicloud__currency=currency):
        completeness = measure_completeness(connection, start, end, clouds=clouds, by=by)
        billed_in = completeness.billed_in
        needed = (rates or ExchangeRates()).towards(
            currency, itertools.chain.from_iterable(billed_in.values())
        )
        asked = Asked(start=start, end=end, clouds=tuple(billed_in), by=by, rates=needed)
        lines = lines_by_cloud(connection, grouping, asked, basis, limit)
        # The rollup's own lines are its totals; those of the charges are held against it.
        if grouping.source is View.ROLLUP:
            by_category = {cloud: totals_of(found) for cloud, found in lines.items()}
        else:
            by_category = costs_by_category(connection, asked)
        apart = unconverted_costs(connection, needed, start, end, clouds=asked.clouds, by=by)
        not_counted = costs_not_counted(connection, needed, completeness.open_days)
        reports = tuple(
            CostReport(
                cloud=cloud,
                start=start,
                end=end,
                currency=currency,
                basis=basis,
                group_by=grouping.names,
                by_category=by_category.get(cloud, {}),
                lines=tuple(lines.get(cloud, ())),
                coverage=coverage,
                fx=needed.of(billed_in[cloud]).note(),
                by=by,
                not_counted=not_counted.get(cloud, Costs()),
                unconverted=tuple(one for one in apart if one.cloud == cloud),
            )
            for cloud, coverage in completeness.covered.items()
        )
        if grouping.source is not View.ROLLUP:
            for report in reports:
                _check_sum(report)
        return CostComparison(
            start=start,
            end=end,
            currency=currency,
            basis=basis,
            group_by=grouping.names,
            reports=reports,
            missing=completeness.missing,
            by=by,
            left_out=tuple(
                o for o in read_overlaps(connection) if clouds is None or o.cloud in clouds
            ),
        )


def _check_sum(report: CostReport) -> None:
    lines = add_costs(line.costs for line in report.lines)
    if lines != report.totals:
        raise CostAnalysisError(
            f"the breakdown of {report.cloud} by {', '.join(report.group_by)} adds up to {lines}, "
            f"its daily rollup to {report.totals}; ingest the period again",
            kind=ErrorKind.INTEGRITY,
            cloud=report.cloud,
        )
