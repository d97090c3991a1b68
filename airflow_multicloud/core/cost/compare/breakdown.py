"""The sums behind a comparison, converted per charge day by the query engine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.compare.comparison import NOT_COMPARED, CostLine
from airflow_multicloud.core.cost.dimensions import OTHER, Grouping
from airflow_multicloud.core.cost.fx import FX, Rates
from airflow_multicloud.core.cost.money import CostBasis, CostPeriod, Costs
from airflow_multicloud.core.cost.store.views import View

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SUMS = ", ".join(f"sum({basis.column}) AS {basis.column}" for basis in CostBasis)
_CONVERTED = ", ".join(f"sum({basis.column} * rate) AS {basis.column}" for basis in CostBasis)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which charges are summed up, and what converts them.

    :param by: whether ``start`` and ``end`` are charge days or billing periods.
    """

    start: date
    end: date
    clouds: tuple[str, ...]
    by: CostPeriod
    rates: Rates

    @property
    def where(self) -> str:
        """As a condition in SQL, which takes :attr:`parameters`."""
        day = self.by.column
        return f"{day} >= $start AND {day} < $end AND list_contains($clouds::VARCHAR[], Cloud)"

    @property
    def parameters(self) -> dict[str, object]:
        """Of the condition and of :data:`~airflow_multicloud.core.cost.fx.FX`."""
        bounds = {"start": self.start, "end": self.end, "clouds": list(self.clouds)}
        return {**bounds, **self.rates.parameters}


def costs_by_category(connection: DuckDBPyConnection, asked: Asked) -> dict[str, dict[str, Costs]]:
    """Cloud → FOCUS ChargeCategory → costs, of the daily rollup."""
    rows = connection.execute(
        f"""WITH {FX}
        SELECT Cloud, coalesce(ChargeCategory, '(none)'), {_CONVERTED}
        FROM rollup JOIN fx ON fx_day = ChargeDate AND fx_currency = BillingCurrency
        WHERE {asked.where} GROUP BY ALL ORDER BY ALL""",
        asked.parameters,
    ).fetchall()
    found: dict[str, dict[str, Costs]] = {}
    for cloud, category, *amounts in rows:
        found.setdefault(cloud, {})[category] = Costs.of(amounts)
    return found


def costs_not_counted(
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


def lines_by_cloud(
    connection: DuckDBPyConnection,
    grouping: Grouping,
    asked: Asked,
    basis: CostBasis,
    limit: int | None,
) -> dict[str, list[CostLine]]:
    """Cloud → its breakdown, most expensive first.

    :param limit: lines per cloud; the rest is summed up as ``(other)``.
    """
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
            FROM {grouping.source} WHERE {asked.where} GROUP BY ALL
        ), converted AS (
            SELECT cloud, {keys}, category, {_CONVERTED}, sum(charges)::BIGINT AS charges
            FROM daily JOIN fx ON fx_day = day AND fx_currency = billed_in GROUP BY ALL
        )
        {limited if limit else "SELECT * FROM converted"}""",
        {**asked.parameters, **grouping.parameters},
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


def totals_of(lines: Iterable[CostLine]) -> dict[str, Costs]:
    """The lines' sums by charge category."""
    found: dict[str, Costs] = {}
    for line in lines:
        for category, costs in line.by_category.items():
            found[category] = found.get(category, Costs()) + costs
    return dict(sorted(found.items()))
