"""What a new version changed of days that were known before, and the log of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.focus import literal
from airflow_multicloud.core.cost.store.engine import files_relation, open_engine
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.snapshot import Period, Restatement

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The log's columns, in the order of :class:`Restatement`'s fields.
TABLE = """
    Cloud VARCHAR, Export VARCHAR, BillingPeriod DATE, ServiceName VARCHAR,
    BillingCurrency VARCHAR, FirstDay DATE, LastDay DATE, OldVersion VARCHAR,
    NewVersion VARCHAR, OldBilledCost DECIMAL(38, 10), NewBilledCost DECIMAL(38, 10),
    OldEffectiveCost DECIMAL(38, 10), NewEffectiveCost DECIMAL(38, 10),
    SeenAt TIMESTAMP WITH TIME ZONE
"""


def restated(
    engine: DuckDBPyConnection, files: Files, old: Period, new: Period, now: datetime
) -> Iterator[Restatement]:
    """Services whose cost on known days is another now, one row a service and currency."""
    known = sorted({day.day for day in old.days()})
    if not known or old.rollup == new.rollup or not old.rollup or not new.rollup:
        return
    before, after = (files_relation(files.local([name])) for name in (old.rollup, new.rollup))
    rows = engine.execute(
        f"""
        WITH change AS (
            SELECT ServiceName, BillingCurrency, ChargeDate,
                   coalesce(o.b, 0) AS ob, coalesce(n.b, 0) AS nb,
                   coalesce(o.e, 0) AS oe, coalesce(n.e, 0) AS ne
            FROM ({_by_day(before)}) o FULL JOIN ({_by_day(after)}) n
                USING (ServiceName, BillingCurrency, ChargeDate)
            WHERE ChargeDate BETWEEN ? AND ?
        )
        SELECT ServiceName, BillingCurrency, min(ChargeDate), max(ChargeDate),
               sum(ob), sum(nb), sum(oe), sum(ne)
        FROM change WHERE ob <> nb OR oe <> ne GROUP BY ALL ORDER BY ALL
        """,
        [known[0], known[-1]],
    ).fetchall()
    for service, currency, first, last, *costs in rows:
        yield Restatement(
            cloud=new.cloud,
            export=new.export,
            billing_period=new.billing_period,
            service_name=service,
            billing_currency=currency,
            first_day=first,
            last_day=last,
            old_version=old.version,
            new_version=new.version,
            old_billed_cost=costs[0],
            new_billed_cost=costs[1],
            old_effective_cost=costs[2],
            new_effective_cost=costs[3],
            seen_at=now,
        )


def _by_day(relation: str) -> str:
    return (
        "SELECT ServiceName, BillingCurrency, ChargeDate, "
        f"sum(BilledCost) AS b, sum(EffectiveCost) AS e FROM {relation} GROUP BY ALL"
    )


def log_restatements(
    files: Files,
    log: str | None,
    new: Sequence[Restatement],
    name: str,
    publish: Callable[[Path, str, str], str],
) -> str | None:
    """Write the log with these added; returns its file (the old one when there are none).

    :param name: the run's.
    :param publish: what keeps the new file, and says its name.
    """
    if not new:
        return log
    with files.workspace() as directory, open_engine(Path(directory, "spill")) as engine:
        engine.execute(f"CREATE TABLE log ({TABLE})")
        if log is not None:
            engine.execute(f"INSERT INTO log SELECT * FROM {files_relation(files.local([log]))}")
        places = ", ".join("?" for _ in fields(Restatement))
        engine.executemany(f"INSERT INTO log VALUES ({places})", [astuple(r) for r in new])
        path = Path(directory) / "restatements.parquet"
        engine.execute(f"COPY log TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
        return publish(path, f"restatements/{name}", ".parquet")


def read_restatements(engine: DuckDBPyConnection) -> tuple[Restatement, ...]:
    """The log, newest last, of a connection with the table ``restatements``."""
    rows = engine.execute(
        "SELECT * FROM restatements ORDER BY SeenAt, Cloud, ServiceName"
    ).fetchall()
    return tuple(_restatement(row) for row in rows)


def _restatement(row: tuple[object, ...]) -> Restatement:
    names = [f.name for f in fields(Restatement)]
    return Restatement(**dict(zip(names, row, strict=True)))  # type: ignore[arg-type]
