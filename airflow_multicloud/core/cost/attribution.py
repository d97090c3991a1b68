"""What each DAG and task cost, from the labels and tags in the bill.

Labels that are understood, with ``-``, ``_``, ``:`` or ``/`` between the words, any case and any
prefix that an export adds (``resourceTags/``, ``user:``):

=========  ================================  =============================================
of the     key                               set by
=========  ================================  =============================================
DAG        ``airflow-dag``                   BigQuery operators of Airflow's Google provider;
                                             this package (:mod:`airflow_multicloud.labels`)
           ``airflow-dag-id``                its Dataproc batch operator
task       ``airflow-task``, ``…-task-id``   the same
run        ``airflow-run``, ``…-run-id``     this package, on BigQuery jobs
=========  ================================  =============================================

Airflow's Amazon provider tags no resource: it puts ``DagRunKey/<uuid>`` into the user agent of
its requests, which is in CloudTrail but in no bill. What carries no label is never left out: it
is the unexplained rest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.compare import compare_costs
from airflow_multicloud.core.cost.compare.comparison import CostComparison
from airflow_multicloud.core.cost.dimensions import NONE
from airflow_multicloud.core.cost.figures import Figure
from airflow_multicloud.core.cost.focus import ChargeCategory
from airflow_multicloud.core.cost.fx import FX, ExchangeRates, needed_rates
from airflow_multicloud.core.cost.fx.unconverted import Unconverted
from airflow_multicloud.core.cost.money import CostBasis, exact_difference, exact_sum, percent
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.labels import KnownIds, comparable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KEY = re.compile(r"(?:^|-)airflow-(dag|task|run)(?:-id)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCost:
    """The labelled charges of one task; ``(none)`` where the label is not there.

    :param amount: of all charges that carry the label, on the attribution's basis.
    """

    cloud: str
    dag_id: str
    task_id: str
    run_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAttribution:
    """One cloud's bill, explained and not: attributed + unexplained_usage + other = total.

    :param unexplained_usage: usage without a DAG's label.
    :param other: taxes, credits, purchases and adjustments without one, which can't carry it.
    """

    cloud: str
    total: Figure
    attributed: Decimal
    unexplained_usage: Decimal
    other: Decimal

    @property
    def coverage_percent(self) -> Decimal | None:
        """How much of what could carry a label does; ``None`` when nothing could."""
        return _percent(self.attributed, self.unexplained_usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The whole bill by DAG.

    :param tasks: most expensive first.
    :param missing: cloud → why there is no bill to attribute.
    :param unconverted: in no sum, as no rate converts it.
    """

    start: date
    end: date
    currency: str
    basis: CostBasis
    tasks: tuple[TaskCost, ...]
    clouds: tuple[CloudAttribution, ...]
    missing: dict[str, str]
    unconverted: tuple[Unconverted, ...] = ()

    @property
    def unexplained_usage(self) -> Decimal:
        """Usage of all clouds without a DAG's label."""
        return exact_sum([cloud.unexplained_usage for cloud in self.clouds])

    @property
    def coverage_percent(self) -> Decimal | None:
        """Of all clouds; ``None`` when there is no usage."""
        return _percent(exact_sum([c.attributed for c in self.clouds]), self.unexplained_usage)

    def by_dag(self) -> dict[str, Decimal]:
        """DAG → cost on all clouds, most expensive first."""
        sums: dict[str, list[Decimal]] = {}
        for task in self.tasks:
            sums.setdefault(task.dag_id, []).append(task.amount)
        totals = {dag_id: exact_sum(amounts) for dag_id, amounts in sums.items()}
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True, slots=True)
class _LabelKeys:
    dag: list[str]
    task: list[str]
    run: list[str]


@operation("cost.attribute")
def attribute_costs(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    currency: str,
    basis: CostBasis = CostBasis.EFFECTIVE,
    clouds: Sequence[str] | None = None,
    dag_ids: Collection[str] = (),
    rates: ExchangeRates | None = None,
) -> Attribution:
    """The bill by DAG, task and run.

    :param connection: with the views ``costs``, ``rollup`` and ``periods``.
    :param dag_ids: the real ids. Labels allow fewer characters than ids do, and shorter ones, so
        a label that fits exactly one of them is shown as that id; the others as they are.
    :raises CostAnalysisError: as
        :func:`~airflow_multicloud.core.cost.compare.compare_costs` does.
    """
    rates = rates or ExchangeRates()
    bill = compare_costs(
        connection,
        start,
        end,
        currency=currency,
        basis=basis,
        group_by=("Cloud",),
        clouds=clouds,
        rates=rates,
    )
    rows = _labelled(connection, bill, rates)
    ids = KnownIds(dag_ids)
    amounts: dict[tuple[str, str, str, str], list[Decimal]] = {}
    for cloud, dag, task, run, _, amount in rows:
        key = (cloud, ids.named(dag), task, run)
        amounts.setdefault(key, []).append(amount)
    tasks = [
        TaskCost(cloud=c, dag_id=dag, task_id=task, run_id=run, amount=exact_sum(parts))
        for (c, dag, task, run), parts in amounts.items()
    ]
    tasks.sort(key=lambda t: (-t.amount, t.cloud, t.dag_id, t.task_id, t.run_id))
    attributions: list[CloudAttribution] = []
    for report in bill.reports:
        mine = [(row[4], row[5]) for row in rows if row[0] == report.cloud]
        attributed = exact_sum([amount for _, amount in mine])
        labelled_usage = exact_sum([a for kind, a in mine if kind == ChargeCategory.USAGE])
        rest = exact_difference(report.category(ChargeCategory.USAGE).amount, labelled_usage)
        attributions.append(
            CloudAttribution(
                cloud=report.cloud,
                total=report.total,
                attributed=attributed,
                unexplained_usage=rest,
                other=exact_difference(report.total.amount, attributed, rest),
            )
        )
    return Attribution(
        start=start,
        end=end,
        currency=currency,
        basis=bill.basis,
        tasks=tuple(tasks),
        clouds=tuple(attributions),
        missing=dict(bill.missing),
        unconverted=bill.unconverted,
    )


def _labelled(
    connection: DuckDBPyConnection, bill: CostComparison, rates: ExchangeRates
) -> list[tuple[str, str, str, str, str, Decimal]]:
    """Cloud, DAG, task, run, category and amount of the charges with a DAG's label."""
    where = (
        "ChargeDate >= $start AND ChargeDate < $end AND list_contains($clouds::VARCHAR[], Cloud)"
    )
    asked: dict[str, Any] = {
        "start": bill.start,
        "end": bill.end,
        "clouds": [report.cloud for report in bill.reports],
    }
    present = connection.execute(
        f"SELECT DISTINCT unnest(map_keys(Tags)) FROM costs WHERE {where}", asked
    ).fetchall()
    keys = _label_keys(key for (key,) in present)
    if not keys.dag:
        return []
    needed = needed_rates(
        connection, bill.start, bill.end, bill.currency, rates, clouds=asked["clouds"]
    )
    column = bill.basis.column
    dag, task, run = (
        _value(name, len(of))
        for name, of in zip(("dag", "task", "run"), astuple(keys), strict=True)
    )
    return connection.execute(
        f"""WITH {FX}, daily AS (
            SELECT Cloud, {dag} AS dag, {task} AS task, {run} AS run,
                   coalesce(ChargeCategory, '{NONE}') AS category,
                   ChargeDate, BillingCurrency, sum({column}) AS amount
            FROM costs WHERE {where} AND list_has_any(map_keys(Tags), $dag::VARCHAR[])
            GROUP BY ALL
        )
        SELECT Cloud, dag, task, run, category, sum(amount * rate)
        FROM daily JOIN fx ON fx_day = ChargeDate AND fx_currency = BillingCurrency
        WHERE dag <> '{NONE}' GROUP BY ALL ORDER BY ALL""",
        {
            **asked,
            **needed.parameters,
            **{name: of for name, of in asdict(keys).items() if of},
        },
    ).fetchall()


def _value(name: str, number: int) -> str:
    """SQL: the value of the first of the keys that a charge has."""
    tries = [f"nullif(element_at(Tags, ${name}[{n + 1}])[1], '')" for n in range(number)]
    return f"coalesce({', '.join([*tries, repr(NONE)])})"


def _label_keys(present: Iterable[str]) -> _LabelKeys:
    found = _LabelKeys([], [], [])
    for key in sorted(present):
        match = _KEY.search(comparable(key))
        if match:
            {"dag": found.dag, "task": found.task, "run": found.run}[match[1]].append(key)
    return found


def _percent(part: Decimal, rest: Decimal) -> Decimal | None:
    return percent(part, exact_sum([part, rest]))
