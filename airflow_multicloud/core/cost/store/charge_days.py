"""What each charge day of an export's files holds, before anything of it is written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.focus import COLUMNS, COSTS, quoted
from airflow_multicloud.core.cost.reading import (
    READER_VERSION,
    Source,
    check_required,
    check_values,
)
from airflow_multicloud.core.cost.store.snapshot import YEARS, Totals
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class ChargeDay:
    """One charge day of the files that are being ingested.

    :param content: is another one when any row of the day is.
    :param uninvoiced: rows that are on no invoice yet.
    """

    day: date
    content: str
    rows: int
    uninvoiced: int
    totals: Totals


def read_days(engine: DuckDBPyConnection, source: Source, what: str) -> list[ChargeDay]:
    """One pass over the files.

    :param what: what they are, for errors.
    :raises CostAnalysisError: kind ``integrity`` for a value that can't be read, a row without a
        required one, and a day that no bill has.
    """
    columns = ", ".join(quoted(name) for name in sorted(source.columns))
    sums = ", ".join(f"sum({source.cast(cost)})" for cost in COSTS)
    invoice = source.cast("InvoiceId")
    required = [c for c in COLUMNS if c.required]
    empty = ", ".join(f"count(*) FILTER ({source.raw(c)} IS NULL)" for c in required)
    # The sum, unlike xor, tells rows that are there twice from none.
    query = f"""
        SELECT CAST({source.day()} AS VARCHAR) AS day,
               {source.cast("BillingCurrency")} AS currency, count(*),
               count(*) FILTER ({invoice} IS NULL),
               sum(CAST(hash({columns}) AS HUGEINT)), {sums}, {empty}
        FROM {source.relation} GROUP BY ALL ORDER BY ALL
    """
    rows = execute(engine, source, query, what)
    width = len(required)
    counts = [sum(row[index - width] for row in rows) for index in range(width)]
    check_required(dict(zip(required, counts, strict=True)), what)
    days: dict[date, list[tuple[Any, ...]]] = {}
    for day, *rest in rows:
        days.setdefault(_charge_day(day, what), []).append(tuple(rest[:-width]))
    version = f"{READER_VERSION}/{engine.execute('SELECT version()').fetchall()[0][0]}"
    return [
        ChargeDay(
            day=day,
            content=f"{version}:" + ",".join(f"{g[0]}={g[3]}" for g in groups),
            rows=sum(g[1] for g in groups),
            uninvoiced=sum(g[2] for g in groups),
            totals={g[0]: _four(g[4:]) for g in groups},
        )
        for day, groups in days.items()
    ]


def execute(
    engine: DuckDBPyConnection, source: Source, query: str, what: str
) -> list[tuple[Any, ...]]:
    """Run a query over the files.

    :raises CostAnalysisError: kind ``integrity``, naming the value that can't be read.
    """
    import duckdb  # optional: extra "cost"

    try:
        return engine.execute(query).fetchall()
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        check_values(engine, source, what)
        raise


def _charge_day(text: str, what: str) -> date:
    """A day as the engine shows it, which knows more of them than a bill can have."""
    with suppress(ValueError):
        day = date.fromisoformat(text)
        if day.year in YEARS:
            return day
    raise CostAnalysisError(
        f"{what}: column ChargePeriodStart has the day {text}, which no bill has",
        kind=ErrorKind.INTEGRITY,
    )


def _four(values: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    billed, effective, listed, contracted = values
    return billed, effective, listed, contracted
