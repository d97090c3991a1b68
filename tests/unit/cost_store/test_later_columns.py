"""Columns that FOCUS 1.3 and 1.4 added: kept where an export has them, null where it has not."""

from __future__ import annotations

import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from airflow_multicloud.core.cost.compare import compare_costs
from airflow_multicloud.core.cost.focus import COLUMNS
from airflow_multicloud.core.cost.quality import check_quality
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.ports.cost import CorrectionStyle, ExportedPeriod, FetchedPeriod
from airflow_multicloud.testing.bills import (
    Bill,
    BillOptions,
    FileOptions,
    FocusVersion,
    write_bill,
)

from .rows import MONTH, Row, fetched, write

LATER = {
    "AllocatedMethodDetails": '{"Elements":[{"AllocatedRatio":0.25}]}',
    "AllocatedMethodId": "cpu-share",
    "AllocatedResourceId": "cluster/namespace",
    "AllocatedResourceName": "namespace",
    "AllocatedTags": '{"team": "data"}',
    "CommitmentProgramEligibilityDetails": '{"CommitmentPrograms":[{"ProgramType":"Spend"}]}',
    "ContractApplied": '{"Elements":[{"ContractId":"c","ContractCommitmentId":"d"}]}',
    "HostProviderName": "AWS",
    "InvoiceDetailId": "line-1",
    "ServiceProviderName": "A vendor",
}
FIRST, SECOND = MONTH + timedelta(days=4), MONTH + timedelta(days=5)
BILL = (
    Row(FIRST, "EC2", Decimal("1.5")),
    Row(FIRST, "S3", Decimal("0.1")),
    Row(SECOND, "EC2", Decimal("2.0000000001")),
)
#: Made by the code of before these columns were kept, from an export that had three of them.
OLD = Path(__file__).parent / "data" / "store_of_focus_1_2"


@pytest.fixture
def store(tmp_path: Path) -> CostStore:
    return CostStore.open(tmp_path / "store")


def read(store: CostStore, *columns: str) -> list[tuple[object, ...]]:
    with store.connect() as engine:
        chosen = ", ".join(columns)
        return engine.execute(
            f"SELECT {chosen} FROM costs ORDER BY ChargeDate, BilledCost"
        ).fetchall()


def test_all_of_them_are_tested() -> None:
    assert set(LATER) == {column.name for column in COLUMNS if column.since}


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_what_an_export_has_is_kept(store: CostStore, tmp_path: Path, suffix: str) -> None:
    store.ingest("aws", fetched(write(tmp_path / f"a.{suffix}", BILL, **LATER), "1"))
    names = [name for name in LATER if name != "AllocatedTags"]
    assert read(store, *names) == [tuple(LATER[name] for name in names)] * len(BILL)
    assert read(store, "AllocatedTags['team']", "ProviderName") == [("data", "AWS")] * len(BILL)


def test_nested_columns_become_json(store: CostStore, tmp_path: Path) -> None:
    plain, nested = write(tmp_path / "plain.parquet", BILL), tmp_path / "nested.parquet"
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT *, {{'Elements': [{{'ContractId': 'c'}}]}} AS ContractApplied, "
            "[{'key': 'team', 'value': 'data'}] AS AllocatedTags "
            f"FROM '{plain}') TO '{nested}' (FORMAT parquet)"
        )
    store.ingest("gcp", fetched(nested, "1"))
    expected = ('{"Elements":[{"ContractId":"c"}]}', "data")
    assert read(store, "ContractApplied", "AllocatedTags['team']") == [expected] * len(BILL)


def test_absent_ones_are_null_of_their_type(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    absent = [name for name in LATER if name != "ServiceProviderName"]
    assert read(store, *absent) == [(None,) * len(absent)] * len(BILL)
    types = {c.name: c.type.replace(", ", ",") for c in COLUMNS if c.since}
    with store.connect() as engine:
        found = engine.execute("DESCRIBE costs").fetchall()
    assert {row[0]: row[1].replace(", ", ",") for row in found if row[0] in types} == types


def test_a_service_provider_is_the_provider_of_earlier_versions(
    store: CostStore, tmp_path: Path
) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    assert read(store, "ServiceProviderName", "ProviderName") == [("AWS", "AWS")] * len(BILL)


def test_exports_of_all_versions_lie_beside_each_other(store: CostStore, tmp_path: Path) -> None:
    for cloud, version in zip(("azure", "aws", "gcp"), FocusVersion, strict=True):
        _ingest(store, tmp_path / cloud, _bill(cloud), version)
    with store.connect() as engine:
        for column in LATER:
            found = engine.execute(
                f"SELECT Cloud FROM costs WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY ALL"
            ).fetchall()
            since = next(c.since for c in COLUMNS if c.name == column)
            having = {"1.3": ["aws", "gcp"], "1.4": ["gcp"]}[since or ""]
            if column == "ServiceProviderName":
                having = ["aws", "azure", "gcp"]
            assert [cloud for (cloud,) in found] == having, column
        for dimension in ("HostProviderName", "ServiceName"):
            compared = compare_costs(
                engine, MONTH, SECOND, currency="USD", group_by=["Cloud", dimension]
            )
            for report in compared.reports:
                expected = _bill(report.cloud).totals().total.effective_cost
                assert report.total.amount == expected
    for period in store.snapshot().periods:
        assert check_quality(store, period.cloud, period.export, MONTH).sound


@pytest.mark.parametrize("order", [("1.2", "1.4"), ("1.4", "1.2")])
def test_a_later_version_may_append_to_an_earlier(
    store: CostStore, tmp_path: Path, order: tuple[str, str]
) -> None:
    for number, version in enumerate(order, start=1):
        given = LATER if version == "1.4" else {}
        file = write(tmp_path / f"{number}.csv", BILL, **given)
        append = fetched(file, str(number), style=CorrectionStyle.APPEND)
        store.ingest("aws", append, after="1" if number > 1 else None)
    assert sorted(map(str, read(store, "HostProviderName"))) == sorted(
        ["('AWS',)"] * len(BILL) + ["(None,)"] * len(BILL)
    )
    assert check_quality(store, "aws", "bucket/export", MONTH).rows == 2 * len(BILL)


def test_a_store_of_before_is_read(tmp_path: Path) -> None:
    store = _old_store(tmp_path)
    assert read(store, "BilledCost", "HostProviderName", "ServiceProviderName") == [
        (row.billed, None, "AWS") for row in sorted(BILL, key=lambda r: (r.day, r.billed))
    ]
    assert check_quality(store, "aws", "bucket/export", MONTH).rows == len(BILL)


def test_a_store_of_before_gets_the_columns_with_the_next_version(tmp_path: Path) -> None:
    store = _old_store(tmp_path)
    (raw,) = store.snapshot().periods[0].batches[0].raw
    exported = tmp_path / "store" / raw
    change = store.ingest("aws", fetched(_copy(exported, tmp_path / "2.csv"), "2"))
    assert change.days_written == (FIRST, SECOND)
    assert change.restatements == ()
    assert read(store, "HostProviderName", "AllocatedMethodId") == [("AWS", "split")] * len(BILL)
    again = store.ingest("aws", fetched(_copy(exported, tmp_path / "3.csv"), "3"))
    assert again.days_written == ()


def test_days_without_them_are_not_written_anew(tmp_path: Path, store: CostStore) -> None:
    for version in ("1", "2"):
        written = write(tmp_path / "a.csv", BILL)
        change = store.ingest("aws", fetched(written, version))
    assert change.days_written == ()


def _copy(source: Path, target: Path) -> Path:
    shutil.copy(source, target)
    return target


def _old_store(tmp_path: Path) -> CostStore:
    shutil.copytree(OLD, tmp_path / "store")
    return CostStore.open(tmp_path / "store")


def _bill(cloud: str) -> Bill:
    return Bill(BillOptions(cloud=cloud, billing_period=MONTH, days=4, rows=2_000, invoiced=True))


def _ingest(store: CostStore, directory: Path, bill: Bill, version: FocusVersion) -> None:
    directory.mkdir()
    written = write_bill(bill, directory, FileOptions(focus_version=version))
    example = fetched(written.paths[0], "1")
    period = ExportedPeriod(
        export=example.period.export,
        billing_period=MONTH,
        version="1",
        style=CorrectionStyle.REPLACE,
        exported_at=example.period.exported_at,
        rows=written.rows,
    )
    store.ingest(
        bill.options.cloud,
        FetchedPeriod(period=period, format=example.format, files=written.paths),
    )
