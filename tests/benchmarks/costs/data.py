"""The bills and stores that are measured, kept from one run to the next."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)
from airflow_multicloud.testing.bills import (
    Bill,
    BillOptions,
    FileOptions,
    Restatement,
    write_bill,
)

CLOUDS = ("aws", "azure", "gcp")
MONTH = date(2026, 9, 1)
END = date(2026, 10, 1)
RESTATED_DAY = 17
#: More rows than these are the same files again, as further exports of each cloud.
MOST_GENERATED = 10_000_000
_COLUMNS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
_EXPORTED = datetime(2026, 10, 6, tzinfo=UTC)
_FILES = FileOptions(count=10)


@dataclass(frozen=True, slots=True)
class Written:
    """One version of one cloud's bill on disk, with what its generator says it adds up to."""

    cloud: str
    rows: int
    files: tuple[Path, ...]
    costs: tuple[Decimal, ...]

    def fetched(self, directory: Path, *, export: str, version: str) -> FetchedPeriod:
        """As a cost port hands it over: files of its own, which the store moves away."""
        directory.mkdir(parents=True)
        copies = []
        for file in self.files:
            copy = directory / file.name
            os.link(file, copy)
            copies.append(copy)
        period = ExportedPeriod(
            export=export,
            billing_period=MONTH,
            version=version,
            style=CorrectionStyle.REPLACE,
            exported_at=_EXPORTED,
            rows=self.rows,
        )
        return FetchedPeriod(period=period, format=FileFormat.PARQUET, files=tuple(copies))


@dataclass(frozen=True, slots=True)
class Lake:
    """A store of three clouds' bills.

    :param costs: billed, effective, list and contracted, of all rows.
    """

    root: Path
    rows: int
    costs: tuple[Decimal, ...]

    @property
    def files(self) -> list[Path]:
        """The canonical Parquet files, which the peers read too."""
        return sorted((self.root / "focus").rglob("*.parquet"))


def three_clouds(cache: Path, rows: int) -> Lake:
    """A store with a third of the rows from each cloud, all in US dollars."""
    repeated = -(-rows // MOST_GENERATED)
    each = rows // repeated // len(CLOUDS)
    bills = []
    for cloud in CLOUDS:
        options = BillOptions(cloud=cloud, billing_period=MONTH, rows=each, invoiced=True)
        bills.append(_written(cache, f"{cloud}-{each}", Bill(options)))
    root = cache / f"store-{rows}"
    if not _complete(root).exists():
        shutil.rmtree(root, ignore_errors=True)
        for number in range(repeated):
            _ingest(root, bills, f"focus-{number}")
        _complete(root).touch()
    costs = tuple(repeated * sum(found) for found in zip(*(b.costs for b in bills), strict=True))
    return Lake(root, each * len(CLOUDS) * repeated, costs)


def one_month(cache: Path, rows: int) -> tuple[Path, Written, Written]:
    """A store with one cloud's month; its bill, and the same with one day restated."""
    options = BillOptions(cloud="aws", billing_period=MONTH, rows=rows, invoiced=True)
    bill = Bill(options)
    first = _written(cache, f"month-{rows}-1", bill)
    restatement = Restatement(
        style=CorrectionStyle.REPLACE, service=min(options.services), day=RESTATED_DAY
    )
    second = _written(cache, f"month-{rows}-2", bill.restate(restatement))
    root = cache / f"store-month-{rows}"
    if not _complete(root).exists():
        shutil.rmtree(root, ignore_errors=True)
        _ingest(root, [first], "focus")
        _complete(root).touch()
    return root, first, second


def copy_store(root: Path, target: Path) -> None:
    """A store that may be changed: its files are never written to, so links will do."""
    shutil.copytree(root, target, copy_function=os.link, dirs_exist_ok=True)
    pointer = target / "CURRENT"
    text = pointer.read_bytes()
    pointer.unlink()
    pointer.write_bytes(text)


def _complete(root: Path) -> Path:
    return root.with_name(f"{root.name}.complete")


def _ingest(root: Path, bills: Sequence[Written], export: str) -> None:
    store = CostStore.open(root)
    with tempfile.TemporaryDirectory(dir=root.parent) as directory:
        for bill in bills:
            place = Path(directory) / bill.cloud
            store.ingest(bill.cloud, bill.fetched(place, export=export, version="1"))


def _written(cache: Path, name: str, bill: Bill) -> Written:
    directory = cache / name
    notes = directory / "notes.json"
    if not notes.exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        made = write_bill(bill, directory, _FILES)
        total = made.totals.total
        costs = (total.billed_cost, total.effective_cost, total.list_cost, total.contracted_cost)
        document = {
            "rows": made.rows,
            "files": [path.name for path in made.paths],
            "costs": [str(cost) for cost in costs],
        }
        notes.write_text(json.dumps(document))
    known = json.loads(notes.read_text())
    return Written(
        cloud=bill.options.cloud,
        rows=known["rows"],
        files=tuple(directory / file for file in known["files"]),
        costs=tuple(Decimal(cost) for cost in known["costs"]),
    )
