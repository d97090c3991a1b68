"""What clouds cost, as an answer: each cloud's report, broken down, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from airflow_multicloud.core.cost.figures import Coverage, Figure, FxNote, add_figures
from airflow_multicloud.core.cost.focus import ChargeCategory
from airflow_multicloud.core.cost.fx.unconverted import Unconverted
from airflow_multicloud.core.cost.money import (
    CostBasis,
    CostPeriod,
    Costs,
    add_costs,
    exact_difference,
)
from airflow_multicloud.core.cost.store.overlaps import Overlap

#: Not part of what clouds are compared on: they follow from contract and country, not use.
NOT_COMPARED = frozenset({ChargeCategory.TAX, ChargeCategory.CREDIT})


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
        return add_costs(self.by_category.values())


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
        return add_costs(self.by_category.values())

    @property
    def total(self) -> Figure:
        """All charges on the report's basis."""
        return self._figure(self.totals)

    @property
    def compared(self) -> Figure:
        """What clouds are compared on: all charges but taxes and credits."""
        return self._figure(
            add_costs(c for category, c in self.by_category.items() if category not in NOT_COMPARED)
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
