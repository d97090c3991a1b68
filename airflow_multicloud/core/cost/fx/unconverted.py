"""What could not be converted: shown apart, in its own currency, and in no sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.fx import Rates
from airflow_multicloud.core.cost.money import CostBasis, CostPeriod, Costs, add_costs
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconverted:
    """Charges of one cloud in one currency that no rate converts.

    :param currency: as billed; ``None``: the charges name none.
    :param costs: in that currency.
    :param first: the first such day.
    :param last: the last.
    :param reason: why the first of them has no rate.
    """

    cloud: str
    currency: str | None
    costs: Costs
    first: date
    last: date
    reason: str

    def on(self, basis: CostBasis) -> str:
        """The amount on one basis, for a reader, like ``12.00 TWD``."""
        amount = self.costs.on(basis)
        named = printable(self.currency) if self.currency else "of no currency"
        return f"{amount:.2f} {named}"


def unconverted_costs(
    connection: DuckDBPyConnection,
    rates: Rates,
    start: date,
    end: date,
    *,
    clouds: Sequence[str] | None = None,
    by: CostPeriod = CostPeriod.CHARGE_DAY,
) -> tuple[Unconverted, ...]:
    """The charges that :attr:`Rates.lacking` speaks of; nothing in any currency needs no rate.

    :param connection: with the view ``rollup``.
    :param by: whether ``start`` and ``end`` are charge days or of billing periods.
    """
    if not rates.lacking:
        return ()
    sums = ", ".join(f"sum({basis.column})" for basis in CostBasis)
    rows = connection.execute(
        f"SELECT Cloud, BillingCurrency, ChargeDate, {sums} FROM rollup "
        f"WHERE {by.column} >= $start AND {by.column} < $end "
        "AND ($clouds::VARCHAR[] IS NULL OR list_contains($clouds::VARCHAR[], Cloud)) "
        "GROUP BY ALL ORDER BY ALL",
        {"start": start, "end": end, "clouds": None if clouds is None else list(clouds)},
    ).fetchall()
    found: dict[tuple[str, str | None], list[tuple[date, Costs]]] = {}
    for cloud, currency, day, *amounts in rows:
        costs = Costs.of(amounts)
        if (day, currency) in rates.lacking and costs != Costs():
            found.setdefault((cloud, currency), []).append((day, costs))
    return tuple(
        Unconverted(
            cloud=cloud,
            currency=currency,
            costs=add_costs(costs for _, costs in days),
            first=days[0][0],
            last=days[-1][0],
            reason=rates.lacking[days[0][0], currency],
        )
        for (cloud, currency), days in found.items()
    )
