"""One reading of one version's files: what is new of it, written as the store keeps it.

Files get names that nothing refers to yet; :mod:`~airflow_multicloud.core.cost.store.ingest`
makes them part of the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.focus import COSTS, ROLLUP, literal
from airflow_multicloud.core.cost.reading import (
    Source,
    open_source,
)
from airflow_multicloud.core.cost.store.charge_days import ChargeDay, execute, read_days
from airflow_multicloud.core.cost.store.engine import files_relation, open_engine
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.names import name_of, run_name, word
from airflow_multicloud.core.cost.store.restatements import restated
from airflow_multicloud.core.cost.store.rollups import is_former, rollups
from airflow_multicloud.core.cost.store.snapshot import (
    Batch,
    Day,
    Period,
    Restatement,
)
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle, FetchedPeriod

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Of all 58 columns, a row group of DuckDB's own size (122,880 rows) takes some 200 MB a thread.
_PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 30720"


class Ingestion:
    """One reading of one version's files."""

    def __init__(
        self,
        files: Files,
        cloud: str,
        fetched: FetchedPeriod,
        prior: Period | None,
        now: datetime,
    ) -> None:
        self.prior = prior
        self.name = run_name(now)
        self._files = files
        self._cloud = cloud
        self._fetched = fetched
        self._now = now
        self._published: list[str] = []
        asked = fetched.period
        self.what = f"billing period {asked.billing_period:%Y-%m} of {asked.export}"
        month = f"{asked.billing_period:%Y-%m}"
        self._place = f"{word(cloud)}/{word(asked.export)}/{month}/{self.name}"

    def build(self, raw: tuple[str, ...]) -> tuple[Period, tuple[date, ...]]:
        """Write what is new; returns the period and the days written.

        :param raw: the names of the files, where they are in the store already.
        """
        asked = self._fetched.period
        with self._files.workspace() as directory, open_engine(Path(directory, "spill")) as engine:
            source = open_source(engine, self._fetched) if self._fetched.files else None
            found = read_days(engine, source, self.what) if source else []
            self._check(found)
            later = source.later() if source else ()
            # A day that was stored before its later columns were kept is written again.
            held = {day.day: day for day in self._held() if day.later == later}
            new = [f.day for f in found if f.day not in held or held[f.day].content != f.content]
            written = self._write(engine, source, new, Path(directory)) if source else {}
            days = tuple(
                Day(
                    day=f.day,
                    content=f.content,
                    files=written.get(f.day) or held[f.day].files,
                    rows=f.rows,
                    uninvoiced=f.uninvoiced,
                    totals=f.totals,
                    later=later,
                )
                for f in found
            )
            gone = {day.day for day in self._held()} - {f.day for f in found}
            rollup = self._rollup(engine, days, set(new) | gone, Path(directory))
        batch = Batch(
            version=asked.version,
            exported_at=asked.exported_at,
            ingested_at=self._now,
            raw=raw or self._keep_raw(),
            days=days,
            scope=asked.days,
            invoices=source is None or source.has("InvoiceId"),
        )
        period = Period(
            cloud=self._cloud,
            export=asked.export,
            billing_period=asked.billing_period,
            style=asked.style,
            batches=(*self._earlier(), batch),
            rollup=rollup,
        )
        return period, tuple(sorted({*new, *gone}))

    def restatements(self, period: Period) -> list[Restatement]:
        """How services' known days changed."""
        if self.prior is None:
            return []
        with self._files.workspace() as spill, open_engine(Path(spill)) as engine:
            return list(restated(engine, self._files, self.prior, period, self._now))

    def publish(self, file: Path, stem: str, ending: str) -> str:
        """Keep a local file in the store, until :meth:`discard`; returns its name.

        :param stem: the name's beginning; the digest of the content and ``ending`` follow.
        """
        name = name_of(file, stem, ending)
        self._published.append(name)
        self._files.publish(file, name)
        return name

    def keep(self) -> None:
        """Nothing that was published so far is to be discarded: a snapshot may name it."""
        self._published.clear()

    def discard(self) -> None:
        """Delete what was published: nothing refers to it, and the disk may be full."""
        while self._published:
            with suppress(CloudError, OSError):
                self._files.remove(self._published.pop())

    @property
    def _replaces(self) -> bool:
        return self._fetched.period.style is CorrectionStyle.REPLACE

    def _held(self) -> tuple[Day, ...]:
        """The days that the new version replaces, and may share; none when it adds rows."""
        if self.prior is None or not self._replaces:
            return ()
        return tuple(day for day in self.prior.days() if self._in_scope(day.day))

    def _earlier(self) -> tuple[Batch, ...]:
        """What stays of the versions before."""
        if self.prior is None:
            return ()
        if not self._replaces:
            return self.prior.batches
        if self._fetched.period.days is None:
            return ()
        return tuple(
            replace(batch, days=tuple(d for d in batch.days if not self._in_scope(d.day)))
            for batch in self.prior.batches
        )

    def _in_scope(self, day: date) -> bool:
        """Whether the version has the last word on a day."""
        scope = self._fetched.period.days
        return scope is None or scope[0] <= day <= scope[1]

    def _check(self, found: Sequence[ChargeDay]) -> None:
        """Hold what was read against what the export states, and what the store has."""
        rows = sum(f.rows for f in found)
        stated = self._fetched.period.rows
        if not rows and any(day.rows for day in self._held()):
            raise CostAnalysisError(
                f"{self.what}: the export has no rows; what the store had of it is kept",
                kind=ErrorKind.INTEGRITY,
            )
        if stated is not None and stated != rows:
            raise CostAnalysisError(
                f"{self.what}: {rows} rows read, the export states {stated}",
                kind=ErrorKind.INTEGRITY,
            )
        outside = [f.day for f in found if not self._in_scope(f.day)]
        if outside and self._fetched.period.days:
            first, last = self._fetched.period.days
            raise CostAnalysisError(
                f"{self.what}: the export is of {first} to {last}, but it has charges of "
                f"{outside[0]}; what the store had is kept",
                kind=ErrorKind.INTEGRITY,
            )

    def _write(
        self, engine: DuckDBPyConnection, source: Source, days: Sequence[date], directory: Path
    ) -> dict[date, tuple[str, ...]]:
        """Write days in canonical form, each to files of its own."""
        if not days:
            return {}
        asked = self._fetched.period
        # A day at a time: one partitioned COPY of a whole month holds all its days in memory.
        # By time and not by ChargeDate, so that Parquet's statistics skip other days unread.
        relation = f"({source.select()})"
        if source.text and len(days) > 1:
            staged = directory / "staged.parquet"
            staging = f"COPY {relation} TO {literal(str(staged))} ({_PARQUET})"
            execute(engine, source, staging, self.what)
            relation = files_relation([staged])
        written: dict[date, tuple[str, ...]] = {}
        for day in days:
            path = directory / f"{day}.parquet"
            after = day + timedelta(days=1)
            query = f"""
                COPY (
                    SELECT {literal(self._cloud)} AS Cloud, {literal(asked.export)} AS Export,
                           DATE '{asked.billing_period}' AS BillingPeriod, *
                    FROM {relation} WHERE ChargePeriodStart >= TIMESTAMPTZ '{day} 00:00:00+00'
                        AND ChargePeriodStart < TIMESTAMPTZ '{after} 00:00:00+00'
                ) TO {literal(str(path))} ({_PARQUET})
            """
            execute(engine, source, query, self.what)
            written[day] = (self.publish(path, f"focus/{self._place}/{day}", ".parquet"),)
        return written

    def _rollup(
        self, engine: DuckDBPyConnection, days: Sequence[Day], changed: set[date], directory: Path
    ) -> str | None:
        """The period's rollup: the old one's unchanged days and the new files' rows."""
        if self.prior is not None and not changed:
            return self.prior.rollup
        kept = None if self.prior is None else self.prior.rollup
        if kept and is_former(kept):
            # It lacks a dimension: the days are added up again.
            others = [day for batch in self._earlier() for day in batch.days]
            changed = {day.day for day in (*others, *days)}
            days, kept = (*others, *days), None
        fresh = [name for day in days if day.day in changed for name in day.files]
        dimensions = ", ".join(ROLLUP)
        parts = []
        if fresh:
            parts.append(
                f"SELECT {dimensions}, {', '.join(COSTS)}, 1 AS Charges "
                f"FROM {files_relation(self._files.local(fresh))}"
            )
        if kept:
            gone = ", ".join(f"DATE '{day}'" for day in sorted(changed))
            where = f"ChargeDate NOT IN ({gone})" if self._replaces else ""
            parts.append(rollups(self._files, [kept], where=where))
        if not parts:
            return None
        sums = ", ".join(f"CAST(sum({c}) AS DECIMAL(38, 10)) AS {c}" for c in COSTS)
        path = directory / "rollup.parquet"
        engine.execute(
            f"COPY (SELECT {dimensions}, {sums}, CAST(sum(Charges) AS BIGINT) AS Charges "
            f"FROM ({' UNION ALL '.join(parts)}) GROUP BY ALL ORDER BY ALL) "
            f"TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
        )
        return self.publish(path, f"rollup/{self._place}", ".parquet")

    def _keep_raw(self) -> tuple[str, ...]:
        return tuple(
            self.publish(file, f"raw/{self._place}/{number:05d}", f"-{word(file.name)}")
            for number, file in enumerate(self._fetched.files)
        )
