"""What each cloud costs, broken down so that every breakdown adds up to the total.

Nothing is rounded here: costs are exact decimals, converted per charge day
(:mod:`airflow_multicloud.core.cost.fx`). For rounded lines that still add up see
:func:`~airflow_multicloud.core.cost.money.rounded_lines`.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.completeness import measure_completeness
from airflow_multicloud.core.cost.dimensions import OTHER, Grouping, parse_grouping
from airflow_multicloud.core.cost.figures import Coverage, Figure, FxNote, add_figures
from airflow_multicloud.core.cost.focus import ChargeCategory
from airflow_multicloud.core.cost.fx import FX, ExchangeRates, Rates
from airflow_multicloud.core.cost.money import (
    CostBasis,
    CostPeriod,
    Costs,
    check_period,
    checked_basis,
    checked_currency,
    exact_difference,
)
from airflow_multicloud.core.cost.store.overlaps import Overlap, read_overlaps
from airflow_multicloud.core.cost.store.views import View
from airflow_multicloud.core.cost.unconverted import Unconverted, unconverted_costs
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Not part of what clouds are compared on: they follow from contract and country, not use.
NOT_COMPARED = frozenset({ChargeCategory.TAX, ChargeCategory.CREDIT})

_SUMS = ", ".join(f"sum({basis.column}) AS {basis.column}" for basis in CostBasis)
_CONVERTED = ", ".join(f"sum({basis.column} * rate) AS {basis.column}" for basis in CostBasis)
_FILTER = "{0} >= $start AND {0} < $end AND list_contains($clouds::VARCHAR[], Cloud)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One group of a breakdown.

    :param group: the dimensions' values in the order of ``group_by``; ``(none)`` for charges
        that lack one, ``(other)`` for the groups beyond the limit.
    :param by_category: FOCUS ChargeCategory → costs, so that taxes, credits and purchases
        stay apart.
    """

    group: tuple[str, ...]
    by_category: Mapping[str, Costs]
    charges: int

    @property
    def costs(self) -> Costs:
        """All charges of the group."""
        return _sum(self.by_category.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """What one cloud cost from ``start`` to before ``end``.

    :param by: whether those are charge days or billing periods.
    :param by_category: FOCUS ChargeCategory → costs of the whole cloud.
    :param lines: the breakdown, most expensive first; their sums are the totals, exactly.
    :param not_counted: charges, neither taxes nor credits, of days that are not
        :attr:`~airflow_multicloud.core.cost.figures.Coverage.days_counted`: a part of the day
        of the export, what is listed ahead, or another month's that is on this one's bill.
    :param unconverted: in no sum, as no rate converts it.
    """

    cloud: str
    start: date
    end: date
    currency: str
    basis: CostBasis
    group_by: tuple[str, ...]
    by_category: Mapping[str, Costs]
    lines: tuple[CostLine, ...]
    coverage: Coverage
    fx: FxNote | None
    not_counted: Costs = Costs()
    unconverted: tuple[Unconverted, ...] = ()
    by: CostPeriod = CostPeriod.CHARGE_DAY

    @property
    def totals(self) -> Costs:
        """All charges on all four bases."""
        return _sum(self.by_category.values())

    @property
    def total(self) -> Figure:
        """All charges on the report's basis."""
        return self._figure(self.totals)

    @property
    def compared(self) -> Figure:
        """What clouds are compared on: all charges but taxes and credits."""
        return self._figure(
            _sum(c for category, c in self.by_category.items() if category not in NOT_COMPARED)
        )

    @property
    def counted(self) -> Figure:
        """:attr:`compared`, of the days that are counted: what may be divided by them."""
        amount = exact_difference(self.compared.amount, self.not_counted.on(self.basis))
        return replace(self.compared, amount=amount)

    def category(self, category: ChargeCategory) -> Figure:
        """One category's charges on the report's basis; zero when there is none."""
        return self._figure(self.by_category.get(category, Costs()))

    def _figure(self, costs: Costs) -> Figure:
        return Figure(
            amount=costs.on(self.basis),
            currency=self.currency,
            basis=self.basis,
            coverage=self.coverage,
            fx=self.fx,
            by=self.by,
            without=tuple(apart.on(self.basis) for apart in self.unconverted),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CostComparison:
    """The reports of all clouds that have data.

    :param missing: cloud → why it has none. It is not a cloud that costs nothing.
    :param by: whether ``start`` and ``end`` are charge days or of billing periods.
    :param left_out: what is in two exports, and therefore not counted in one of them.
    """

    start: date
    end: date
    currency: str
    basis: CostBasis
    group_by: tuple[str, ...]
    reports: tuple[CostReport, ...]
    missing: Mapping[str, str]
    by: CostPeriod = CostPeriod.CHARGE_DAY
    left_out: tuple[Overlap, ...] = ()

    @property
    def total(self) -> Figure | None:
        """Everything that all clouds charged; ``None`` when no cloud has data."""
        if not self.reports:
            return None
        return add_figures([report.total for report in self.reports])

    @property
    def unconverted(self) -> tuple[Unconverted, ...]:
        """What is in no sum, of all clouds."""
        return tuple(apart for report in self.reports for apart in report.unconverted)


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
    :param start: first day. :param end: the day after the last.
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
            f"limit is {limit}; expected 1 or more", kind=ErrorKind.INVALID_ARGUMENT
        )
    completeness = measure_completeness(connection, start, end, clouds=clouds, by=by)
    billed_in = completeness.billed_in
    needed = (rates or ExchangeRates()).towards(
        currency, itertools.chain.from_iterable(billed_in.values())
    )
    asked = {"start": start, "end": end, "clouds": list(billed_in)}
    lines = _lines(connection, grouping, needed, asked, basis, limit, _FILTER.format(by.column))
    # The rollup's own lines are its totals; those of the charges are held against it.
    if grouping.source is View.ROLLUP:
        by_category = {cloud: _totals(found) for cloud, found in lines.items()}
    else:
        by_category = _by_category(connection, needed, asked, _FILTER.format(by.column))
    apart = unconverted_costs(connection, needed, start, end, clouds=tuple(billed_in), by=by)
    not_counted = _not_counted(connection, needed, completeness.open_days)
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
        left_out=tuple(o for o in read_overlaps(connection) if clouds is None or o.cloud in clouds),
    )


def _by_category(
    connection: DuckDBPyConnection, rates: Rates, asked: Mapping[str, object], where: str
) -> dict[str, dict[str, Costs]]:
    rows = connection.execute(
        f"""WITH {FX}
        SELECT Cloud, coalesce(ChargeCategory, '(none)'), {_CONVERTED}
        FROM rollup JOIN fx ON fx_day = ChargeDate AND fx_currency = BillingCurrency
        WHERE {where} GROUP BY ALL ORDER BY ALL""",
        {**asked, **rates.parameters},
    ).fetchall()
    found: dict[str, dict[str, Costs]] = {}
    for cloud, category, *amounts in rows:
        found.setdefault(cloud, {})[category] = Costs.of(amounts)
    return found


def _not_counted(
    connection: DuckDBPyConnection, rates: Rates, open_days: Mapping[str, Collection[date]]
) -> dict[str, Costs]:
    """What each cloud charged on days that don't count, but for taxes and credits."""
    pairs = [(cloud, day) for cloud, days in open_days.items() for day in days]
    if not pairs:
        return {}
    rows = connection.execute(
        f"""WITH {FX}, open AS (
            SELECT unnest($clouds::VARCHAR[]) AS open_cloud, unnest($days::DATE[]) AS open_day
        )
        SELECT Cloud, {_CONVERTED}
        FROM rollup JOIN open ON open_cloud = Cloud AND open_day = ChargeDate
        JOIN fx ON fx_day = ChargeDate AND fx_currency = BillingCurrency
        WHERE NOT list_contains($apart::VARCHAR[], coalesce(ChargeCategory, ''))
        GROUP BY ALL""",
        {
            "clouds": [cloud for cloud, _ in pairs],
            "days": [day for _, day in pairs],
            "apart": sorted(NOT_COMPARED),
            **rates.parameters,
        },
    ).fetchall()
    return {cloud: Costs.of(amounts) for cloud, *amounts in rows}


def _lines(
    connection: DuckDBPyConnection,
    grouping: Grouping,
    rates: Rates,
    asked: Mapping[str, object],
    basis: CostBasis,
    limit: int | None,
    where: str,
) -> dict[str, list[CostLine]]:
    dims = [f"d{number}" for number in range(len(grouping.names))]
    named = ", ".join(f"{e} AS {d}" for e, d in zip(grouping.expressions, dims, strict=True))
    keys = ", ".join(dims)
    # The cloud's own column can't be "other": the line belongs to the cloud's report.
    kept = ", ".join(
        d if name == "Cloud" else f"CASE WHEN place > {limit} THEN '{OTHER}' ELSE {d} END AS {d}"
        for d, name in zip(dims, grouping.names, strict=True)
    )
    limited = f"""
        SELECT cloud, {kept}, category, {_SUMS}, sum(charges)::BIGINT AS charges FROM (
            SELECT *, dense_rank() OVER (PARTITION BY cloud ORDER BY weight DESC, {keys}) AS place
            FROM (SELECT *, sum({basis.column}) OVER (PARTITION BY cloud, {keys}) AS weight
                  FROM converted)
        ) GROUP BY ALL"""
    count = "sum(Charges)" if grouping.source is View.ROLLUP else "count(*)"
    rows = connection.execute(
        f"""WITH {FX}, daily AS (
            SELECT Cloud AS cloud, {named}, ChargeDate AS day, BillingCurrency AS billed_in,
                   coalesce(ChargeCategory, '(none)') AS category, {_SUMS}, {count} AS charges
            FROM {grouping.source} WHERE {where} GROUP BY ALL
        ), converted AS (
            SELECT cloud, {keys}, category, {_CONVERTED}, sum(charges)::BIGINT AS charges
            FROM daily JOIN fx ON fx_day = day AND fx_currency = billed_in GROUP BY ALL
        )
        {limited if limit else "SELECT * FROM converted"}""",
        {**asked, **rates.parameters, **grouping.parameters},
    ).fetchall()
    groups: dict[tuple[str, tuple[str, ...]], tuple[dict[str, Costs], list[int]]] = {}
    width = len(dims)
    for row in rows:
        cloud, group, category = row[0], tuple(row[1 : width + 1]), row[width + 1]
        by_category, charges = groups.setdefault((cloud, group), ({}, []))
        by_category[category] = Costs.of(row[width + 2 : width + 6])
        charges.append(row[width + 6])
    found: dict[str, list[CostLine]] = {}
    for (cloud, group), (by_category, charges) in groups.items():
        line = CostLine(group=group, by_category=by_category, charges=sum(charges))
        found.setdefault(cloud, []).append(line)
    for cloud_lines in found.values():
        cloud_lines.sort(key=lambda line: (-line.costs.on(basis), line.group))
    return found


def _totals(lines: Iterable[CostLine]) -> dict[str, Costs]:
    """The lines' sums by charge category."""
    found: dict[str, Costs] = {}
    for line in lines:
        for category, costs in line.by_category.items():
            found[category] = found.get(category, Costs()) + costs
    return dict(sorted(found.items()))


def _check_sum(report: CostReport) -> None:
    lines = _sum(line.costs for line in report.lines)
    if lines != report.totals:
        raise CostAnalysisError(
            f"the breakdown of {report.cloud} by {', '.join(report.group_by)} adds up to {lines}, "
            f"its daily rollup to {report.totals}; ingest the period again",
            kind=ErrorKind.INTEGRITY,
            cloud=report.cloud,
        )


def _sum(costs: Iterable[Costs]) -> Costs:
    return functools.reduce(operator.add, costs, Costs())
