"""From an exported version to the next snapshot.

All files are written first, under names that nothing refers to yet; then the snapshot; then
the pointer is swapped. A crash before the swap leaves the old state and files that
:mod:`~airflow_multicloud.core.cost.store.prune` removes; after it, the new state.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.disk import disk_errors, full_disk
from airflow_multicloud.core.cost.focus import COLUMNS, COSTS, ROLLUP, literal, quoted
from airflow_multicloud.core.cost.reading import (
    READER_VERSION,
    Source,
    check_required,
    check_values,
    open_source,
    reading_errors,
)
from airflow_multicloud.core.cost.store.engine import files_relation, open_engine
from airflow_multicloud.core.cost.store.files import Files, Pointer
from airflow_multicloud.core.cost.store.restatements import log_restatements, restated
from airflow_multicloud.core.cost.store.snapshot import (
    Batch,
    Change,
    Day,
    Period,
    Restatement,
    Snapshot,
    Totals,
)
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle, FetchedPeriod

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A concurrent run that changed another period costs one more try, never a new reading.
_TRIES = 20
# Of all 58 columns, a row group of DuckDB's own size (122,880 rows) takes some 200 MB a thread.
_PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 30720"
_NO_TOTALS: tuple[Decimal, Decimal, Decimal, Decimal] = (Decimal(0),) * 4


@dataclass(frozen=True, slots=True)
class State:
    """The current snapshot and the pointer that named it."""

    pointer: Pointer | None
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class _Found:
    """One charge day of the files that are being ingested."""

    day: date
    content: str
    rows: int
    uninvoiced: int
    totals: Totals


def load(files: Files) -> State:
    """The current state; an empty snapshot in a new store."""
    pointer = files.pointer()
    if pointer is None:
        return State(None, Snapshot())
    (path,) = files.local([pointer.snapshot])
    try:
        text = path.read_bytes()
    except FileNotFoundError as err:
        raise CostAnalysisError(
            f"cost store: snapshot {pointer.snapshot}, which CURRENT names, is not there",
            kind=ErrorKind.INTEGRITY,
        ) from err
    return State(pointer, Snapshot.from_json(text, pointer.snapshot))


def ingest(
    files: Files, cloud: str, fetched: FetchedPeriod, *, after: str | None, now: datetime
) -> Change:
    """Make one fetched version part of the store, exactly once.

    :param after: for styles that append, the version that the fetched rows follow.
    :raises CostAnalysisError: kind ``integrity`` for files that can't be read as FOCUS, kind
        ``precondition_failed`` when another run appended meanwhile (fetch again).
    """
    raw: tuple[str, ...] = ()
    for _ in range(_TRIES):
        state = load(files)
        asked = fetched.period
        prior = state.snapshot.period(cloud, asked.export, asked.billing_period)
        reason = _nothing_to_do(prior, fetched, after)
        if reason:
            return Change(
                changed=False, reason=reason, period=prior, rows=prior.rows if prior else 0
            )
        work = _Ingestion(files, cloud, fetched, prior, now)
        try:
            with disk_errors(files.directory, f"ingesting {work.what}"):
                period, written = work.build(raw)
                # The files were moved into the store; another try reads them there.
                raw = period.batches[-1].raw
                fetched = replace(fetched, files=tuple(files.local(raw)))
                change = _commit(files, state, work, period, written)
        except Exception:
            work.discard()
            raise
        if change is not None:
            return change
    raise CostAnalysisError(
        f"cost store: other runs changed it {_TRIES} times in a row", kind=ErrorKind.UNAVAILABLE
    )


def _nothing_to_do(prior: Period | None, fetched: FetchedPeriod, after: str | None) -> str | None:
    asked = fetched.period
    if prior is None:
        if after is not None:
            raise CostAnalysisError(
                f"{asked.export} {asked.billing_period:%Y-%m}: rows after version {after!r} were "
                "fetched, but the store has none of this period",
                kind=ErrorKind.PRECONDITION_FAILED,
            )
        return None
    if any(batch.version == asked.version for batch in prior.batches):
        return "this version is already there"
    if prior.exported_at > asked.exported_at:
        return f"a later version ({prior.exported_at:%Y-%m-%d %H:%M} UTC) is already there"
    if prior.style is not asked.style:
        raise CostAnalysisError(
            f"{asked.export} {asked.billing_period:%Y-%m}: the export's style is "
            f"{asked.style.value}, what the store has of it was {prior.style.value}; ingest it "
            "into a new store",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if asked.style is not CorrectionStyle.REPLACE and after != prior.version:
        raise CostAnalysisError(
            f"{asked.export} {asked.billing_period:%Y-%m}: the fetched rows follow version "
            f"{after!r}, the store has {prior.version!r} by now; fetch again",
            kind=ErrorKind.PRECONDITION_FAILED,
        )
    return None


def _commit(
    files: Files, state: State, work: _Ingestion, period: Period, written: tuple[date, ...]
) -> Change | None:
    """Swap the pointer, over other runs' changes of other periods; ``None``: start again."""
    changes = work.restatements(period)
    for _ in range(_TRIES):
        attempt = f"{work.name}-{secrets.token_hex(4)}"
        log = log_restatements(files, state.snapshot.restatements, changes, attempt, work.publish)
        snapshot = state.snapshot.with_period(period, log)
        name = f"snapshots/{snapshot.sequence:08d}-{attempt}.json"
        with files.workspace() as directory:
            path = Path(directory) / "snapshot.json"
            path.write_bytes(snapshot.to_json())
            work.publish(path, name)
        try:
            swapped = files.swap(state.pointer, name)
        except Exception as err:
            if full_disk(err) is None or files.pointer() != state.pointer:
                work.keep()  # it may have been done all the same
            raise
        work.keep()
        state = load(files)
        # A conditional write whose answer was lost is refused when it is sent again.
        if swapped or (state.pointer is not None and state.pointer.snapshot == name):
            return Change(
                changed=True,
                reason="ingested",
                period=period,
                rows=period.rows,
                days_written=written,
                restatements=tuple(changes),
            )
        if state.snapshot.period(*period.key) != work.prior:
            return None
    return None


class _Ingestion:
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
        self.name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        self._files = files
        self._cloud = cloud
        self._fetched = fetched
        self._now = now
        self._published: list[str] = []
        asked = fetched.period
        self.what = f"billing period {asked.billing_period:%Y-%m} of {asked.export}"
        slug = "".join(c if c.isalnum() or c in "-_." else "-" for c in asked.export)
        self._place = f"{cloud}/{slug}/{asked.billing_period:%Y-%m}/{self.name}"

    def build(self, raw: tuple[str, ...]) -> tuple[Period, tuple[date, ...]]:
        """Write what is new; returns the period and the days written.

        :param raw: the names of the files, where they are in the store already.
        """
        asked = self._fetched.period
        with self._files.workspace() as directory, open_engine(Path(directory, "spill")) as engine:
            source = open_source(engine, self._fetched)
            found = self._days(engine, source)
            self._check_rows(found)
            later = source.later()
            # A day that was stored before its later columns were kept is written anew.
            held = {day.day: day for day in self._held() if day.later == later}
            new = [f.day for f in found if f.day not in held or held[f.day].content != f.content]
            written = self._write(engine, source, new, Path(directory))
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
        )
        earlier = self.prior.batches if self.prior and not self._replaces else ()
        period = Period(
            cloud=self._cloud,
            export=asked.export,
            billing_period=asked.billing_period,
            style=asked.style,
            batches=(*earlier, batch),
            rollup=rollup,
        )
        return period, tuple(sorted({*new, *gone}))

    def restatements(self, period: Period) -> list[Restatement]:
        """How services' known days changed."""
        if self.prior is None:
            return []
        with self._files.workspace() as spill, open_engine(Path(spill)) as engine:
            return list(restated(engine, self._files, self.prior, period, self._now))

    def publish(self, file: Path, name: str) -> None:
        """Keep a local file in the store, until :meth:`discard`."""
        self._published.append(name)
        self._files.publish(file, name)

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
        """The days that the new version may share with the last; none when it adds rows."""
        if self.prior is None or not self._replaces:
            return ()
        return tuple(self.prior.days())

    def _days(self, engine: DuckDBPyConnection, source: Source) -> list[_Found]:
        """One pass over the files: what each charge day holds."""
        columns = ", ".join(quoted(name) for name in sorted(source.columns))
        sums = ", ".join(f"sum({source.cast(cost)})" for cost in COSTS)
        invoice = source.cast("InvoiceId")
        required = [c for c in COLUMNS if c.required]
        empty = ", ".join(f"count(*) FILTER ({source.raw(c)} IS NULL)" for c in required)
        # The sum, unlike xor, tells rows that are there twice from none.
        query = f"""
            SELECT {source.day()} AS day, {source.cast("BillingCurrency")} AS currency, count(*),
                   count(*) FILTER ({invoice} IS NULL),
                   sum(CAST(hash({columns}) AS HUGEINT)), {sums}, {empty}
            FROM {source.relation} GROUP BY ALL ORDER BY ALL
        """
        rows = self._run(engine, source, query)
        width = len(required)
        counts = [sum(row[index - width] for row in rows) for index in range(width)]
        check_required(dict(zip(required, counts, strict=True)), self.what)
        days: dict[date, list[tuple[Any, ...]]] = {}
        for day, *rest in rows:
            days.setdefault(day, []).append(tuple(rest[:-width]))
        version = f"{READER_VERSION}/{engine.execute('SELECT version()').fetchall()[0][0]}"
        return [
            _Found(
                day=day,
                content=f"{version}:" + ",".join(f"{g[0]}={g[3]}" for g in groups),
                rows=sum(g[1] for g in groups),
                uninvoiced=sum(g[2] for g in groups),
                totals={g[0]: _four(g[4:]) for g in groups},
            )
            for day, groups in days.items()
        ]

    def _check_rows(self, found: Sequence[_Found]) -> None:
        rows = sum(f.rows for f in found)
        stated = self._fetched.period.rows
        if not rows and (self._replaces or stated):
            raise CostAnalysisError(
                f"{self.what}: the export has no rows; what the store had of it is kept",
                kind=ErrorKind.INTEGRITY,
            )
        if stated is not None and stated != rows:
            raise CostAnalysisError(
                f"{self.what}: {rows} rows read, the export states {stated}",
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
            self._run(engine, source, f"COPY {relation} TO {literal(str(staged))} ({_PARQUET})")
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
            self._run(engine, source, query)
            name = f"focus/{self._place}/{path.name}"
            self.publish(path, name)
            written[day] = (name,)
        return written

    def _rollup(
        self, engine: DuckDBPyConnection, days: Sequence[Day], changed: set[date], directory: Path
    ) -> str:
        """The period's rollup: the old one's unchanged days and the new files' rows."""
        if self.prior is not None and not changed:
            return self.prior.rollup
        fresh = [name for day in days if day.day in changed for name in day.files]
        dimensions = ", ".join(ROLLUP)
        parts = []
        if fresh:
            parts.append(
                f"SELECT {dimensions}, {', '.join(COSTS)}, 1 AS Charges "
                f"FROM {files_relation(self._files.local(fresh))}"
            )
        if self.prior is not None:
            gone = ", ".join(f"DATE '{day}'" for day in sorted(changed))
            kept = f" WHERE ChargeDate NOT IN ({gone})" if self._replaces else ""
            parts.append(
                f"SELECT {dimensions}, {', '.join(COSTS)}, Charges "
                f"FROM {files_relation(self._files.local([self.prior.rollup]))}{kept}"
            )
        sums = ", ".join(f"CAST(sum({c}) AS DECIMAL(38, 10)) AS {c}" for c in COSTS)
        path = directory / "rollup.parquet"
        engine.execute(
            f"COPY (SELECT {dimensions}, {sums}, CAST(sum(Charges) AS BIGINT) AS Charges "
            f"FROM ({' UNION ALL '.join(parts)}) GROUP BY ALL ORDER BY ALL) "
            f"TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
        )
        name = f"rollup/{self._place}.parquet"
        self.publish(path, name)
        return name

    def _keep_raw(self) -> tuple[str, ...]:
        names = []
        for number, file in enumerate(self._fetched.files):
            name = f"raw/{self._place}/{number:05d}-{file.name}"
            self.publish(file, name)
            names.append(name)
        return tuple(names)

    def _run(self, engine: DuckDBPyConnection, source: Source, query: str) -> list[tuple[Any, ...]]:
        import duckdb

        try:
            return engine.execute(query).fetchall()
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            check_values(engine, source, self.what)
            with reading_errors(self.what):
                raise
        except duckdb.Error:
            with reading_errors(self.what):
                raise
        raise AssertionError  # reading_errors raises


def _four(values: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    billed, effective, listed, contracted = values
    return billed, effective, listed, contracted


def totals_of(days: Sequence[Day]) -> Totals:
    """The days' sums by currency."""
    summed: dict[str, tuple[Decimal, Decimal, Decimal, Decimal]] = {}
    for day in days:
        for currency, values in day.totals.items():
            old = summed.get(currency, _NO_TOTALS)
            summed[currency] = _four([a + b for a, b in zip(old, values, strict=True)])
    return summed
