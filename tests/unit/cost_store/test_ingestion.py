"""A night's run: which months are read, how often, and what one that can't be read costs."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from airflow_multicloud.core.cost.exports import Export
from airflow_multicloud.core.cost.ingestion import IngestedPeriod, ingest_export
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.bills import Bill, BillOptions
from airflow_multicloud.testing.bills.memory_exports import MemoryExport
from airflow_multicloud.testing.memory_cloud.cost import MemoryCostHook

SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))

#: October without invoices is final when it was exported on November 10th or later.
STILL_OPEN, SETTLED = (datetime(2026, 11, day, tzinfo=UTC) for day in (9, 10))


class Nights:
    """An export and the store that it is read into."""

    def __init__(self, tmp_path: Path) -> None:
        self.hook = MemoryCostHook(f"memory_{uuid.uuid4().hex}")
        self.hook.store.ensure_bucket("bills")
        self.writer = MemoryExport(store=self.hook.store, bucket="bills")
        location = Location("memory", None, "bills", "exports/focus")
        self.export = Export("memory", location, self.hook)
        self.store = CostStore.open(tmp_path / "store")

    def publish(self, month: date, seed: int = 1, at: datetime | None = None, **bill: bool) -> None:
        options = BillOptions(cloud="aws", billing_period=month, days=3, rows=40, seed=seed, **bill)
        self.writer.publish(Bill(options), exported_at=at)

    def spoil(self, month: date) -> None:
        key = self.writer.manifest_key(month)
        ref = ObjectRef("bills", key)
        text = bytes(self.hook.store.get_object(ref).read())
        self.hook.store.put_object(ref, text.replace(b'"rows": 4', b'"rows": 5'))

    def run(self, first: date | None, last: date, **options: bool) -> dict[date, bool]:
        """What was read → whether it was new."""
        found: list[IngestedPeriod] = []
        found += ingest_export(self.export, self.store, first=first, last=last, **options)
        return {period.billing_period: period.change.changed for period in found}


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def test_months_are_read_again_until_they_are_final(nights: Nights) -> None:
    nights.publish(OCTOBER, at=STILL_OPEN)
    assert nights.run(OCTOBER, OCTOBER) == {OCTOBER: True}
    nights.publish(NOVEMBER)
    assert nights.run(NOVEMBER, NOVEMBER) == {OCTOBER: False, NOVEMBER: True}
    nights.publish(OCTOBER, seed=2, at=SETTLED)
    assert nights.run(NOVEMBER, NOVEMBER, until_final=False) == {NOVEMBER: False}
    assert nights.run(NOVEMBER, NOVEMBER) == {OCTOBER: True, NOVEMBER: False}
    assert nights.run(NOVEMBER, NOVEMBER) == {NOVEMBER: False}


def test_a_final_month_is_left_alone_unless_it_is_asked_for(nights: Nights) -> None:
    nights.publish(SEPTEMBER, invoiced=True, at=datetime(2026, 10, 7, tzinfo=UTC))
    nights.publish(OCTOBER)
    assert nights.run(SEPTEMBER, OCTOBER) == {SEPTEMBER: True, OCTOBER: True}
    assert nights.run(OCTOBER, OCTOBER) == {OCTOBER: False}
    assert nights.run(SEPTEMBER, OCTOBER) == {SEPTEMBER: False, OCTOBER: False}


def test_a_month_that_was_never_asked_for_is_not_read(nights: Nights) -> None:
    nights.publish(SEPTEMBER)
    nights.publish(OCTOBER)
    assert nights.run(OCTOBER, OCTOBER) == {OCTOBER: True}


def test_the_first_of_a_month_reads_the_month_before_all_the_same(nights: Nights) -> None:
    nights.publish(OCTOBER, at=STILL_OPEN)
    nights.run(OCTOBER, OCTOBER)
    nights.publish(OCTOBER, seed=2, at=datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(CostAnalysisError, match="no complete billing period from 2026-11"):
        nights.run(NOVEMBER, NOVEMBER)
    (period,) = nights.store.snapshot().periods
    assert period.exported_at.year == 2030


def test_a_month_that_cant_be_read_costs_itself(nights: Nights) -> None:
    for month in (SEPTEMBER, OCTOBER, NOVEMBER):
        nights.publish(month)
    nights.spoil(OCTOBER)
    with pytest.raises(CostAnalysisError, match=r"2026-10.*the manifest says") as caught:
        nights.run(SEPTEMBER, NOVEMBER)
    assert caught.value.kind is ErrorKind.INTEGRITY
    held = [period.billing_period for period in nights.store.snapshot().periods]
    assert held == [SEPTEMBER, NOVEMBER]
    nights.spoil(SEPTEMBER)
    nights.publish(SEPTEMBER, seed=2)
    nights.spoil(SEPTEMBER)
    with pytest.raises(CostAnalysisError, match=r"2 billing periods were not ingested: .*; .*"):
        nights.run(SEPTEMBER, NOVEMBER)
