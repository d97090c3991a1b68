"""The current snapshot as tables and views of a query engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.focus import COLUMNS, COSTS, ROLLUP, TIME
from airflow_multicloud.core.cost.store import restatements
from airflow_multicloud.core.cost.store.engine import files_relation, open_engine
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.snapshot import Period, Snapshot

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_STORE_TYPES = {"BillingPeriod": "DATE", "ChargeDate": "DATE"}

_PERIODS = f"""
    Cloud VARCHAR, Export VARCHAR, BillingPeriod DATE, Version VARCHAR, Style VARCHAR,
    ExportedAt {TIME}, IngestedAt {TIME}, Final BOOLEAN, FirstDay DATE, LastDay DATE, Rows BIGINT
"""


@contextmanager
def open_views(
    files: Files, snapshot: Snapshot, *, start: date | None, end: date | None
) -> Iterator[DuckDBPyConnection]:
    """A connection with ``costs``, ``rollup``, ``periods`` and ``restatements``.

    :param start: only charge days from here on; :param end: and before this one. Files of
        other days are not even opened.
    """
    with files.workspace() as spill, open_engine(Path(spill)) as engine:
        chosen = [_within(period, start, end) for period in snapshot.periods]
        _view(engine, files, "costs", _costs_columns(), _day_files(chosen), start, end)
        rollups = [p.rollup for p in chosen if any(True for _ in p.days())]
        _view(engine, files, "rollup", _rollup_columns(), rollups, start, end)
        _periods(engine, snapshot)
        engine.execute(f"CREATE TABLE restatements ({restatements.TABLE})")
        if snapshot.restatements is not None:
            log = files_relation(files.local([snapshot.restatements]))
            engine.execute(f"INSERT INTO restatements SELECT * FROM {log}")
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


def _day_files(periods: list[Period]) -> list[str]:
    return [name for period in periods for day in period.days() for name in day.files]


def _costs_columns() -> dict[str, str]:
    stored = {"Cloud": "VARCHAR", "Export": "VARCHAR", "BillingPeriod": "DATE"}
    return {**stored, **{c.name: c.type for c in COLUMNS}, "ChargeDate": "DATE"}


def _rollup_columns() -> dict[str, str]:
    dimensions = {name: _STORE_TYPES.get(name, "VARCHAR") for name in ROLLUP}
    return {**dimensions, **dict.fromkeys(COSTS, "DECIMAL(38, 10)"), "Charges": "BIGINT"}


def _view(
    engine: DuckDBPyConnection,
    files: Files,
    name: str,
    columns: dict[str, str],
    names: list[str],
    start: date | None,
    end: date | None,
) -> None:
    if not names:
        engine.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {t}' for c, t in columns.items())})")
        return
    chosen = ", ".join(columns)
    conditions = [
        f"ChargeDate {sign} DATE '{day}'" for sign, day in ((">=", start), ("<", end)) if day
    ]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    relation = files_relation(files.local(names))
    engine.execute(f"CREATE VIEW {name} AS SELECT {chosen} FROM {relation}{where}")


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
