"""A bill of any size, from its options alone, and its totals."""
# ruff: noqa: S608 - the texts in these queries are the generator's own

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.testing.bills.columns import VERSION
from airflow_multicloud.testing.bills.options import BillOptions, Restatement, check_target
from airflow_multicloud.testing.bills.rows import create_bill

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What totals are known by; the last two are the tags' values.
DIMENSIONS: Mapping[str, str] = {
    "BillingCurrency": "BillingCurrency",
    "ServiceName": "ServiceName",
    "ServiceCategory": "ServiceCategory",
    "ChargeCategory": "ChargeCategory",
    "ChargeDate": "strftime(ChargePeriodStart AT TIME ZONE 'UTC', '%Y-%m-%d')",
    "SubAccountId": "SubAccountId",
    "RegionId": "RegionId",
    "airflow-dag": """Tags ->> '$."airflow-dag"'""",
    "airflow-task": """Tags ->> '$."airflow-task"'""",
}


@dataclass(frozen=True, slots=True)
class Costs:
    """The four sums of some rows, exact, and how many rows they are."""

    billed_cost: Decimal
    effective_cost: Decimal
    list_cost: Decimal
    contracted_cost: Decimal
    rows: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a bill adds up to, in ``currency``.

    :param by: dimension (see ``DIMENSIONS``) → its values (``None``: rows without one) → sums.
    """

    cloud: str
    currency: str
    total: Costs
    by: Mapping[str, Mapping[str | None, Costs]]


@dataclass(frozen=True, slots=True)
class Bill:
    """One version of one cloud's bill of one month; holds nothing but what it is made from."""

    options: BillOptions
    restatements: tuple[Restatement, ...] = ()

    @property
    def version(self) -> int:
        """How often it was restated."""
        return len(self.restatements)

    def restate(self, restatement: Restatement) -> Bill:
        """The next version of this bill.

        ``REPLACE``: the service's usage of that day has other amounts, all other rows are the
        same. ``APPEND``: each such row is followed by its reversal and a new charge.
        ``ADJUST``: by a row with the difference. Rows that a commitment covers, credits and
        taxes are left as they are.

        :raises ValueError: when the bill has no such service or day.
        """
        check_target(self.options, restatement.service, restatement.day, restatement.factor)
        return replace(self, restatements=(*self.restatements, restatement))

    def totals(self, *, since: int = 0) -> Totals:
        """What it adds up to.

        :param since: only of rows that this version and later ones added (styles that append).
        """
        with open_bill(self) as connection:
            return sum_rows(connection, self, f'SELECT * FROM bill WHERE "{VERSION}" >= {since}')


@contextmanager
def open_bill(
    bill: Bill, *, threads: int = 2, memory_limit: str = "1GB"
) -> Iterator[DuckDBPyConnection]:
    """An in-memory DuckDB with the view ``bill``: FOCUS 1.2 columns, ``x_Row``, ``x_Version``.

    ``x_Version`` is the version that a row came with (0, unless a correction was appended).
    Rows are made while they are read, so memory does not grow with their number.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {threads}")
        connection.execute(f"SET memory_limit = '{memory_limit}'")
        connection.execute("SET TimeZone = 'UTC'")
        # As written, so that rows come in the order of their numbers whatever their count.
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        create_bill(connection, bill.options, bill.restatements)
        yield connection


def sum_rows(connection: DuckDBPyConnection, bill: Bill, rows: str) -> Totals:
    """The totals of ``rows``, a query with FOCUS columns and JSON text in Tags."""
    names = list(DIMENSIONS)
    values = ", ".join(f'{sql} AS "{name}"' for name, sql in DIMENSIONS.items())
    sets = ", ".join(f'("{name}")' for name in names)
    grouping = " ".join(f"WHEN grouping(\"{name}\") = 0 THEN '{name}'" for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    found = connection.execute(
        f"SELECT CASE {grouping} END, coalesce({quoted}), sum(BilledCost), sum(EffectiveCost), "
        f"sum(ListCost), sum(ContractedCost), count(*) FROM (SELECT BilledCost, EffectiveCost, "
        f"ListCost, ContractedCost, {values} FROM ({rows})) GROUP BY GROUPING SETS ((), {sets})"
    ).fetchall()
    by: dict[str, dict[str | None, Costs]] = {name: {} for name in names}
    total = Costs(Decimal(0), Decimal(0), Decimal(0), Decimal(0), 0)
    for dimension, value, billed, effective, listed, contracted, count in found:
        if not count:
            continue
        costs = Costs(billed, effective, listed, contracted, count)
        if dimension is None:
            total = costs
        else:
            by[dimension][value] = costs
    options = bill.options
    return Totals(options.cloud, options.currency, total, by)
