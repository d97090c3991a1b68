"""The store: versions, restatements, refusals, both kinds of places."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from airflow_multicloud.core.cost.focus import COSTS
from airflow_multicloud.core.cost.store import CostStore, View
from airflow_multicloud.core.cost.store.bucket_files import BucketFiles
from airflow_multicloud.core.cost.store.local_files import LocalFiles
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.testing.memory_cloud.object_store import Hook, reset

from .rows import MONTH, Row, fetched, write

FIRST = MONTH + timedelta(days=4)
SECOND = MONTH + timedelta(days=5)
BILL = (
    Row(FIRST, "EC2", Decimal("1.5")),
    Row(FIRST, "S3", Decimal("0.1")),
    Row(SECOND, "EC2", Decimal("2.0000000001")),
)


@pytest.fixture(params=["directory", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CostStore:
    if request.param == "directory":
        return CostStore("store", LocalFiles(tmp_path / "store"))
    return CostStore("mem://costs/", bucket_files(tmp_path / "cache"))


def bucket_files(cache: Path) -> BucketFiles:
    hook = Hook("cost_store")
    reset("cost_store")
    hook.ensure_bucket("costs")
    return BucketFiles(Endpoint("memory", hook, Location("mem", None, "costs", "s/")), cache)


def total(store: CostStore, relation: str = "costs", column: str = "BilledCost") -> Decimal:
    with store.connect() as engine:
        found = engine.execute(f"SELECT coalesce(sum({column}), 0) FROM {relation}").fetchall()
    return Decimal(found[0][0])


def test_an_empty_store_has_empty_views(store: CostStore) -> None:
    with store.connect() as engine:
        for name in ("costs", "rollup", "periods", "restatements"):
            assert engine.execute(f"SELECT count(*) FROM {name}").fetchall() == [(0,)]
    assert store.current_version("aws", "bucket/export", MONTH) is None


def test_empty_and_full_views_have_the_same_types(store: CostStore, tmp_path: Path) -> None:
    def types() -> list[list[tuple[object, ...]]]:
        with store.connect() as engine:
            return [engine.execute(f"DESCRIBE {v}").fetchall() for v in ("costs", "rollup")]

    empty = types()
    store.ingest("aws", fetched(write(tmp_path / "a.parquet", BILL), "1"))
    assert types() == empty


@pytest.mark.parametrize("view", list(View))
def test_only_the_views_asked_for_are_made(store: CostStore, tmp_path: Path, view: View) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.parquet", BILL), "1"))
    with store.connect(views=[view]) as engine:
        assert engine.execute("SHOW TABLES").fetchall() == [(view.value,)]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_every_sum_is_exact(store: CostStore, tmp_path: Path, suffix: str) -> None:
    store.ingest("aws", fetched(write(tmp_path / f"a.{suffix}", BILL), "1", rows=3))
    expected = Decimal("3.6000000001")
    for factor, column in enumerate(COSTS, start=1):
        for relation in ("costs", "rollup"):
            assert total(store, relation, column) == expected * factor
    assert store.snapshot().periods[0].rows == 3


def test_the_same_version_again_changes_nothing(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    before = store.snapshot()
    change = store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    assert (change.changed, change.reason) == (False, "this version is already there")
    assert store.snapshot() == before


def test_a_restated_month_rewrites_only_its_changed_days(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    kept = {d.day: d.files for d in store.snapshot().periods[0].days()}
    new = (Row(FIRST, "EC2", Decimal("1.25")), *BILL[1:])
    change = store.ingest("aws", fetched(write(tmp_path / "b.csv", new), "2"))
    assert change.days_written == (FIRST,)
    now = {d.day: d.files for d in store.snapshot().periods[0].days()}
    assert now[SECOND] == kept[SECOND]
    assert now[FIRST] != kept[FIRST]
    (found,) = change.restatements
    assert (found.service_name, found.old_billed_cost, found.new_billed_cost) == (
        "EC2",
        Decimal("1.5"),
        Decimal("1.25"),
    )
    assert (found.first_day, found.last_day) == (FIRST, FIRST)
    assert total(store) == total(store, "rollup") == Decimal("3.3500000001")
    with store.connect() as engine:
        assert engine.execute("SELECT ServiceName, NewBilledCost FROM restatements").fetchall() == [
            ("EC2", Decimal("1.25"))
        ]


def test_a_new_day_is_news_and_a_vanished_service_is_a_restatement(
    store: CostStore, tmp_path: Path
) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    new = (BILL[0], BILL[2], Row(SECOND + timedelta(days=1), "EC2", Decimal(7)))
    change = store.ingest("aws", fetched(write(tmp_path / "b.csv", new), "2"))
    assert [(r.service_name, r.new_billed_cost) for r in change.restatements] == [("S3", 0)]
    assert total(store) == total(store, "rollup") == Decimal("10.5000000001")


def test_a_day_that_vanishes_is_gone(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    change = store.ingest("aws", fetched(write(tmp_path / "b.csv", BILL[2:]), "2"))
    assert change.days_written == (FIRST,)
    assert total(store) == total(store, "rollup") == Decimal("2.0000000001")


@pytest.mark.parametrize("style", [CorrectionStyle.APPEND, CorrectionStyle.ADJUST])
def test_styles_that_add_rows(store: CostStore, tmp_path: Path, style: CorrectionStyle) -> None:
    store.ingest("gcp", fetched(write(tmp_path / "a.csv", BILL), "1", style=style))
    correction = (Row(FIRST, "EC2", Decimal("-0.5"), charge_class="Correction"),)
    second = fetched(write(tmp_path / "b.csv", correction), "2", style=style)
    change = store.ingest("gcp", second, after="1")
    assert [(r.old_billed_cost, r.new_billed_cost) for r in change.restatements] == [
        (Decimal("1.5"), Decimal(1))
    ]
    assert total(store) == total(store, "rollup") == Decimal("3.1000000001")
    assert store.current_version("gcp", "bucket/export", MONTH) == "2"
    again = fetched(write(tmp_path / "b.csv", correction), "2", style=style)
    assert not store.ingest("gcp", again, after="1").changed
    late = fetched(write(tmp_path / "c.csv", correction), "3", style=style)
    with pytest.raises(CostAnalysisError, match="fetch again") as failed:
        store.ingest("gcp", late, after="1")
    assert failed.value.kind is ErrorKind.PRECONDITION_FAILED
    assert total(store) == Decimal("3.1000000001")


def test_an_older_version_does_not_replace_a_later_one(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", fetched(write(tmp_path / "b.csv", BILL), "2"))
    change = store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL[:1]), "1"))
    assert not change.changed
    assert "a later version" in change.reason
    assert total(store) == Decimal("3.6000000001")


def test_only_the_asked_days_are_opened(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    for relation in ("costs", "rollup"):
        with store.connect(start=SECOND, end=SECOND + timedelta(days=1)) as engine:
            found = engine.execute(f"SELECT sum(BilledCost) FROM {relation}").fetchall()
        assert found == [(Decimal("2.0000000001"),)]


def test_final_means_over_and_invoiced(store: CostStore, tmp_path: Path) -> None:
    def final(version: str, invoice: str | None, at: datetime) -> bool:
        rows = [Row(FIRST, "EC2", Decimal(int(version)), invoice=invoice)]
        file = write(tmp_path / "a.csv", rows)
        store.ingest("aws", fetched(file, version, exported_at=at))
        with store.connect() as engine:
            return bool(engine.execute("SELECT Final FROM periods").fetchall()[0][0])

    assert not final("1", "i1", datetime(2026, 10, 31, tzinfo=UTC))
    assert not final("2", None, datetime(2026, 11, 2, tzinfo=UTC))
    assert final("3", "i1", datetime(2026, 11, 3, tzinfo=UTC))


def broken() -> Iterator[tuple[str, object, str]]:
    yield "no rows", lambda d: fetched(write(d / "x.csv", []), "2"), "has no rows"
    yield (
        "wrong schema",
        lambda d: fetched(write(d / "x.csv", BILL, drop=("BilledCost", "ServiceName")), "2"),
        "no FOCUS export: columns missing: BilledCost, ServiceName",
    )
    yield (
        "row count",
        lambda d: fetched(write(d / "x.csv", BILL), "2", rows=4),
        "3 rows read, the export states 4",
    )
    yield (
        "bad number",
        lambda d: fetched(write(d / "x.csv", BILL, ListCost="12,50"), "2"),
        r"column ListCost of x\.csv has '12,50', which is no number",
    )
    yield (
        "bad time",
        lambda d: fetched(write(d / "x.csv", BILL, ChargePeriodEnd="soon"), "2"),
        "has 'soon', which is no time",
    )
    yield (
        "bad tags",
        lambda d: fetched(write(d / "x.csv", BILL, Tags="team=data"), "2"),
        "has 'team=data', which is no JSON object or list of tags",
    )
    yield (
        "empty required",
        lambda d: fetched(write(d / "x.csv", BILL, BillingCurrency="NULL"), "2"),
        r"rows without a value in BillingCurrency \(3\)",
    )
    yield "truncated", _truncated, "a file can't be read"


def _truncated(directory: Path) -> object:
    file = write(directory / "x.parquet", BILL)
    file.write_bytes(file.read_bytes()[:-100])
    return fetched(file, "2")


@pytest.mark.parametrize(
    ("bad", "message"), [(b, m) for _, b, m in broken()], ids=[name for name, _, _ in broken()]
)
def test_a_bad_export_is_refused_and_the_state_kept(
    store: CostStore, tmp_path: Path, bad, message: str
) -> None:
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    before = store.snapshot()
    with pytest.raises(CostAnalysisError, match=message) as failed:
        store.ingest("aws", bad(tmp_path))
    assert failed.value.kind is ErrorKind.INTEGRITY
    assert "2026-10 of bucket/export" in str(failed.value)
    assert store.snapshot() == before
    assert total(store) == Decimal("3.6000000001")


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT * RENAME (ProviderName AS ServiceProviderName)", "1.3"),
        ("SELECT * EXCLUDE (InvoiceId, PricingCurrency, SubAccountType)", "1.0"),
        ("SELECT *, 'x' AS InvoiceDetailId, 1 AS AllocatedMethodId", "1.4"),
        ("SELECT * REPLACE (BilledCost::DOUBLE AS BilledCost)", "doubles"),
        ("SELECT * REPLACE (MAP {'team': 'data'} AS Tags)", "map"),
        ("SELECT * REPLACE ([{'key': 'team', 'value': 'data'}] AS Tags)", "list"),
        ("SELECT * REPLACE (ChargePeriodStart::TIMESTAMP AS ChargePeriodStart)", "naive time"),
    ],
)
def test_other_versions_and_types_are_read(
    store: CostStore, tmp_path: Path, sql: str, names: str
) -> None:
    plain = write(tmp_path / "plain.parquet", BILL)
    other = tmp_path / "other.parquet"
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(f"COPY ({sql} FROM '{plain}') TO '{other}' (FORMAT parquet)")
    store.ingest("aws", fetched(other, "1"))
    with store.connect() as engine:
        found = engine.execute(
            "SELECT ServiceName, BilledCost, ProviderName, Tags, ChargeDate FROM costs ORDER BY ALL"
        ).fetchall()
    assert found == sorted((r.service, r.billed, "AWS", {"team": "data"}, r.day) for r in BILL)


def test_two_runs_at_once_both_land(store: CostStore, tmp_path: Path) -> None:
    """The second commits over the first's change of another cloud's period."""
    swap = store.files.swap
    raced = []

    def racing(*arguments: object) -> bool:
        if not raced:
            raced.append(True)
            store.ingest("gcp", fetched(write(tmp_path / "g.csv", BILL[:1]), "1"))
        return swap(*arguments)  # type: ignore[arg-type]

    object.__setattr__(store.files, "swap", racing)
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    assert raced
    assert {p.cloud for p in store.snapshot().periods} == {"aws", "gcp"}
    assert total(store) == Decimal("5.1000000001")


def test_two_runs_of_one_period_leave_the_later_version(store: CostStore, tmp_path: Path) -> None:
    swap = store.files.swap
    raced = []

    def racing(*arguments: object) -> bool:
        if not raced:
            raced.append(True)
            store.ingest("aws", fetched(write(tmp_path / "b.csv", BILL[:1]), "2"))
        return swap(*arguments)  # type: ignore[arg-type]

    object.__setattr__(store.files, "swap", racing)
    change = store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    assert not change.changed
    assert total(store) == Decimal("1.5")


def test_prune_deletes_what_nothing_needs(store: CostStore, tmp_path: Path) -> None:
    for version in range(1, 5):
        rows = [Row(FIRST, "EC2", Decimal(version)), BILL[2]]
        store.ingest("aws", fetched(write(tmp_path / "a.csv", rows), str(version)))
    held = {*store.files.names()}
    assert store.prune(keep=1) == ()  # too young: another run may be about to name them
    later = datetime.now(UTC) + timedelta(days=2)
    gone = {*store.prune(keep=1, now=later)}
    assert {*store.files.names()} == held - gone
    assert len([n for n in gone if n.startswith("snapshots/")]) == 3
    assert total(store) == total(store, "rollup") == Decimal("6.0000000001")
    assert store.prune(keep=1, now=later) == ()


def test_a_damaged_snapshot_is_named(tmp_path: Path) -> None:
    store = CostStore.open(tmp_path)
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    name = (tmp_path / "CURRENT").read_text()
    (tmp_path / name).write_text("{")
    with pytest.raises(CostAnalysisError, match=f"snapshot {name} can't be read"):
        store.snapshot()
    (tmp_path / name).unlink()
    with pytest.raises(CostAnalysisError, match="is not there"):
        store.snapshot()


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "bill.csv").touch()
    with pytest.raises(CostAnalysisError, match=r"store: .*bill\.csv is a file"):
        CostStore.open(tmp_path / "bill.csv")
