"""What clouds cost, by the newest reports of each DAG."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from airflow_multicloud.core.pages import moment, money
from airflow_multicloud.plugins.page.recorded import Recorded
from airflow_multicloud.plugins.page.shapes import Told, Unread, facts_as, read_each, told_by

T = TypeVar("T")

#: Larger amounts are no bill.
_MOST = Decimal("1e15")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    name: str
    so_far: Decimal
    before: Decimal | None = None
    expected: Decimal | None = None
    expected_at_least: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    currency: str
    start: str = ""
    end: str = ""
    total: Decimal | None = None
    beside_last: tuple[_Beside, ...] = ()
    anomaly_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    name: str
    amount: Decimal
    currency: str
    period: str
    state: str
    actual: Decimal
    projected: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anomalies:
    anomaly_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Savings:
    recommendations: int
    currency: str
    resource_savings: Decimal
    commitment_savings: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudCost:
    """One cloud, or all of them: amounts as texts."""

    name: str
    so_far: str
    before: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """The newest report of a DAG."""

    told: Told
    at: str
    currency: str
    period: str
    total: str
    clouds: tuple[CloudCost, ...]
    anomalies: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """The newest verdict on a budget.

    :param used: of the amount so far, in percent, at most 100.
    :param coming: what is expected besides, likewise.
    """

    told: Told
    at: str
    name: str
    state: str
    amount: str
    actual: str
    projected: str
    used: float
    coming: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure, and who told it."""

    told: Told
    at: str
    text: str


@dataclass(slots=True)
class DagCosts:
    """All that one DAG tells of costs."""

    dag_id: str
    report: CostReport | None = None
    budgets: tuple[BudgetRow, ...] = ()
    anomalies: Figure | None = None
    savings: Figure | None = None


@dataclass(frozen=True, slots=True)
class CostPage:
    """What the page shows."""

    dags: tuple[DagCosts, ...]
    unread: tuple[Unread, ...]


def costs_of(
    *,
    costed: Iterable[Recorded],
    budgeted: Iterable[Recorded],
    anomalous: Iterable[Recorded],
    advised: Iterable[Recorded],
) -> CostPage:
    """What each DAG tells; each kind is given with the newest first."""
    dags: dict[str, DagCosts] = {}
    unread: list[Unread] = []

    def newest(found: Iterable[Recorded], read: Callable[[Recorded], T]) -> list[tuple[str, T]]:
        good, bad = read_each(found, lambda one: (one.task.dag_id, read(one)))
        unread.extend(bad)
        return good

    def of(dag_id: str) -> DagCosts:
        return dags.setdefault(dag_id, DagCosts(dag_id))

    for dag_id, report in newest(costed, _report):
        of(dag_id).report = of(dag_id).report or report
    for dag_id, budget in newest(budgeted, _budget):
        known = of(dag_id).budgets
        if budget.name not in {one.name for one in known}:
            of(dag_id).budgets = (*known, budget)
    for dag_id, found in newest(anomalous, _found):
        of(dag_id).anomalies = of(dag_id).anomalies or found
    for dag_id, saved in newest(advised, _saved):
        of(dag_id).savings = of(dag_id).savings or saved
    return CostPage(tuple(dags[dag_id] for dag_id in sorted(dags)), tuple(unread))


def _report(one: Recorded) -> CostReport:
    facts = facts_as(_Report, one)
    return CostReport(
        told=told_by(one),
        at=moment(one.at),
        currency=facts.currency,
        period=f"{facts.start} up to {facts.end}" if facts.start and facts.end else "",
        total=_amount(facts.total),
        clouds=tuple(
            CloudCost(
                name=row.name,
                so_far=_amount(row.so_far),
                before=_amount(row.before),
                expected=f"at least {_amount(row.expected_at_least)}"
                if row.expected is None and row.expected_at_least is not None
                else _amount(row.expected),
            )
            for row in facts.beside_last
        ),
        anomalies=facts.anomaly_count,
    )


def _budget(one: Recorded) -> BudgetRow:
    facts = facts_as(_Verdict, one)
    used = _share(facts.actual, facts.amount)
    return BudgetRow(
        told=told_by(one),
        at=moment(one.at),
        name=facts.name,
        state=facts.state,
        amount=f"{_amount(facts.amount)} {facts.currency} a {facts.period}",
        actual=_amount(facts.actual),
        projected=_amount(facts.projected),
        used=used,
        coming=max(0.0, _share(facts.projected, facts.amount) - used),
    )


def _found(one: Recorded) -> Figure:
    count = facts_as(_Anomalies, one).anomaly_count
    return Figure(told=told_by(one), at=moment(one.at), text=f"{count:,}")


def _saved(one: Recorded) -> Figure:
    facts = facts_as(_Savings, one)
    text = (
        f"{_amount(facts.resource_savings)} {facts.currency} a month on resources, "
        f"{_amount(facts.commitment_savings)} {facts.currency} on commitments, by "
        f"{facts.recommendations:,} recommendations"
    )
    return Figure(told=told_by(one), at=moment(one.at), text=text)


def _amount(given: Decimal | None) -> str:
    if given is None:
        return ""
    if not given.is_finite() or abs(given) > _MOST:
        raise ValueError(f"an amount is {str(given)[:40]}, which no bill has")
    return money(given)


def _share(part: Decimal, whole: Decimal) -> float:
    """In percent of the whole, from 0 to 100."""
    _amount(part), _amount(whole)
    return 0.0 if whole <= 0 else float(min(max(part / whole, Decimal(0)), Decimal(1)) * 100)
