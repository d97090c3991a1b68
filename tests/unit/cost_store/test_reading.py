"""What exports write differently reads as one form; what can't be read is named."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from airflow_multicloud.core.cost.quality import check_quality
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.errors import CostAnalysisError

from .rows import MONTH, Row, fetched, write

BILL = [Row(MONTH, "EC2", Decimal("1.5"))]


def parquet(directory: Path, replace: str) -> Path:
    """A Parquet bill with columns of other types or names."""
    plain = write(directory / "plain.parquet", BILL)
    other = directory / "other.parquet"
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(f"COPY (SELECT {replace} FROM '{plain}') TO '{other}' (FORMAT parquet)")
    return other


def read(directory: Path, file: Path, column: str) -> object:
    store = CostStore.open(directory / "store")
    store.ingest("aws", fetched(file, "1"))
    with store.connect() as engine:
        ((value,),) = engine.execute(f"SELECT {column} FROM costs").fetchall()
    return value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b": null, "c": true}', {"a": "1", "b": None, "c": "true"}),
        ('[{"key": "a", "value": "1"}, {"key": "b", "value": null}]', {"a": "1", "b": None}),
        ("[]", {}),
        ("{}", {}),
        ("NULL", None),
        ("null", None),
        ("", None),
    ],
)
def test_tags_as_text(tmp_path: Path, text: str, expected: object) -> None:
    assert read(tmp_path, write(tmp_path / "a.csv", BILL, Tags=text), "Tags") == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("[{'key': 'a', 'value': '1'}, {'key': 'a', 'value': '2'}]", {"a": "2"}),
        ("[{'key': NULL::VARCHAR, 'value': '1'}, {'key': 'b', 'value': '2'}]", {"b": "2"}),
        ("[{'key': 'a', 'value': '1', 'inherited': true}]", {"a": "1"}),
        ("[]::STRUCT(key VARCHAR, value VARCHAR)[]", {}),
        ("NULL::STRUCT(key VARCHAR, value VARCHAR)[]", None),
        ("MAP {'a': '1'}", {"a": "1"}),
        ("{'a': '1', 'b': NULL::VARCHAR}", {"a": "1", "b": None}),
    ],
)
def test_tags_as_parquet_has_them(tmp_path: Path, sql: str, expected: object) -> None:
    file = parquet(tmp_path, f"* REPLACE ({sql} AS Tags)")
    assert read(tmp_path, file, "Tags") == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("MAP {'CoreCount': '4'}", {"CoreCount": "4"}),
        ("{'CoreCount': 4}", {"CoreCount": 4}),
        ("'{\"CoreCount\": 4}'", {"CoreCount": 4}),
    ],
)
def test_price_details_are_json(tmp_path: Path, sql: str, expected: object) -> None:
    """AWS's Parquet has a map there; its text in SQL is no JSON."""
    file = parquet(tmp_path, f"* REPLACE ({sql} AS SkuPriceDetails)")
    value = read(tmp_path, file, "SkuPriceDetails")
    assert isinstance(value, str)
    assert json.loads(value) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("*, 'new' AS ServiceProviderName", "AWS"),
        ("* REPLACE (NULL::VARCHAR AS ProviderName), 'new' AS ServiceProviderName", "new"),
        ("* EXCLUDE (ProviderName), 'draft' AS Provider", "draft"),
        ("* RENAME (ProviderName AS servicePROVIDERname)", "AWS"),
    ],
)
def test_a_provider_under_any_versions_name(tmp_path: Path, sql: str, expected: str) -> None:
    assert read(tmp_path, parquet(tmp_path, sql), "ProviderName") == expected


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2026-10-01T00:00Z", "2026-10-01"),  # Azure: no seconds
        ("2026-10-01 00:00:00 UTC", "2026-10-01"),  # BigQuery's text
        ("2026-10-01T01:00:00+02:00", "2026-09-30"),
        ("2026-10-01T00:00:00", "2026-10-01"),
    ],
)
def test_times_are_utc(tmp_path: Path, start: str, day: str) -> None:
    file = write(tmp_path / "a.csv", BILL, ChargePeriodStart=start)
    assert str(read(tmp_path, file, "ChargeDate")) == day


def test_scientific_notation_is_exact(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", BILL, BilledCost="1.5E-7")
    assert read(tmp_path, file, "BilledCost") == Decimal("0.00000015")


@pytest.mark.parametrize("value", ["'nan'::DOUBLE", "1e25::DOUBLE"])
def test_a_number_that_is_none_is_named(tmp_path: Path, value: str) -> None:
    file = parquet(tmp_path, f"* REPLACE ({value} AS ListCost)")
    with pytest.raises(CostAnalysisError, match=r"column ListCost of other\.parquet has") as failed:
        read(tmp_path, file, "ListCost")
    assert "which is no number" in str(failed.value)


def test_a_tag_named_twice_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", BILL, Tags='{"a": "1", "a": "2"}')
    with pytest.raises(CostAnalysisError, match="list of tags, each key once"):
        read(tmp_path, file, "Tags")


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    import gzip

    packed = gzip.compress(write(tmp_path / "a.csv", BILL * 50).read_bytes())
    for cut in (len(packed) // 2, len(packed) - 4):
        file = tmp_path / "cut.csv.gz"
        file.write_bytes(packed[:cut])
        with pytest.raises(CostAnalysisError, match="a file can't be read"):
            read(tmp_path, file, "count(*)")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_costs_with_more_places_than_are_kept_are_reported(tmp_path: Path, kind: str) -> None:
    cost = "0.123456789012"
    if kind == "csv":
        file = write(tmp_path / "a.csv", BILL, ListCost=cost, InvoiceIssuerName="AWS")
    else:
        file = parquet(
            tmp_path,
            f"* REPLACE ('{cost}'::DECIMAL(38, 18) AS ListCost, 'AWS' AS InvoiceIssuerName)",
        )
    assert read(tmp_path, file, "ListCost") == Decimal("0.1234567890")
    store = CostStore.open(tmp_path / "store")
    (finding,) = check_quality(store, "aws", "bucket/export", MONTH).findings
    assert (finding.rule, finding.column, finding.rows) == ("rounded", "ListCost", 1)
    assert finding.example.startswith(cost)
