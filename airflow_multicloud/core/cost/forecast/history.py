"""What each cloud cost day by day, and which of these days are known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.completeness import days_exported
from airflow_multicloud.core.cost.fx import FX, Rates
from airflow_multicloud.core.cost.money import CostBasis, cents, exact_sum
from airflow_multicloud.months import month_length

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class History:
    """Daily amounts by cloud, converted.

    :param connection: with the views ``costs``, ``rollup`` and ``periods``.
    """

    def __init__(
        self,
        connection: DuckDBPyConnection,
        rates: Rates,
        since: date,
        end: date,
        basis: CostBasis,
    ) -> None:
        bounds = {"start": since, "end": end}
        self._exported = days_exported(connection, since, end)
        self.usage: dict[tuple[str, date], Decimal] = {}
        self.others: dict[tuple[str, date], Decimal] = {}
        for cloud, day, usage, amount in connection.execute(
            f"""WITH {FX}
            SELECT Cloud, ChargeDate, coalesce(ChargeCategory = 'Usage', false) AS usage,
                   sum({basis.column} * rate)
            FROM rollup JOIN fx ON fx_day = ChargeDate AND fx_currency = BillingCurrency
            WHERE ChargeDate >= $start AND ChargeDate < $end GROUP BY ALL""",
            {**bounds, **rates.parameters},
        ).fetchall():
            (self.usage if usage else self.others)[cloud, day] = amount or Decimal(0)
        self.recurring: dict[tuple[str, date], Decimal] = {}
        for cloud, day, amount in connection.execute(
            f"""WITH {FX}
            SELECT Cloud, ChargeDate, sum({basis.column} * rate)
            FROM costs JOIN fx ON fx_day = ChargeDate AND fx_currency = BillingCurrency
            WHERE ChargeFrequency = 'Recurring' AND ChargeCategory <> 'Usage'
              AND ChargeDate >= $start AND ChargeDate < $end GROUP BY ALL""",
            {**bounds, **rates.parameters},
        ).fetchall():
            self.recurring[cloud, day] = amount or Decimal(0)

    def days_of(self, cloud: str) -> list[date]:
        """The days that are known, from the first one with usage on."""
        known, used = self._exported.get(cloud, ([], []))
        return [day for day in known if not used or day >= used[0]]

    def known_days(self, cloud: str, start: date, end: date) -> list[date]:
        """The days of a period that this cloud's exports speak of."""
        return [day for day in self._exported.get(cloud, ([], []))[0] if start <= day < end]

    def ever_charged(self, cloud: str) -> bool:
        """Whether there is any charge in the history or the period."""
        return any(name == cloud for charges in (self.usage, self.others) for name, _ in charges)

    def billed(self, cloud: str, start: date, end: date) -> Decimal:
        """Everything of a period."""
        return exact_sum(
            [
                amount
                for charges in (self.usage, self.others)
                for (name, day), amount in charges.items()
                if name == cloud and start <= day < end
            ]
        )

    def recurring_left(self, cloud: str, last: date, left: Sequence[date]) -> Decimal:
        """Charges of the month before ``last``, on the same days of the month."""
        by_day: dict[int, list[Decimal]] = {}
        month_ago = last - timedelta(days=month_length(last))
        for (of_cloud, day), amount in self.recurring.items():
            if of_cloud == cloud and month_ago < day <= last:
                by_day.setdefault(day.day, []).append(amount)
        expected: list[Decimal] = []
        for day in left:
            if (cloud, day) in self.recurring:
                continue
            length = month_length(day)
            # A charge of the 31st comes on a shorter month's last day.
            numbers = range(day.day, 32) if day.day == length else (day.day,)
            expected.extend(a for number in numbers for a in by_day.get(number, ()))
        return cents(exact_sum(expected))
