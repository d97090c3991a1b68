"""The current snapshot as tables and views of a query engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.cost.focus import COSTS, ROLLUP, TIME
from airflow_multicloud.core.cost.money import CostPeriod
from airflow_multicloud.core.cost.reading import reading_errors
from airflow_multicloud.core.cost.store import overlaps, restatements
from airflow_multicloud.core.cost.store.charges import CHARGE_COLUMNS, charges
from airflow_multicloud.core.cost.store.engine import files_relation, open_engine
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.rollups import rollups
from airflow_multicloud.core.cost.store.snapshot import SETTLED, Period, Snapshot
from airflow_multicloud.core.telemetry import operation

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ROLLUP: Mapping[str, str] = {
    **dict.fromkeys(ROLLUP, "VARCHAR"),
    **dict.fromkeys(("BillingPeriod", "ChargeDate"), "DATE"),
    **dict.fromkeys(COSTS, "DECIMAL(38, 10)"),
    "Charges": "BIGINT",
}

_PERIODS = f"""
    Cloud VARCHAR, Export VARCHAR, BillingPeriod DATE, Version VARCHAR, Style VARCHAR,
    ExportedAt {TIME}, IngestedAt {TIME}, Final BOOLEAN, FirstDay DATE, LastDay DATE, Rows BIGINT
"""


class View(StrEnum):
    """What a connection to the store may have."""

    COSTS = "costs"
    ROLLUP = "rollup"
    PERIODS = "periods"
    RESTATEMENTS = "restatements"
    LEFT_OUT = "left_out"


@contextmanager
def open_views(
    files: Files,
    snapshot: Snapshot,
    *,
    start: date | None,
    end: date | None,
    by: CostPeriod = CostPeriod.CHARGE_DAY,
    views: Collection[View] = tuple(View),
) -> Iterator[DuckDBPyConnection]:
    """A connection with ``costs``, ``rollup``, ``periods``, ``restatements`` and ``left_out``.

    :param start: only charge days from here on.
    :param end: and before this one. Files of other days are not even opened.
    :param by: whether ``start`` and ``end`` are charge days, or of billing periods.
    :param views: only these: making them takes as long as asking a small one.
    """
    where = _where(start, end, by)
    chosen = [_within(period, start, end, by) for period in snapshot.periods]
    with (
        disk_errors(files.directory, "reading the cost store"),
        files.workspace() as spill,
        open_engine(Path(spill)) as engine,
    ):
        with (
            operation("cost.open_store"),
            reading_errors(f"the cost store {files.place('')}"),
        ):
            marked = overlaps.mark(engine, files, snapshot.periods)
            once = [p for p in chosen if p.key not in marked.several]
            twice = [p for p in chosen if p.key in marked.several]
            if View.COSTS in views:
                queries = (_charges(files, once, where), _charges(files, twice, where))
                _view(engine, View.COSTS, CHARGE_COLUMNS, *queries)
            if View.ROLLUP in views:
                queries = (_rollups(files, once, where), _rollups(files, twice, where))
                _view(engine, View.ROLLUP, _ROLLUP, *queries)
            if View.PERIODS in views:
                # An export that ended says nothing of how complete or old the figures are.
                live = [p for p in snapshot.periods if p.key not in marked.idle]
                _periods(engine, live, marked.ended)
            if View.RESTATEMENTS in views:
                _restatements(engine, files, snapshot)
            if View.LEFT_OUT in views:
                overlaps.tell(engine, marked, where)
        with _asking_errors(files):
            yield engine


@contextmanager
def _asking_errors(files: Files) -> Iterator[None]:
    """Have a broken file's errors say that it is one; a wrong query's stay what they are."""
    import duckdb  # optional: extra "cost"

    try:
        yield
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise
    except duckdb.Error:
        with reading_errors(f"the cost store {files.place('')}"):
            raise


def _within(period: Period, start: date | None, end: date | None, by: CostPeriod) -> Period:
    """The period with the days that are asked for."""
    if by is CostPeriod.BILLING_PERIOD:
        month = period.billing_period
        if (start is None or month >= start) and (end is None or month < end):
            return period
        return replace(period, batches=tuple(replace(b, days=()) for b in period.batches))
    batches = tuple(
        replace(
            batch,
            days=tuple(
                day
                for day in batch.days
                if (start is None or day.day >= start) and (end is None or day.day < end)
            ),
        )
        for batch in period.batches
    )
    return replace(period, batches=batches)


def _where(start: date | None, end: date | None, by: CostPeriod) -> str:
    bounds = ((">=", start), ("<", end))
    return " AND ".join(f"{by.column} {sign} DATE '{day}'" for sign, day in bounds if day)


def _charges(files: Files, periods: Sequence[Period], where: str) -> str:
    days = [day for period in periods for day in period.days()]
    return charges(files, days, where=where) if days else ""


def _rollups(files: Files, periods: Sequence[Period], where: str) -> str:
    names = [p.rollup for p in periods if p.rollup and any(True for _ in p.days())]
    return rollups(files, names, where=where) if names else ""


def _view(
    engine: DuckDBPyConnection, name: View, columns: Mapping[str, str], once: str, twice: str
) -> None:
    """A view of two queries; an empty table when there is none.

    :param twice: the one whose rows several exports may have: those that count are taken.
    """
    queries = [query for query in (once, overlaps.counted(twice) if twice else "") if query]
    if queries:
        engine.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(queries)}")
    else:
        engine.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {t}' for c, t in columns.items())})")


def _restatements(engine: DuckDBPyConnection, files: Files, snapshot: Snapshot) -> None:
    engine.execute(f"CREATE TABLE restatements ({restatements.TABLE})")
    if snapshot.restatements is not None:
        log = files_relation(files.local([snapshot.restatements]))
        engine.execute(f"INSERT INTO restatements SELECT * FROM {log}")


def _periods(
    engine: DuckDBPyConnection,
    periods: Sequence[Period],
    ended: Mapping[tuple[str, str, date], Period],
) -> None:
    """The table ``periods``.

    :param ended: those that another export goes on with: that one says as of when they are known.
    """
    engine.execute(f"CREATE TABLE periods ({_PERIODS})")
    rows = []
    for period in periods:
        days = sorted(day.day for day in period.days())
        going_on = ended.get(period.key, period)
        known_at = going_on.complete_at
        final = period.final
        if period.key in ended and not final:
            # Nobody puts an invoice's number on the rows of an export that ended.
            invoiced = not any(day.uninvoiced for day in period.days())
            settled = known_at.date() >= period.following + SETTLED
            final = settled or (invoiced and going_on.final)
        rows.append(
            (
                period.cloud,
                period.export,
                period.billing_period,
                period.version,
                period.style.value,
                known_at,
                period.batches[-1].ingested_at,
                final,
                days[0] if days else None,
                days[-1] if days else None,
                period.rows,
            )
        )
    if rows:
        row = f"({', '.join('?' * len(rows[0]))})"
        # One statement: a prepared one a row takes as long as the smaller questions.
        values = ", ".join([row] * len(rows))
        engine.execute(f"INSERT INTO periods VALUES {values}", list(chain.from_iterable(rows)))
