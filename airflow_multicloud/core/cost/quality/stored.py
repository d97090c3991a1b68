"""Rules that the stored rows of a billing period are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.focus import COLUMNS, COSTS, literal
from airflow_multicloud.core.cost.quality.findings import QualityFinding, Severity
from airflow_multicloud.core.cost.store import overlaps
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.snapshot import Period, Snapshot, totals_of
from airflow_multicloud.ports.cost import CorrectionStyle

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: A cost column of at least so many rows that has no cents at all is suspicious.
WHOLE_NUMBER_ROWS = 20


#: Of a month that was exported and has no charge: a quiet account, or the first day.
NO_ROWS = QualityFinding(
    rule="no rows",
    severity=Severity.WARNING,
    column="",
    rows=0,
    example="",
    message="the export has this month, and no charge in it",
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


def row_rules(engine: DuckDBPyConnection, period: Period) -> Iterator[QualityFinding]:
    """What each row must hold to, in one pass over the view ``bill``."""
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


def duplicates(engine: DuckDBPyConnection) -> Iterator[QualityFinding]:
    """Rows of the view ``bill`` that are there twice."""
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


def left_out(
    engine: DuckDBPyConnection, files: Files, snapshot: Snapshot, period: Period
) -> Iterator[QualityFinding]:
    """Charges that another export has as well."""
    same = [
        other
        for other in snapshot.periods
        if (other.cloud, other.billing_period) == (period.cloud, period.billing_period)
    ]
    marked = overlaps.mark(engine, files, same)
    if not marked.several:
        return
    overlaps.tell(engine, marked, "")
    for found in overlaps.read_overlaps(engine):
        if found.export == period.export:
            yield QualityFinding(
                rule="overlap",
                severity=Severity.WARNING,
                column="SubAccountId",
                rows=found.charges,
                example=f"{found.billed_cost:.2f} {found.billing_currency}",
                message=f"these rows are not counted: {found.counted} counts instead, "
                f"{found.reason.text}. Take the export that is not wanted out of the store",
            )


def totals(engine: DuckDBPyConnection, period: Period) -> Iterator[QualityFinding]:
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
