"""Each rule of the quality check fires on what it is for, and on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_multicloud.core.cost.quality import QualityReport, Severity, check_quality
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CostAnalysisError
from airflow_multicloud.ports.cost import CorrectionStyle

from .forging import forge
from .rows import MONTH, Row, fetched, write

GOOD = [Row(MONTH, f"service {n}", Decimal("1.3") + n, invoice="i") for n in range(25)]
SOUND = {"InvoiceIssuerName": "AWS"}


def report(
    tmp_path: Path, rows: Sequence[Row], drop: Sequence[str] = (), **extra: str
) -> QualityReport:
    store = CostStore.open(tmp_path / "store")
    file = write(tmp_path / "a.csv", rows, drop=drop, **(SOUND | extra))
    store.ingest("aws", fetched(file, "1"))
    return check_quality(store, "aws", "bucket/export", MONTH)


def rules(found: QualityReport) -> list[tuple[str, str, int]]:
    return [(f.rule, f.column, f.rows) for f in found.findings]


def test_a_sound_bill_has_no_findings(tmp_path: Path) -> None:
    found = report(tmp_path, GOOD)
    assert found.findings == ()
    assert found.sound
    assert to_document(found)["rows"] == 25


def costs(rule: str, rows: int) -> list[tuple[str, str, int]]:
    return [(rule, c, rows) for c in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")]


@pytest.mark.parametrize(
    ("rows", "extra", "expected", "sound"),
    [
        ([*GOOD, Row(MONTH, "x", Decimal("-1.5"))], {}, costs("negative", 1), True),
        ([*GOOD, Row(MONTH, "x", Decimal("-1.5"), category="Credit")], {}, [], True),
        ([*GOOD, Row(MONTH, "x", Decimal("-1.5"), charge_class="Correction")], {}, [], True),
        ([*GOOD, GOOD[0]], {}, [("duplicates", "", 1)], True),
        (
            [Row(MONTH, f"s{n}", Decimal(n + 1)) for n in range(20)],
            {},
            costs("whole numbers", 20),
            True,
        ),
        ([Row(MONTH, f"s{n}", Decimal(n + 1)) for n in range(19)], {}, [], True),
        (
            [*GOOD, Row(MONTH, "x", Decimal("1.5"), category="Refund")],
            {},
            [("enumeration", "ChargeCategory", 1)],
            True,
        ),
        (
            [*GOOD, Row(MONTH, "x", Decimal("1.5"), currency="usd")],
            {},
            [("currency", "BillingCurrency", 1)],
            False,
        ),
        (
            GOOD,
            {"ChargePeriodEnd": f"{MONTH}T00:00:00Z"},
            [("period", "ChargePeriodEnd", 25)],
            False,
        ),
        (
            GOOD,
            {"BillingPeriodStart": "2026-09-01T00:00:00Z"},
            [("billing period", "BillingPeriodStart", 25)],
            False,
        ),
        (GOOD, {"RegionId": "NULL"}, [("literal NULL", "RegionId", 25)], True),
        (GOOD, {"InvoiceIssuerName": ""}, [("no value", "InvoiceIssuerName", 25)], True),
    ],
)
def test_each_rule_fires(
    tmp_path: Path,
    rows: Sequence[Row],
    extra: dict[str, str],
    expected: list[tuple[str, str, int]],
    sound: bool,
) -> None:
    found = report(tmp_path, rows, **extra)
    assert rules(found) == expected
    assert found.sound is sound


def test_missing_columns_are_reported_and_read_as_null(tmp_path: Path) -> None:
    found = report(tmp_path, GOOD, drop=("ChargeDescription",))
    assert rules(found) == [("missing column", "ChargeDescription", 25)]


def test_stored_rows_are_held_against_the_source(tmp_path: Path) -> None:
    """Rows that do not add up to what the export did show as a wrong total."""
    store = CostStore.open(tmp_path / "store")
    store.ingest("aws", fetched(write(tmp_path / "a.csv", GOOD, **SOUND), "1"))
    cheaper = [Row(MONTH, r.service, r.billed - 1, invoice="i") for r in GOOD]
    other = CostStore.open(tmp_path / "other")
    other.ingest("aws", fetched(write(tmp_path / "b.csv", cheaper, **SOUND), "1"))
    (right,) = store.snapshot().periods[0].days()
    (wrong,) = other.snapshot().periods[0].days()
    copied = tmp_path / "store" / wrong.files[0]
    copied.parent.mkdir(parents=True)
    copied.write_bytes((tmp_path / "other" / wrong.files[0]).read_bytes())
    forge(tmp_path / "store", lambda text: text.replace(right.files[0], wrong.files[0]))
    found = check_quality(store, "aws", "bucket/export", MONTH)
    assert rules(found) == costs("totals", 25)
    assert found.findings[0].severity is Severity.ERROR
    assert "the source adds up to 332.5000000000 USD" in found.findings[0].message


def test_a_file_that_was_replaced_is_refused(tmp_path: Path) -> None:
    store = CostStore.open(tmp_path / "store")
    store.ingest("aws", fetched(write(tmp_path / "a.csv", GOOD, **SOUND), "1"))
    (day,) = store.snapshot().periods[0].days()
    path = tmp_path / "store" / day.files[0]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CostAnalysisError, match=r"2026-10-01-\w+\.parquet is not what was written"):
        check_quality(store, "aws", "bucket/export", MONTH)


def test_a_month_without_rows_is_a_finding(tmp_path: Path) -> None:
    assert rules(report(tmp_path, [])) == [("no rows", "", 0)]


def test_adjustments_should_say_so(tmp_path: Path) -> None:
    store = CostStore.open(tmp_path / "store")
    style = CorrectionStyle.ADJUST
    store.ingest("aws", fetched(write(tmp_path / "a.csv", GOOD, **SOUND), "1", style=style))
    less = [Row(MONTH, "x", Decimal("-1.5"), category="Adjustment")]
    more = fetched(write(tmp_path / "b.csv", less, **SOUND), "2", style=style)
    store.ingest("aws", more, after="1")
    found = check_quality(store, "aws", "bucket/export", MONTH)
    assert rules(found) == [("adjustment", "ChargeClass", 1)]


def test_an_unknown_period_is_named(tmp_path: Path) -> None:
    with pytest.raises(CostAnalysisError, match="has no 2026-11 of aws bucket/export"):
        check_quality(
            CostStore.open(tmp_path), "aws", "bucket/export", date(2026, 11, 1) + timedelta(0)
        )
