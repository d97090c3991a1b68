"""Which cloud's bill is the smallest, when that can be said.

This ranks what was *spent*, per day. It does not say which cloud is cheapest: two clouds that run
different work are not like for like. For one workload's price on each cloud see
:mod:`airflow_multicloud.core.cost.prices.workload`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from airflow_multicloud.core.cost.compare.comparison import CostReport
from airflow_multicloud.core.cost.figures import Figure
from airflow_multicloud.core.cost.money import cents
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedCloud:
    """One cloud's place.

    :param figure: all charges but taxes and credits, of the days that the bill speaks of
        (:attr:`~airflow_multicloud.core.cost.figures.Coverage.days_counted`).
    :param per_day: the figure divided by the number of these days, used or not, rounded
        half-even to 0.01: what is ranked, so that a bill that lacks days does not look small.
    """

    cloud: str
    figure: Figure
    per_day: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallestBill:
    """The verdict.

    :param clouds: more than one when they tie; empty when none can be ranked.
    :param ranking: smallest first.
    :param unranked: cloud → why it is not in the ranking.
    :param estimated: some ranked figure is not final or lacks days.
    """

    clouds: tuple[str, ...]
    ranking: tuple[RankedCloud, ...]
    unranked: dict[str, str]
    estimated: bool

    def __str__(self) -> str:
        if not self.clouds:
            return "no cloud can be ranked: " + "; ".join(
                f"{cloud}: {why}" for cloud, why in self.unranked.items()
            )
        best = self.ranking[0]
        return (
            f"{' and '.join(self.clouds)} at {best.per_day} {best.figure.currency} a day"
            f"{' (estimated)' if self.estimated else ''}"
        )


@operation("cost.smallest_bill")
def get_smallest_bill(reports: Sequence[CostReport]) -> SmallestBill:
    """The cloud that charged least per day, taxes and credits apart.

    :param reports: one per cloud, of one comparison: same currency, basis and period.
    :raises CostAnalysisError: kind ``invalid_argument`` when there is no report, a cloud
        comes twice, or currency, basis or period differ.
    """
    if not reports:
        raise CostAnalysisError(
            "reports is empty: no cloud has data to compare", kind=ErrorKind.INVALID_ARGUMENT
        )
    _check_same("currency", reports, lambda r: r.currency)
    _check_same("basis", reports, lambda r: r.basis)
    _check_same("period", reports, lambda r: f"{r.start} to before {r.end}")
    clouds = [report.cloud for report in reports]
    if len(set(clouds)) != len(clouds):
        raise CostAnalysisError(
            f"reports has a cloud twice: {', '.join(clouds)}", kind=ErrorKind.INVALID_ARGUMENT
        )
    ranking: list[RankedCloud] = []
    unranked: dict[str, str] = {}
    for report in reports:
        figure, days = report.counted, report.coverage.days_counted
        if not days:
            unranked[report.cloud] = "no day was over when it was exported"
        elif figure.without:
            unranked[report.cloud] = f"no rate converts {', '.join(figure.without)} of it"
        elif figure.amount <= 0:
            unranked[report.cloud] = f"its {report.basis} cost is {figure.rounded()}"
        else:
            per_day = cents(figure.amount / days)
            ranking.append(RankedCloud(cloud=report.cloud, figure=figure, per_day=per_day))
    ranking.sort(key=lambda r: (r.per_day, r.cloud))
    return SmallestBill(
        clouds=tuple(r.cloud for r in ranking if r.per_day == ranking[0].per_day),
        ranking=tuple(ranking),
        unranked=unranked,
        estimated=any(r.figure.estimated for r in ranking),
    )


def _check_same(
    what: str, reports: Sequence[CostReport], value: Callable[[CostReport], str]
) -> None:
    found = {report.cloud: value(report) for report in reports}
    if len({value(report) for report in reports}) > 1:
        listed = ", ".join(f"{cloud}: {text}" for cloud, text in found.items())
        raise CostAnalysisError(
            f"reports differ in {what} ({listed}); compare them again, all in one",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
