"""What only the files as they came can tell: columns, texts that mean null, lost decimals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.focus import COLUMNS, COSTS, TEXT, literal, quoted
from airflow_multicloud.core.cost.quality.findings import QualityFinding, Severity
from airflow_multicloud.core.cost.reading import NULL_WORDS, Source, open_source
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.snapshot import Period
from airflow_multicloud.ports.cost import ExportedPeriod, FetchedPeriod, FileFormat

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def export_rules(
    engine: DuckDBPyConnection, store: CostStore, period: Period
) -> Iterator[QualityFinding]:
    """Look at the files of the last version."""
    batch = period.batches[-1]
    if not batch.raw:
        return
    files = tuple(store.files.local(batch.raw))
    parquet = files[0].suffix == ".parquet" or ".parquet" in files[0].suffixes
    source = open_source(
        engine,
        FetchedPeriod(
            period=ExportedPeriod(
                export=period.export,
                billing_period=period.billing_period,
                version=batch.version,
                style=period.style,
                exported_at=batch.exported_at,
            ),
            format=FileFormat.PARQUET if parquet else FileFormat.CSV,
            files=files,
        ),
    )
    for name in source.missing():
        yield QualityFinding(
            rule="missing column",
            severity=Severity.WARNING,
            column=name,
            rows=sum(day.rows for day in batch.days),
            example="",
            message="FOCUS demands the column; it is null here",
        )
    texts = [n for n, kind in source.columns.items() if kind == TEXT]
    if texts:
        words = ", ".join(literal(word) for word in NULL_WORDS)
        counts = ", ".join(f"count(*) FILTER (trim({quoted(n)}) IN ({words}))" for n in texts)
        row = engine.execute(f"SELECT {counts} FROM {source.relation}").fetchall()[0]
        for name, rows in zip(texts, row, strict=True):
            if rows:
                yield QualityFinding(
                    rule="literal NULL",
                    severity=Severity.WARNING,
                    column=name,
                    rows=rows,
                    example="NULL",
                    message="the word stands for no value; it is read as null",
                )
    yield from _rounded(engine, source)


def _rounded(engine: DuckDBPyConnection, source: Source) -> Iterator[QualityFinding]:
    """Costs with more places than the store keeps; a double's own noise is not looked at."""
    costs = [c for c in COLUMNS if c.name in COSTS]
    exact = [c for c in costs if source.columns[source.name_of(c) or ""] not in {"DOUBLE", "FLOAT"}]
    if not exact:
        return
    differs = [
        f"FILTER (TRY_CAST({source.raw(c)} AS DECIMAL(38, 20)) <> {source.cast(c.name)})"
        for c in exact
    ]
    counts = ", ".join(f"count(*) {d}" for d in differs)
    examples = ", ".join(
        f"any_value(CAST({source.raw(c)} AS VARCHAR)) {d}"
        for c, d in zip(exact, differs, strict=True)
    )
    row = engine.execute(f"SELECT {counts}, {examples} FROM {source.relation}").fetchall()[0]
    found = zip(exact, row[: len(exact)], row[len(exact) :], strict=True)
    for column, rows, example in found:
        if rows:
            yield QualityFinding(
                rule="rounded",
                severity=Severity.WARNING,
                column=column.name,
                rows=rows,
                example=str(example)[:60],
                message="has more than ten decimal places; the store keeps ten",
            )
