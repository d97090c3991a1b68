"""What is odd about a bill: reported, never dropped.

The rules are those that readers of bills trip over: see each rule's text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.cost.focus import COLUMNS, COSTS, TEXT, literal, quoted
from airflow_multicloud.core.cost.reading import NULL_WORDS, Source, open_source
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.charges import charges
from airflow_multicloud.core.cost.store.engine import open_engine
from airflow_multicloud.core.cost.store.snapshot import Period, totals_of
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: A cost column of at least so many rows that has no cents at all is suspicious.
WHOLE_NUMBER_ROWS = 20


class Severity(StrEnum):
    """``ERROR``: figures are wrong or can't be trusted; ``WARNING``: look at it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFinding:
    """One rule that did not hold.

    :param rows: how many rows. :param example: one of them, short.
    """

    rule: str
    severity: Severity
    column: str
    rows: int
    example: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What was found in one billing period."""

    cloud: str
    export: str
    billing_period: date
    rows: int
    findings: tuple[QualityFinding, ...]

    @property
    def sound(self) -> bool:
        """Whether there is no error; warnings may be."""
        return not any(f.severity is Severity.ERROR for f in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For XCom and JSON."""
        return {
            "cloud": self.cloud,
            "export": self.export,
            "billing_period": self.billing_period.isoformat(),
            "rows": self.rows,
            "sound": self.sound,
            "findings": [asdict(f) for f in self.findings],
        }


def check_quality(store: CostStore, cloud: str, export: str, billing_period: date) -> QualityReport:
    """Check one ingested period.

    :raises CostAnalysisError: kind ``not_found`` when the store has no such period.
    """
    period = store.snapshot().period(cloud, export, billing_period)
    if period is None:
        raise CostAnalysisError(
            f"the cost store {store.root} has no {billing_period:%Y-%m} of {cloud} {export}",
            kind=ErrorKind.NOT_FOUND,
            cloud=cloud,
        )
    with (
        disk_errors(store.files.directory, f"checking {billing_period:%Y-%m} of {export}"),
        store.files.workspace() as spill,
        open_engine(Path(spill)) as engine,
    ):
        engine.execute(f"CREATE VIEW bill AS {charges(store.files, period.days())}")
        findings = (
            *_row_rules(engine, period),
            *_duplicates(engine),
            *_source_rules(engine, store, period),
        )
    return QualityReport(
        cloud=cloud,
        export=export,
        billing_period=billing_period,
        rows=period.rows,
        findings=tuple(findings),
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """A condition that no row should meet."""

    name: str
    severity: Severity
    column: str
    bad: str
    message: str


def _rules(period: Period) -> Iterator[_Rule]:
    for column in COLUMNS:
        if column.values:
            allowed = ", ".join(literal(value) for value in column.values)
            yield _Rule(
                "enumeration",
                Severity.WARNING,
                column.name,
                f"{column.name} IS NOT NULL AND {column.name} NOT IN ({allowed})",
                f"FOCUS allows {', '.join(column.values[:5])}" + "…" * (len(column.values) > 5),  # noqa: PLR2004
            )
        elif column.mandatory and column.name in {"ProviderName", "InvoiceIssuerName"}:
            yield _Rule(
                "no value",
                Severity.WARNING,
                column.name,
                f"{column.name} IS NULL",
                "FOCUS demands a value",
            )
    yield _Rule(
        "currency",
        Severity.ERROR,
        "BillingCurrency",
        "NOT regexp_matches(BillingCurrency, '^[A-Z]{3}$')",
        "expected an ISO 4217 code",
    )
    for cost in COSTS:
        yield _Rule(
            "negative",
            Severity.WARNING,
            cost,
            f"{cost} < 0 AND ChargeClass IS NULL "
            "AND ChargeCategory NOT IN ('Credit', 'Adjustment')",
            "negative, though it is neither a credit, an adjustment nor a correction",
        )
    yield _Rule(
        "period",
        Severity.ERROR,
        "ChargePeriodEnd",
        "ChargePeriodEnd <= ChargePeriodStart",
        "the charge period ends before it begins",
    )
    month = f"DATE '{period.billing_period}'"
    yield _Rule(
        "billing period",
        Severity.ERROR,
        "BillingPeriodStart",
        f"date_trunc('month', BillingPeriodStart)::DATE <> {month}",
        "the row belongs to another billing period than its file",
    )
    later = ", ".join(f"DATE '{d.day}'" for b in period.batches[1:] for d in b.days)
    if later and period.style is CorrectionStyle.ADJUST:
        yield _Rule(
            "adjustment",
            Severity.WARNING,
            "ChargeClass",
            f"ChargeDate IN ({later}) AND ChargeClass IS NULL AND BilledCost < 0",
            "an export that adjusts should mark its differences as Correction",
        )


def _row_rules(engine: DuckDBPyConnection, period: Period) -> Iterator[QualityFinding]:
    rules = list(_rules(period))
    counts = ", ".join(f"count(*) FILTER ({rule.bad})" for rule in rules)
    examples = ", ".join(f"any_value({rule.column}::VARCHAR) FILTER ({rule.bad})" for rule in rules)
    whole = ", ".join(f"count(*) FILTER ({c} <> trunc({c}))" for c in COSTS)
    used = ", ".join(f"count(*) FILTER ({c} <> 0)" for c in COSTS)
    row = engine.execute(f"SELECT {counts}, {examples}, {whole}, {used} FROM bill").fetchall()[0]
    found, shown, rest = row[: len(rules)], row[len(rules) : 2 * len(rules)], row[2 * len(rules) :]
    for rule, rows, example in zip(rules, found, shown, strict=True):
        if rows:
            yield QualityFinding(
                rule=rule.name,
                severity=rule.severity,
                column=rule.column,
                rows=rows,
                example=str(example)[:60],
                message=rule.message,
            )
    for cost, cents, used_rows in zip(COSTS, rest[: len(COSTS)], rest[len(COSTS) :], strict=True):
        if not cents and used_rows >= WHOLE_NUMBER_ROWS:
            yield QualityFinding(
                rule="whole numbers",
                severity=Severity.WARNING,
                column=cost,
                rows=used_rows,
                example="",
                message="not one row has a fraction: the column may have been rounded",
            )


def _duplicates(engine: DuckDBPyConnection) -> Iterator[QualityFinding]:
    # By hash first: grouping by 57 columns of every row would not fit into memory.
    columns = ", ".join(c.name for c in COLUMNS)
    row = engine.execute(
        f"SELECT coalesce(sum(n - 1), 0), any_value(service) FROM ("
        f"SELECT hash({columns}) AS h, count(*) AS n, any_value(ServiceName) AS service FROM bill "
        "WHERE ChargeClass IS NULL AND BilledCost <> 0 GROUP BY h HAVING count(*) > 1)"
    ).fetchall()[0]
    if row[0]:
        yield QualityFinding(
            rule="duplicates",
            severity=Severity.WARNING,
            column="",
            rows=int(row[0]),
            example=str(row[1]),
            message="rows that are equal in every column to another",
        )


def _source_rules(
    engine: DuckDBPyConnection, store: CostStore, period: Period
) -> Iterator[QualityFinding]:
    """Compare with the files as they came: columns, texts that mean null, and totals."""
    batch = period.batches[-1]
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
    yield from _totals(engine, period)


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


def _totals(engine: DuckDBPyConnection, period: Period) -> Iterator[QualityFinding]:
    """What is stored against what the source's files added up to when they were read."""
    expected = totals_of(list(period.days()))
    sums = ", ".join(f"sum({cost})" for cost in COSTS)
    rows = engine.execute(f"SELECT BillingCurrency, {sums} FROM bill GROUP BY ALL").fetchall()
    stored = {currency: tuple(values) for currency, *values in rows}
    nothing = (Decimal(0),) * len(COSTS)
    for currency in sorted({*expected, *stored}):
        pairs = zip(
            COSTS, expected.get(currency, nothing), stored.get(currency, nothing), strict=True
        )
        for cost, wanted, got in pairs:
            if wanted != got:
                yield QualityFinding(
                    rule="totals",
                    severity=Severity.ERROR,
                    column=cost,
                    rows=period.rows,
                    example=f"{got} {currency}",
                    message=f"the source adds up to {wanted} {currency}",
                )
