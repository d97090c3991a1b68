"""What every cloud's bill must do (the port ``Cost``)."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.core.cost.reading import open_source
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle, FileFormat
from airflow_multicloud.testing.bills import Bill, BillOptions, FileOptions, Restatement
from airflow_multicloud.testing.bills.generate import sum_rows
from airflow_multicloud.testing.contracts.cost.rigs import Damage
from airflow_multicloud.testing.contracts.object_store.checks import only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.ports.cost import ExportedPeriod, FetchedPeriod
    from airflow_multicloud.testing.bills import Totals
    from airflow_multicloud.testing.contracts.cost.rigs import CostRig

SEPTEMBER = date(2026, 9, 1)
AUGUST = date(2026, 8, 1)
_ROWS = 400
_DAYS = 10


class CostContract:
    """The port's ``Cost``."""

    needs: ClassVar[tuple[type, ...]] = ()

    # Listing

    def test_lists_nothing(self, cost_rig: CostRig) -> None:
        """An export that has delivered nothing yet is no error."""
        assert list(cost_rig.hook.list_billing_periods(cost_rig.export)) == []

    def test_missing_place(self, cost_rig: CostRig) -> None:
        """A bucket, container or table that is not there is ``not_found``."""
        for export in cost_rig.missing_exports():
            with fails(cost_rig, ErrorKind.NOT_FOUND):
                cost_rig.hook.list_billing_periods(export)

    @pytest.mark.parametrize("export", ["", "alone", "/"])
    def test_malformed_export(self, cost_rig: CostRig, export: str) -> None:
        """What can be no export is refused, and the message says what one looks like."""
        with fails(cost_rig, ErrorKind.INVALID_ARGUMENT) as caught:
            cost_rig.hook.list_billing_periods(export)
        assert "/" in str(caught.value).replace(export, "", 1)

    def test_says_what_is_there(self, cost_rig: CostRig) -> None:
        """Every field of a period is that of what was delivered."""
        published = cost_rig.publish(bill_of(cost_rig))
        period = only(cost_rig.hook.list_billing_periods(cost_rig.export))
        assert period.export == cost_rig.export
        assert period.billing_period == SEPTEMBER
        assert period.style is cost_rig.style
        assert period.version
        assert period.exported_at.utcoffset() == timedelta(0)
        assert abs(period.exported_at - datetime.now(UTC)) < timedelta(minutes=10)
        assert period.rows in (None, published.rows)

    def test_oldest_first(self, cost_rig: CostRig) -> None:
        """Whatever the order of delivery."""
        for month in (SEPTEMBER, date(2026, 10, 1), AUGUST):
            cost_rig.publish(bill_of(cost_rig, month))
        found = [p.billing_period for p in cost_rig.hook.list_billing_periods(cost_rig.export)]
        assert found == [AUGUST, SEPTEMBER, date(2026, 10, 1)]

    def test_under_way_is_left_out(self, cost_rig: CostRig) -> None:
        """Files without what the cloud writes last are no period; older periods stay."""
        cost_rig.publish(bill_of(cost_rig, AUGUST))
        cost_rig.publish(bill_of(cost_rig), complete=False)
        found = [p.billing_period for p in cost_rig.hook.list_billing_periods(cost_rig.export)]
        assert found == [AUGUST]

    def test_neighbours_are_not_mixed(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """An export whose name begins with another's is another."""
        sibling = cost_rig.sibling()
        theirs = bill_of(cost_rig, seed=2)
        mine = bill_of(cost_rig)
        sibling.publish(theirs)
        assert list(cost_rig.hook.list_billing_periods(cost_rig.export)) == []
        cost_rig.publish(mine)
        assert same(fetched(cost_rig, tmp_path / "mine"), mine)
        assert same(fetched(sibling, tmp_path / "theirs"), theirs)

    # Fetching

    @pytest.mark.parametrize("form", [pytest.param(form, id=form) for form in FileFormat])
    def test_adds_up(self, cost_rig: CostRig, tmp_path: Path, form: FileFormat) -> None:
        """Every dimension's breakdown is the bill's, to the last decimal."""
        if form not in cost_rig.formats:
            pytest.skip(f"{cost_rig.export} is never written as {form}")
        bill = bill_of(cost_rig)
        published = cost_rig.publish(bill, files=FileOptions(format=form, count=3))
        found = fetched(cost_rig, tmp_path / "files")
        assert same(found, bill)
        assert found.period.rows in (None, published.rows)
        assert all(path.is_relative_to(tmp_path / "files") for path in found.files)

    def test_same_again(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """What did not change has the same version, and the same files in the same order."""
        cost_rig.publish(bill_of(cost_rig), files=FileOptions(count=2))
        first, second = fetched(cost_rig, tmp_path / "a"), fetched(cost_rig, tmp_path / "b")
        assert first.period == second.period
        assert [p.name for p in first.files] == [p.name for p in second.files]
        assert [p.read_bytes() for p in first.files] == [p.read_bytes() for p in second.files]

    def test_one_month_only(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """A fetch brings the rows of its own billing period."""
        bills = {month: bill_of(cost_rig, month) for month in (AUGUST, SEPTEMBER)}
        for bill in bills.values():
            cost_rig.publish(bill)
        for month, bill in bills.items():
            assert same(fetched(cost_rig, tmp_path / f"{month}", month), bill)

    @pytest.mark.parametrize("damage", [pytest.param(damage, id=damage) for damage in Damage])
    def test_damage(self, cost_rig: CostRig, tmp_path: Path, damage: Damage) -> None:
        """A delivery that is not whole is never taken for one."""
        published = cost_rig.publish(bill_of(cost_rig), files=FileOptions(count=2))
        cost_rig.damage(published, damage)
        with fails(cost_rig, ErrorKind.INTEGRITY) as caught:
            fetched(cost_rig, tmp_path / "files")
        assert caught.value.retryable

    # Restating

    def test_restated(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """A correction is another version; the period is whole with it."""
        bill = bill_of(cost_rig)
        cost_rig.publish(bill)
        before = period_of(cost_rig)
        restated = restate(cost_rig, bill)
        cost_rig.publish(restated)
        after = period_of(cost_rig)
        assert after.version != before.version
        assert after.exported_at >= before.exported_at
        assert same(fetched(cost_rig, tmp_path / "files"), restated)

    def test_only_what_is_newer(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """``after``: the rows added since, in styles that append; replaced periods are whole."""
        bill = bill_of(cost_rig)
        cost_rig.publish(bill)
        before = period_of(cost_rig)
        restated = restate(cost_rig, bill)
        cost_rig.publish(restated)
        since = 0 if cost_rig.style is CorrectionStyle.REPLACE else 1
        found = fetched(cost_rig, tmp_path / "files", after=before.version)
        assert totals_of(found, bill) == restated.totals(since=since)

    def test_listed_before_it_was_restated(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """Fetching an old version gives ``source_changed``, or exactly that version."""
        bill = bill_of(cost_rig)
        cost_rig.publish(bill)
        before = period_of(cost_rig)
        cost_rig.publish(restate(cost_rig, bill))
        assert_old_or_changed(cost_rig, before, bill, tmp_path)

    def test_under_way_again(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """While files are rewritten and the manifest is still the old one: the same."""
        bill = bill_of(cost_rig)
        cost_rig.publish(bill)
        before = period_of(cost_rig)
        cost_rig.publish(restate(cost_rig, bill), complete=False)
        assert_old_or_changed(cost_rig, before, bill, tmp_path)

    def test_restated_while_fetched(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """Files of two versions are never mixed."""
        bill = bill_of(cost_rig)
        files = FileOptions(count=3)
        cost_rig.publish(bill, files=files)
        before = period_of(cost_rig)
        restated = restate(cost_rig, bill)
        with cost_rig.while_fetching(lambda: cost_rig.publish(restated, files=files)):
            assert_old_or_changed(cost_rig, before, bill, tmp_path)
        assert same(fetched(cost_rig, tmp_path / "again"), restated)

    def test_unknown_version(self, cost_rig: CostRig, tmp_path: Path) -> None:
        """A period of a month that is gone is ``source_changed`` or ``not_found``."""
        cost_rig.publish(bill_of(cost_rig))
        sibling = cost_rig.sibling()
        sibling.publish(bill_of(cost_rig, AUGUST))
        gone = period_of(sibling, AUGUST)
        with fails(cost_rig, ErrorKind.SOURCE_CHANGED, ErrorKind.NOT_FOUND):
            fetch(cost_rig, replace(gone, export=cost_rig.export), tmp_path / "files")


def bill_of(rig: CostRig, month: date = SEPTEMBER, *, seed: int = 1) -> Bill:
    """A small bill with every kind of row."""
    euros = rig.bill_cloud == "azure"
    return Bill(
        BillOptions(
            cloud=rig.bill_cloud,
            billing_period=month,
            days=_DAYS,
            rows=_ROWS,
            seed=seed,
            currency="EUR" if euros else "USD",
        )
    )


def restate(rig: CostRig, bill: Bill) -> Bill:
    """The bill corrected on one day, in the rig's style."""
    with_rows = bill.totals().by["ServiceName"]
    service = max(bill.options.services, key=lambda name: with_rows[name].rows)
    return bill.restate(Restatement(style=rig.style, service=service, day=3))


def period_of(rig: CostRig, month: date = SEPTEMBER) -> ExportedPeriod:
    """The one period of this month."""
    found = rig.hook.list_billing_periods(rig.export)
    return only(period for period in found if period.billing_period == month)


def fetch(
    rig: CostRig, period: ExportedPeriod, directory: Path, *, after: str | None = None
) -> FetchedPeriod:
    """Into a new directory."""
    directory.mkdir(parents=True)
    return rig.hook.fetch_billing_period(period, directory, after=after)


def fetched(
    rig: CostRig, directory: Path, month: date = SEPTEMBER, *, after: str | None = None
) -> FetchedPeriod:
    """The newest version of a month."""
    return fetch(rig, period_of(rig, month), directory, after=after)


def totals_of(found: FetchedPeriod, bill: Bill) -> Totals:
    """What the files add up to, as the cost store reads them."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        source = open_source(connection, found)
        canonical = source.select()
        rows = f"SELECT * REPLACE (CAST(Tags AS JSON) AS Tags) FROM ({canonical})"  # noqa: S608
        return sum_rows(connection, bill, rows)


def same(found: FetchedPeriod, bill: Bill) -> bool:
    """Whether the files add up to what the bill does, in every dimension."""
    assert totals_of(found, bill) == bill.totals()
    return True


def assert_old_or_changed(rig: CostRig, period: ExportedPeriod, bill: Bill, base: Path) -> None:
    """The fetch gives exactly the version asked for, or says that it changed."""
    try:
        found = fetch(rig, period, base / "old")
    except CostAnalysisError as err:
        if err.kind is not ErrorKind.SOURCE_CHANGED:
            raise
    else:
        assert found.period.version == period.version
        assert same(found, bill)


@contextmanager
def fails(rig: CostRig, *kinds: ErrorKind) -> Iterator[pytest.ExceptionInfo[CostAnalysisError]]:
    """The block must raise a cost error of one of these kinds, of the rig's cloud."""
    with pytest.raises(CostAnalysisError) as caught:
        yield caught
    error = caught.value
    if error.kind not in kinds:
        pytest.fail(f"kind {error.kind}, not {' or '.join(kinds)}: {error}")
    if error.cloud != rig.cloud:
        pytest.fail(f"cloud {error.cloud}, not {rig.cloud}: {error}")
