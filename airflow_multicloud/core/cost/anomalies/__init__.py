"""Days on which a service of an account cost far more than its own past explains.

A series is the daily usage cost of one (cloud, account, service). Each day is compared with the
fourteen weeks before it; :mod:`airflow_multicloud.core.cost.anomalies.surprises` says how. Only
usage is looked at, so purchases, taxes and credits never alarm; nor does a day that was not over
when the cloud exported.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from airflow_multicloud.core.cost.anomalies.scores import (
    MIN_HISTORY,
    Sensitivity,
    judged_days,
    score_days,
)
from airflow_multicloud.core.cost.anomalies.surprises import WINDOW
from airflow_multicloud.core.cost.completeness import check_clouds
from airflow_multicloud.core.cost.fx import ExchangeRates, needed_rates
from airflow_multicloud.core.cost.fx.unconverted import Unconverted, unconverted_costs
from airflow_multicloud.core.cost.money import (
    CostBasis,
    cents,
    check_period,
    checked_basis,
    checked_currency,
    exact_difference,
    exact_sum,
)
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["MIN_HISTORY", "WINDOW", "Anomalies", "Anomaly", "Sensitivity", "find_anomalies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """Consecutive anomalous days of one series.

    :param actual: what the days cost together, exactly.
    :param expected: what their past explains, rounded to 0.01.
    :param score: the largest of the days'.
    :param new: the series had no cost at all in the weeks before.
    """

    cloud: str
    sub_account_id: str
    service_name: str
    first_day: date
    last_day: date
    actual: Decimal
    expected: Decimal
    currency: str
    basis: CostBasis
    score: float
    new: bool

    DOCUMENT: ClassVar = Document(
        (
            *("cloud", "service_name", "sub_account_id", "first_day", "last_day"),
            *("actual", "expected", "currency", "new"),
        )
    )

    @property
    def excess(self) -> Decimal:
        """What the days cost above the expected."""
        return exact_difference(self.actual, self.expected)

    def __str__(self) -> str:
        days = str(self.first_day)
        if self.last_day != self.first_day:
            days += f" to {self.last_day}"
        return (
            f"{self.cloud} {self.service_name} ({self.sub_account_id}) {days}: "
            f"{cents(self.actual)} {self.currency} where {self.expected} were expected"
            f"{' (new)' if self.new else ''}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomalies:
    """What was found, and what could not be looked at.

    :param found: largest excess first.
    :param days_checked: cloud → days that were judged.
    :param unchecked: cloud → why none was: "could not check" is not "nothing found".
    :param unconverted: of the days judged; not looked at, as no rate converts them.
    """

    found: tuple[Anomaly, ...]
    days_checked: dict[str, int]
    unchecked: dict[str, str]
    unconverted: tuple[Unconverted, ...] = ()


@operation("cost.find_anomalies")
def find_anomalies(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    currency: str,
    basis: CostBasis = CostBasis.EFFECTIVE,
    sensitivity: Sensitivity | None = None,
    clouds: Sequence[str] | None = None,
    rates: ExchangeRates | None = None,
) -> Anomalies:
    """The anomalies from ``start`` to before ``end``.

    :param connection: with the views ``rollup`` and ``periods``; the fourteen weeks
        before ``start`` should be in them, at least three weeks must.
    :param clouds: those looked at; ``None``: all that were ever ingested.
    :raises CostAnalysisError: kind ``invalid_argument`` for a bad parameter; ``not_found``
        when no charge at all can be converted.
    """
    basis = checked_basis(basis)
    checked_currency("currency", currency)
    check_period(start, end)
    limits = sensitivity or Sensitivity()
    check_clouds(clouds)
    needed = needed_rates(
        connection, start - WINDOW, end, currency, rates or ExchangeRates(), clouds=clouds
    )
    judged, unchecked = judged_days(connection, start, end, clouds)
    scored = score_days(
        connection, start, end, basis=basis, limits=limits, rates=needed, judged=judged
    )
    days = [
        Anomaly(
            cloud=one.cloud,
            sub_account_id=one.account,
            service_name=one.service,
            first_day=one.day,
            last_day=one.day,
            actual=one.cost,
            expected=cents(one.expected),
            currency=currency,
            basis=basis,
            score=round(one.score, 2),
            new=one.new,
        )
        for one in scored
    ]
    found = sorted(_episodes(days), key=lambda a: (-a.excess, a.cloud, a.service_name))
    return Anomalies(
        found=tuple(found),
        days_checked={cloud: len(days) for cloud, days in judged.items()},
        unchecked=unchecked,
        unconverted=unconverted_costs(connection, needed, start, end, clouds=clouds),
    )


def _episodes(days: Iterable[Anomaly]) -> list[Anomaly]:
    """Join consecutive days of a series; the days come in order."""
    episodes: list[Anomaly] = []
    for _, group in itertools.groupby(
        days, key=lambda a: (a.cloud, a.sub_account_id, a.service_name)
    ):
        run: list[Anomaly] = []
        for day in group:
            if run and day.first_day - run[-1].last_day > timedelta(days=1):
                episodes.append(_joined(run))
                run = []
            run.append(day)
        episodes.append(_joined(run))
    return episodes


def _joined(run: Sequence[Anomaly]) -> Anomaly:
    first = run[0]
    return Anomaly(
        cloud=first.cloud,
        sub_account_id=first.sub_account_id,
        service_name=first.service_name,
        first_day=first.first_day,
        last_day=run[-1].last_day,
        actual=exact_sum([day.actual for day in run]),
        expected=exact_sum([day.expected for day in run]),
        currency=first.currency,
        basis=first.basis,
        score=max(day.score for day in run),
        new=first.new,
    )
