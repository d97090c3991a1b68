"""What a delivery is of, against what it replaces: days, nothing, the same account again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_multicloud.api import CloudCostAnalyzer
from airflow_multicloud.core.cost.quality import check_quality
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.snapshot import Period
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle, FetchedPeriod

from .rows import MONTH, Row, fetched, write
from .test_replays import counted, held

NOVEMBER = date(2026, 11, 1)


def on(day: int, amount: str, service: str = "EC2", invoice: str | None = "i") -> Row:
    return Row(MONTH.replace(day=day), service, Decimal(amount), invoice=invoice)


WHOLE = [on(day, "100") for day in range(1, 32)]
WEEK = [on(day, "90") for day in range(10, 16)]  # the sixteenth has nothing any more


def delivery(
    tmp_path: Path,
    rows: Sequence[Row],
    version: str,
    *,
    days: tuple[int, int] | None = None,
    export: str = "bucket/export",
    at: datetime | None = None,
    drop: Sequence[str] = (),
    **extra: str,
) -> FetchedPeriod:
    file = write(tmp_path / f"{version}-{export.replace('/', '-')}.csv", rows, drop=drop, **extra)
    made = fetched(file, version, exported_at=at)
    scope = days and (MONTH.replace(day=days[0]), MONTH.replace(day=days[1]))
    return replace(made, period=replace(made.period, days=scope, export=export))


def period(store: CostStore, export: str = "bucket/export") -> Period:
    found = store.snapshot().period("aws", export, MONTH)
    assert found is not None
    return found


# Days of a month


def test_selected_days_replace_these_days_alone(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", delivery(tmp_path, WHOLE, "1"))
    change = store.ingest("aws", delivery(tmp_path, WEEK, "2", days=(10, 16)))
    outside = [row for row in WHOLE if not 10 <= row.day.day <= 16]
    assert held(store) == counted(outside) + counted(WEEK)
    assert [day.day for day in change.days_written] == list(range(10, 17))
    assert sum(r.billed_change for r in change.restatements) == -160
    assert check_quality(store, "aws", "bucket/export", MONTH).sound
    # A day has one last word; the whole month, exported later, is the last of all days.
    again = store.ingest("aws", delivery(tmp_path, [on(11, "1")], "3", days=(11, 11)))
    assert [day.day for day in again.days_written] == [11]
    assert held(store)[MONTH.replace(day=11), "EC2", Decimal(1), "USD"] == 1
    store.ingest("aws", delivery(tmp_path, WHOLE, "4"))
    assert held(store) == counted(WHOLE)
    assert len(period(store).batches) == 1


def test_charges_of_other_days_than_said_are_refused(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", delivery(tmp_path, WHOLE, "1"))
    with pytest.raises(CostAnalysisError, match=r"of 2026-10-10 to 2026-10-12, but .* 2026-10-13"):
        store.ingest("aws", delivery(tmp_path, WEEK, "2", days=(10, 12)))
    assert held(store) == counted(WHOLE)


def test_days_of_two_months_are_refused(store: CostStore, tmp_path: Path) -> None:
    asked = delivery(tmp_path, WEEK, "2")
    days = (MONTH.replace(day=28), NOVEMBER.replace(day=3))
    asked = replace(asked, period=replace(asked.period, days=days))
    with pytest.raises(CostAnalysisError, match="of more than one billing period") as caught:
        store.ingest("aws", asked)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert store.snapshot().periods == ()


def test_days_alone_are_not_the_month(store: CostStore, tmp_path: Path) -> None:
    """A week is never final; weeks that make up the month are, once each was over."""
    late = datetime(2026, 11, 20, tzinfo=UTC)
    weeks = [(1, 10), (11, 20), (21, 31)]
    for number, (first, last) in enumerate(weeks, start=1):
        assert number == 1 or not period(store).final
        rows = [on(day, "1") for day in range(first, last + 1)]
        asked = delivery(tmp_path, rows, str(number), days=(first, last), at=late)
        store.ingest("aws", asked)
    assert period(store).final
    assert held(store) == counted([on(day, "1") for day in range(1, 32)])


def test_a_week_says_nothing_of_how_old_the_rest_is(store: CostStore, tmp_path: Path) -> None:
    old = datetime(2026, 10, 20, 6, tzinfo=UTC)
    store.ingest("aws", delivery(tmp_path, WHOLE[:20], "1", at=old))
    new = datetime(2026, 11, 20, tzinfo=UTC)
    store.ingest("aws", delivery(tmp_path, WEEK, "2", days=(10, 16), at=new))
    assert not period(store).final
    (report,) = CloudCostAnalyzer(store.root).compare_costs(MONTH, NOVEMBER).reports
    assert report.coverage.exported_at == old
    # The sixteenth has no charges any more; the twentieth was not over.
    assert report.coverage.days_covered == 18


# A month without rows


@pytest.mark.parametrize("files", [True, False])
def test_a_month_without_rows_is_one(store: CostStore, tmp_path: Path, files: bool) -> None:
    asked = delivery(tmp_path, [], "1")
    asked = replace(asked, files=asked.files if files else (), period=replace(asked.period, rows=0))
    change = store.ingest("aws", asked)
    assert (change.changed, change.reason) == (True, "the export has no rows of it yet")
    assert (period(store).rows, held(store)) == (0, counted([]))
    found = CloudCostAnalyzer(store.root).compare_costs(MONTH, NOVEMBER)
    assert found.missing == {"aws": "no charge from 2026-10-01 to before 2026-11-01"}
    # It is there, and the rows that come later are.
    store.ingest("aws", delivery(tmp_path, WHOLE, "2"))
    assert held(store) == counted(WHOLE)


def test_rows_that_vanish_are_refused_all_the_same(store: CostStore, tmp_path: Path) -> None:
    store.ingest("aws", delivery(tmp_path, WHOLE, "1"))
    for days in (None, (10, 16)):
        with pytest.raises(CostAnalysisError, match="no rows; what the store had of it is kept"):
            store.ingest("aws", delivery(tmp_path, [], "2", days=days))
    assert held(store) == counted(WHOLE)


def test_rows_that_were_promised_are_missed(store: CostStore, tmp_path: Path) -> None:
    asked = delivery(tmp_path, [], "1")
    with pytest.raises(CostAnalysisError, match="0 rows read, the export states 7"):
        store.ingest("aws", replace(asked, period=replace(asked.period, rows=7)))


# Final


@pytest.mark.parametrize(
    ("drop", "invoice", "day", "final"),
    [
        (("InvoiceId",), None, 9, False),
        (("InvoiceId",), None, 10, True),  # FOCUS 1.0 can't say more
        ((), None, 9, False),  # 1.2 can: it is not invoiced
        ((), None, 10, True),  # an export that leaves the column empty can't either
        ((), "i", 1, True),
    ],
)
def test_when_a_month_is_final(
    store: CostStore,
    tmp_path: Path,
    drop: tuple[str, ...],
    invoice: str | None,
    day: int,
    final: bool,
) -> None:
    at = datetime(2026, 11, day, tzinfo=UTC)
    rows = [on(5, "1", invoice=invoice), on(6, "1", invoice=invoice)]
    store.ingest("aws", delivery(tmp_path, rows, "1", at=at, drop=drop))
    assert period(store).final is final
    (report,) = CloudCostAnalyzer(store.root).compare_costs(MONTH, NOVEMBER).reports
    assert report.coverage.final is final


def test_a_month_of_which_one_charge_is_not_invoiced_is_not_final(
    store: CostStore, tmp_path: Path
) -> None:
    rows = [on(5, "1"), on(6, "1", invoice=None)]
    store.ingest("aws", delivery(tmp_path, rows, "1", at=datetime(2026, 11, 30, tzinfo=UTC)))
    assert not period(store).final


# The same account in two exports


def twice(store: CostStore, tmp_path: Path, first: Sequence[Row], second: Sequence[Row]) -> None:
    """An export, and the one that took its place."""
    for number, (name, rows) in enumerate((("focus-1-0", first), ("focus-1-2", second)), start=5):
        at = datetime(2026, 11, number, tzinfo=UTC)
        asked = delivery(tmp_path, rows, "1", export=f"b/exports/{name}", at=at)
        store.ingest("aws", asked)


def test_the_same_account_counts_once(store: CostStore, tmp_path: Path) -> None:
    newer = [*WHOLE[:-1], on(31, "101")]
    twice(store, tmp_path, WHOLE, newer)
    assert held(store) == counted(newer)
    found = CloudCostAnalyzer(store.root).compare_costs(MONTH, NOVEMBER, group_by=["RegionId"])
    (overlap,) = found.left_out
    assert (overlap.export, overlap.counted) == ("b/exports/focus-1-0", "b/exports/focus-1-2")
    assert (overlap.billed_cost, overlap.billing_currency) == (3100, "USD")
    assert (overlap.accounts, overlap.charges) == (1, 31)
    said = "31 charges of b/exports/focus-1-0 of 2026-10-01 to 2026-10-31, 3100.00 USD billed, are"
    assert f"{said} not counted: b/exports/focus-1-2 counts instead" in str(overlap)
    assert sum(r.total.amount for r in found.reports) == 6202  # effective
    # The one that ended does not make the figures look old.
    assert found.reports[0].coverage.exported_at == datetime(2026, 11, 6, tzinfo=UTC)
    (old,) = check_quality(store, "aws", "b/exports/focus-1-0", MONTH).findings[-1:]
    assert (old.rule, old.rows) == ("overlap", 31)
    new = check_quality(store, "aws", "b/exports/focus-1-2", MONTH)
    assert "overlap" not in {finding.rule for finding in new.findings}


def test_an_export_that_began_within_the_month_adds_to_the_one_that_ended(
    store: CostStore, tmp_path: Path
) -> None:
    twice(store, tmp_path, WHOLE[:12], [on(day, "7") for day in range(11, 32)])
    expected = [*WHOLE[:10], *(on(day, "7") for day in range(11, 32))]
    assert held(store) == counted(expected)


@pytest.mark.parametrize(
    ("first", "second", "doubled"),
    [
        ({"SubAccountId": "1"}, {"SubAccountId": "2"}, False),
        ({"BillingAccountId": "1"}, {"BillingAccountId": "2"}, False),
        ({"SubAccountId": ""}, {"SubAccountId": "1"}, False),
        ({"SubAccountId": ""}, {"SubAccountId": ""}, True),
        ({"SubAccountId": "/subscriptions/ABC"}, {"SubAccountId": "abc"}, True),
    ],
)
def test_what_is_the_same_account(
    store: CostStore,
    tmp_path: Path,
    first: dict[str, str],
    second: dict[str, str],
    doubled: bool,
) -> None:
    for name, extra in (("one", first), ("two", second)):
        store.ingest("azure", delivery(tmp_path, WHOLE, "1", export=name, **extra))
    assert sum(held(store).values()) == len(WHOLE) * (1 if doubled else 2)


def test_an_organisation_and_one_of_its_accounts(store: CostStore, tmp_path: Path) -> None:
    """The account counts once, the organisation's others stay."""
    org = tmp_path / "org"
    org.mkdir()
    both = [
        write(org / f"{account}.csv", WHOLE, SubAccountId=account) for account in ("one", "two")
    ]
    asked = delivery(tmp_path, WHOLE, "1", export="org")
    store.ingest("aws", replace(asked, files=tuple(both)))
    store.ingest("aws", delivery(tmp_path, WHOLE, "2", export="member", SubAccountId="two"))
    with store.connect() as engine:
        found = engine.execute(
            "SELECT SubAccountId, Export, sum(BilledCost) FROM costs GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == [("one", "org", 3100), ("two", "member", 3100)]


def test_an_export_can_be_taken_out(store: CostStore, tmp_path: Path) -> None:
    twice(store, tmp_path, WHOLE, WEEK)
    analyzer = CloudCostAnalyzer(store.root)
    with pytest.raises(CostAnalysisError, match="it has: aws b/exports/focus-1-0, aws b/") as lost:
        analyzer.remove_export("b/exports/other")
    assert lost.value.kind is ErrorKind.NOT_FOUND
    (gone,) = analyzer.remove_export("s3://any@b/exports/focus-1-2", month=date(2026, 10, 9))
    assert (gone.export, gone.month, gone.rows) == ("b/exports/focus-1-2", "2026-10", len(WEEK))
    assert held(store) == counted(WHOLE)
    assert [p.export for p in analyzer.stored_exports()] == ["b/exports/focus-1-0"]
    # Its files go later, and not the others'.
    names = set(store.files.names())
    later = datetime.now(UTC) + timedelta(days=2)
    doomed = set(store.prune(keep=1, now=later))
    assert any("focus-1-2" in name for name in doomed)
    assert not any("focus-1-0" in name for name in doomed)
    assert set(store.files.names()) == names - doomed
    assert held(store) == counted(WHOLE)


def test_the_same_name_in_two_clouds_must_be_told_apart(store: CostStore, tmp_path: Path) -> None:
    for cloud in ("aws", "azure"):
        store.ingest(cloud, delivery(tmp_path, WHOLE, "1"))
    with pytest.raises(CostAnalysisError, match="cloud: aws, azure each have"):
        store.remove("bucket/export")
    store.remove("bucket/export", cloud="azure")
    assert {p.cloud for p in store.snapshot().periods} == {"aws"}


# By billing period


@pytest.mark.parametrize("style", [CorrectionStyle.REPLACE, CorrectionStyle.APPEND])
def test_the_bill_of_a_month(store: CostStore, tmp_path: Path, style: CorrectionStyle) -> None:
    """A refund of June is on October's bill, and not among June's or October's charges."""
    refund = Row(date(2026, 6, 10), "EC2", Decimal(-400), charge_class="Correction", invoice="i")
    asked = delivery(tmp_path, [*WHOLE, refund], "1", at=datetime(2026, 11, 12, tzinfo=UTC))
    asked = replace(asked, period=replace(asked.period, style=style))
    store.ingest("aws", asked)
    analyzer = CloudCostAnalyzer(store.root, basis="billed")

    def total(start: date, end: date, by: str | None, group_by: str = "ServiceName") -> str:
        found = analyzer.compare_costs(start, end, group_by=[group_by], by=by)
        return str(found.reports[0].total).partition(" (")[0] if found.reports else "none"

    for group_by in ("ServiceName", "RegionId"):  # of the rollup, and of the charges
        billed = total(MONTH, NOVEMBER, None, group_by)
        assert billed == "2700.00 USD billed by billing period"
        charged = total(MONTH, NOVEMBER, "charge_day", group_by)
        assert charged == "3100.00 USD billed by charge day"
    assert total(date(2026, 6, 1), date(2026, 7, 1), "charge_day") == (
        "-400.00 USD billed by charge day"
    )
    assert total(date(2026, 6, 1), date(2026, 7, 1), None) == "none"
    # Days are no bill.
    assert total(MONTH, MONTH.replace(day=11), None) == "1000.00 USD billed by charge day"
    with pytest.raises(CostAnalysisError, match="by: billing_period needs whole months"):
        total(MONTH, MONTH.replace(day=11), "billing_period")
    with pytest.raises(CostAnalysisError, match="by: 'invoice' given, expected one of charge_day"):
        total(MONTH, NOVEMBER, "invoice")
    # Other bases are of days, unless the bill is asked for.
    effective = CloudCostAnalyzer(store.root)
    (report,) = effective.compare_costs(MONTH, NOVEMBER).reports
    assert (report.by, report.total.amount) == ("charge_day", 6200)
    (report,) = effective.compare_costs(MONTH, NOVEMBER, by="billing_period").reports
    assert (report.by, report.total.amount, report.coverage.days_covered) == (
        "billing_period",
        5400,
        31,
    )


def test_the_smallest_bill_leaves_out_the_charges_of_other_months(
    store: CostStore, tmp_path: Path
) -> None:
    """A refund of June on October's bill makes no day of October cheaper."""
    refund = Row(date(2026, 6, 10), "EC2", Decimal(-400), charge_class="Correction", invoice="i")
    at = datetime(2026, 11, 12, tzinfo=UTC)
    store.ingest("aws", delivery(tmp_path, [*WHOLE, refund], "1", at=at))
    less = [on(day, "95") for day in range(1, 32)]
    store.ingest("azure", delivery(tmp_path, less, "2", at=at))
    reports = CloudCostAnalyzer(store.root, basis="billed").compare_costs(MONTH, NOVEMBER).reports
    assert {r.cloud: r.total.amount for r in reports} == {"aws": 2700, "azure": 2945}
    found = CloudCostAnalyzer.get_smallest_bill(reports)
    assert [(r.cloud, r.per_day) for r in found.ranking] == [("azure", 95), ("aws", 100)]


def test_tags_that_differ_in_case_are_one(store: CostStore, tmp_path: Path) -> None:
    rows = [
        replace(on(1, "1"), tags='{"team": "a", "Team": "z"}'),
        replace(on(2, "2"), tags='{"Team": "a"}'),
        replace(on(3, "4"), tags='{"TEAM": "b", "tEAM": "c"}'),
        replace(on(4, "8"), tags='{"teams": "a"}'),
        replace(on(5, "16"), tags=None),
    ]
    store.ingest("aws", delivery(tmp_path, rows, "1"))
    found = CloudCostAnalyzer(store.root, basis="billed").compare_costs(
        MONTH, NOVEMBER, group_by=["tag:team"]
    )
    lines = {line.group: line.costs.billed for line in found.reports[0].lines}
    assert lines == {("a",): 3, ("b",): 4, ("(none)",): 24}
