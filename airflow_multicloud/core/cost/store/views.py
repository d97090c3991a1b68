"""The current snapshot as tables and views of a query engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.cost.focus import COSTS, ROLLUP, TIME
from airflow_multicloud.core.cost.store import restatements
from airflow_multicloud.core.cost.store.charges import CHARGE_COLUMNS, charges
from airflow_multicloud.core.cost.store.engine import files_relation, open_engine
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.snapshot import Period, Snapshot

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


@contextmanager
def open_views(
    files: Files,
    snapshot: Snapshot,
    *,
    start: date | None,
    end: date | None,
    views: Collection[View] = tuple(View),
) -> Iterator[DuckDBPyConnection]:
    """A connection with ``costs``, ``rollup``, ``periods`` and ``restatements``.

    :param start: only charge days from here on; :param end: and before this one. Files of
        other days are not even opened.
    :param views: only these: making them takes as long as asking a small one.
    """
    where = _where(start, end)
    chosen = [_within(period, start, end) for period in snapshot.periods]
    with (
        disk_errors(files.directory, "reading the cost store"),
        files.workspace() as spill,
        open_engine(Path(spill)) as engine,
    ):
        if View.COSTS in views:
            days = [day for period in chosen for day in period.days()]
            _view(engine, View.COSTS, CHARGE_COLUMNS, charges(files, days, where=where))
        if View.ROLLUP in views:
            rollups = [p.rollup for p in chosen if any(True for _ in p.days())]
            _view(engine, View.ROLLUP, _ROLLUP, _rollups(files, rollups, where))
        if View.PERIODS in views:
            _periods(engine, snapshot)
        if View.RESTATEMENTS in views:
            _restatements(engine, files, snapshot)
        yield engine


def _within(period: Period, start: date | None, end: date | None) -> Period:
    """The period with the days that are asked for."""
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


def _where(start: date | None, end: date | None) -> str:
    bounds = ((">=", start), ("<", end))
    return " AND ".join(f"ChargeDate {sign} DATE '{day}'" for sign, day in bounds if day)


def _rollups(files: Files, names: Sequence[str], where: str) -> str:
    if not names:
        return ""
    condition = f" WHERE {where}" if where else ""
    relation = files_relation(files.local(names))
    return f"SELECT {', '.join(_ROLLUP)} FROM {relation}{condition}"


def _view(engine: DuckDBPyConnection, name: View, columns: Mapping[str, str], query: str) -> None:
    """A view of a query; an empty table when there is none."""
    if query:
        engine.execute(f"CREATE VIEW {name} AS {query}")
    else:
        engine.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {t}' for c, t in columns.items())})")


def _restatements(engine: DuckDBPyConnection, files: Files, snapshot: Snapshot) -> None:
    engine.execute(f"CREATE TABLE restatements ({restatements.TABLE})")
    if snapshot.restatements is not None:
        log = files_relation(files.local([snapshot.restatements]))
        engine.execute(f"INSERT INTO restatements SELECT * FROM {log}")


def _periods(engine: DuckDBPyConnection, snapshot: Snapshot) -> None:
    engine.execute(f"CREATE TABLE periods ({_PERIODS})")
    rows = []
    for period in snapshot.periods:
        days = sorted(day.day for day in period.days())
        rows.append(
            (
                period.cloud,
                period.export,
                period.billing_period,
                period.version,
                period.style.value,
                period.exported_at,
                period.batches[-1].ingested_at,
                _final(period),
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


def _final(period: Period) -> bool:
    """Whether the month is over and every row of it is on an invoice."""
    over = (period.billing_period + timedelta(days=31)).replace(day=1)
    return period.invoiced and period.exported_at.date() >= over
