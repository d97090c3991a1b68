"""Broken or forged state and bills end in one error that names the file, and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from airflow_multicloud.core.cost.quality import check_quality
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

from .forging import forge, snapshot_name
from .rows import MONTH, Row, fetched, write

BILL = [Row(MONTH + timedelta(days=n), "EC2", Decimal("1.5")) for n in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> CostStore:
    made = CostStore.open(tmp_path / "store")
    made.ingest("aws", fetched(write(tmp_path / "a.parquet", BILL), "1"))
    return made


def root(store: CostStore) -> Path:
    return store.files.directory


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def edited(text: str) -> str:
        doc = json.loads(text)
        change(doc)
        return json.dumps(doc)

    return edited


def day_of(doc: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = doc["periods"][0]["batches"][0]["days"][0]
    return found


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: "[" * 300_000, id="endless depth"),
        pytest.param(lambda _: "[]", id="a list"),
        pytest.param(lambda _: '{"format": 2}', id="nothing"),
        pytest.param(lambda _: '{"format": ' + "9" * 5_000 + "}", id="endless number"),
        pytest.param(lambda _: '{"format": true}', id="true is no number"),
        pytest.param(lambda _: "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), id="?"),
        pytest.param(edit(lambda d: d.update(periods={})), id="periods"),
        pytest.param(edit(lambda d: d.update(sequence=-1)), id="sequence"),
        pytest.param(edit(lambda d: d.update(restatements=7)), id="log"),
        pytest.param(edit(lambda d: d["periods"].append(d["periods"][0])), id="twice"),
        pytest.param(edit(lambda d: d["periods"][0].update(batches=[])), id="no version"),
        pytest.param(edit(lambda d: d["periods"][0].update(style="x")), id="style"),
        pytest.param(
            edit(lambda d: d["periods"][0].update(billing_period="9999-12-01")), id="9999"
        ),
        pytest.param(edit(lambda d: d["periods"][0].update(billing_period="2026-10-02")), id="2nd"),
        pytest.param(edit(lambda d: day_of(d).update(day=7)), id="day"),
        pytest.param(edit(lambda d: day_of(d).update(rows=1.5)), id="rows"),
        pytest.param(edit(lambda d: day_of(d).update(totals=[])), id="totals"),
        pytest.param(edit(lambda d: day_of(d).update(totals={"USD": ["1"] * 3})), id="three"),
        pytest.param(edit(lambda d: day_of(d).update(totals={"USD": ["NaN"] * 4})), id="NaN"),
        pytest.param(edit(lambda d: day_of(d).update(totals={"USD": ["1e99999"] * 4})), id="huge"),
        pytest.param(edit(lambda d: day_of(d).update(files="abc")), id="files"),
        pytest.param(
            edit(lambda d: d["periods"][0]["batches"][0].update(exported_at="2026-11-01")),
            id="no zone",
        ),
    ],
)
def test_a_forged_snapshot_is_named(store: CostStore, change: Callable[[str], str]) -> None:
    name = forge(root(store), change)
    with pytest.raises(CostAnalysisError) as caught, store.connect():
        pass
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert name in str(caught.value)
    assert str(root(store)) in str(caught.value)


@pytest.mark.parametrize(
    ("version", "todo"), [(3, "update airflow-multicloud"), (0, "ingest the exports into a new")]
)
@pytest.mark.parametrize("in_place", [True, False])
def test_a_snapshot_of_another_version_is_refused(
    store: CostStore, version: int, todo: str, in_place: bool
) -> None:
    change = edit(lambda doc: doc.update(format=version))
    if in_place:
        name = (root(store) / "CURRENT").read_text()
        path = root(store) / name
        path.write_text(change(path.read_text()))
    else:
        name = forge(root(store), change)
    for ask in (store.snapshot, store.prune, lambda: store.remove("bucket/export")):
        with pytest.raises(CostAnalysisError) as caught:
            ask()
        assert caught.value.kind is ErrorKind.UNSUPPORTED
        assert not caught.value.retryable
        said = str(caught.value)
        assert all(part in said for part in (str(root(store)), name, f"format {version}", todo))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * 100_000, b"snapshots/1.json"])
def test_a_broken_pointer_is_named(store: CostStore, content: bytes) -> None:
    (root(store) / "CURRENT").write_bytes(content)
    with pytest.raises(CostAnalysisError, match="CURRENT") as caught:
        store.snapshot()
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_a_pointer_to_nothing_is_named(store: CostStore) -> None:
    name = snapshot_name(b"")
    (root(store) / "CURRENT").write_text(name)
    with pytest.raises(CostAnalysisError, match=f"{name} is not there"):
        store.snapshot()


def no_parquet(store: CostStore, old: str) -> None:
    """Put a file in place of one that the snapshot vouches for, and that is no Parquet."""
    digest = hashlib.sha256(b"no parquet").hexdigest()
    new = old[: old.rindex("-") + 1] + digest + ".parquet"
    (root(store) / new).write_bytes(b"no parquet")
    forge(root(store), lambda text: text.replace(old, new))


@pytest.mark.parametrize("view", ["costs", "rollup"])
def test_files_of_another_shape_are_no_raw_errors(store: CostStore, view: str) -> None:
    """Files that the snapshot vouches for, and that are no Parquet all the same."""
    period = store.snapshot().periods[0]
    old = period.rollup if view == "rollup" else next(period.days()).files[0]
    assert old is not None
    no_parquet(store, old)
    broken = pytest.raises(CostAnalysisError, match="a file can't be read")
    with broken as caught, store.connect() as engine:
        engine.execute(f"SELECT sum(BilledCost) FROM {view}").fetchall()
    assert caught.value.kind is ErrorKind.INTEGRITY
    if view == "costs":
        with pytest.raises(CostAnalysisError, match="can't be read"):
            check_quality(store, "aws", "bucket/export", MONTH)


def test_a_check_of_two_exports_has_no_raw_errors(store: CostStore, tmp_path: Path) -> None:
    made = fetched(write(tmp_path / "b.parquet", BILL), "1")
    store.ingest("aws", replace(made, period=replace(made.period, export="bucket/other")))
    rollup = store.snapshot().periods[0].rollup
    assert rollup is not None
    no_parquet(store, rollup)
    with pytest.raises(
        CostAnalysisError, match="2026-10 of bucket/other in the cost store: a file"
    ):
        check_quality(store, "aws", "bucket/other", MONTH)


def test_a_wrong_query_stays_its_authors(store: CostStore) -> None:
    with pytest.raises(duckdb.BinderException), store.connect() as engine:
        engine.execute("SELECT NoSuchColumn FROM costs")


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"ChargePeriodStart": "294000-01-01 00:00:00+00"}, "ChargePeriodStart"),
        (
            {"ChargePeriodStart": "0001-01-01T00:00:00Z"},
            "column ChargePeriodStart has the day 0001",
        ),
        ({"ChargePeriodStart": "infinity"}, "ChargePeriodStart"),
        ({"BilledCost": "999999999999999999"}, None),
        ({"BilledCost": "1e400"}, "column BilledCost of x.csv has '1e400'"),
        ({"ListCost": "nan"}, "column ListCost of x.csv has 'nan'"),
        ({"Tags": '{"a":' * 5_000 + "1" + "}" * 5_000}, None),
        ({"Tags": '{"a": "1", "a": "2"}'}, "column Tags of x.csv"),
        ({"BillingPeriodEnd": "2026-13-01T00:00:00Z"}, "column BillingPeriodEnd of x.csv"),
    ],
)
def test_values_that_no_bill_has(
    store: CostStore, tmp_path: Path, extra: dict[str, str], said: str | None
) -> None:
    file = write(tmp_path / "x.csv", BILL, **extra)
    if said is None:  # odd, and no harm: it is kept
        assert store.ingest("aws", fetched(file, "2")).changed
        return
    before = store.snapshot()
    with pytest.raises(CostAnalysisError) as caught:
        store.ingest("aws", fetched(file, "2"))
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert said in str(caught.value)
    assert store.snapshot() == before


def cut(text: str, at: str) -> str:
    """The text up to where a value stands for the last time, and a part of that value."""
    return text[: text.rindex(at) + len(at) // 2]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: cut(text, "EC2"), "Expected Number of Columns"),
        (lambda text: text[: text.rindex(",")], "Expected Number of Columns"),
        (lambda text: cut(text, '"{""team""'), "unterminated quote"),
        (lambda text: text.replace("EC2", "EC2,more", 1), "Expected Number of Columns"),
        (lambda _: "", "x.csv is empty"),
        (lambda _: "\n\n", "x.csv is empty"),
        (lambda _: "\ufeff", "x.csv is empty"),
        (lambda text: text[:100], "x.csv is no FOCUS export: columns missing"),
        (lambda text: text.partition("\n")[2], "x.csv is no FOCUS export: columns missing"),
        (lambda text: text.replace("EC2", "EC\udcff", 1), "Invalid unicode"),
    ],
)
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_cut_or_empty_csv_part_is_named(
    store: CostStore,
    tmp_path: Path,
    damage: Callable[[str], str],
    said: str,
    parts: int,
    zipped: bool,
) -> None:
    good = write(tmp_path / "good.csv", BILL)
    body = damage(good.read_text()).encode("utf-8", "surrogateescape")
    bad = tmp_path / ("x.csv.gz" if zipped else "x.csv")
    bad.write_bytes(gzip.compress(body) if zipped else body)
    asked = fetched(bad, "2")
    files = (bad,) if parts == 1 else (good, bad)
    before = store.snapshot()
    with pytest.raises(CostAnalysisError) as caught:
        store.ingest("aws", type(asked)(period=asked.period, format=asked.format, files=files))
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert bad.name in str(caught.value)
    assert said.replace("x.csv", bad.name) in str(caught.value)
    assert store.snapshot() == before


def test_a_zipped_part_that_was_cut_is_named(store: CostStore, tmp_path: Path) -> None:
    text = write(tmp_path / "good.csv", BILL * 500).read_bytes()
    bad = tmp_path / "x.csv.gz"
    bad.write_bytes(gzip.compress(text)[:-30])
    with pytest.raises(CostAnalysisError, match=r"x\.csv\.gz"):
        store.ingest("aws", fetched(bad, "2"))


def test_parts_with_other_columns_are_read_by_name(tmp_path: Path) -> None:
    store = CostStore.open(tmp_path / "store")
    one = write(tmp_path / "a.csv", BILL[:1])
    other = write(tmp_path / "b.csv", BILL[1:], drop=("Tags", "InvoiceId"))
    asked = fetched(one, "1")
    store.ingest("aws", type(asked)(period=asked.period, format=asked.format, files=(one, other)))
    with store.connect() as engine:
        found = engine.execute("SELECT Tags, BilledCost FROM costs ORDER BY ChargeDate").fetchall()
    assert found == [({"team": "data"}, Decimal("1.5"))] + [(None, Decimal("1.5"))] * 2


def test_moments_are_kept_with_their_zone(store: CostStore) -> None:
    assert isinstance(store.snapshot().periods[0].exported_at, datetime)
