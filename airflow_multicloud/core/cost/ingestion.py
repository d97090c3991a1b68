"""Bring a store up to date with an export: fetch what is new, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.cost.exports import Export, since
from airflow_multicloud.core.cost.store import Change, CostStore
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle, ExportedPeriod

# Another run that appended or a cloud that rewrote meanwhile: look again, this many times.
_TRIES = 3

# What is wrong with one month of an export is no reason to leave the others unread.
_ONE_MONTHS = frozenset(
    {
        ErrorKind.INTEGRITY,
        ErrorKind.INVALID_ARGUMENT,
        ErrorKind.SOURCE_CHANGED,
        ErrorKind.UNSUPPORTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestedPeriod:
    """What became of one billing period of an export."""

    cloud: str
    export: str
    billing_period: date
    version: str
    change: Change

    DOCUMENT: ClassVar = Document(
        (
            *("cloud", "export", "billing_period", "changed", "reason", "final", "rows"),
            *("days_written", "restated_services"),
        )
    )

    @property
    def changed(self) -> bool:
        """Whether the store's content is another now."""
        return self.change.changed

    @property
    def reason(self) -> str:
        """Why it changed, or did not."""
        return self.change.reason

    @property
    def final(self) -> bool:
        """Whether the month will change no more."""
        return bool(self.change.period and self.change.period.final)

    @property
    def rows(self) -> int:
        """Of the month."""
        return self.change.rows

    @property
    def days_written(self) -> int:
        """How many charge days were written."""
        return len(self.change.days_written)

    @property
    def restated_services(self) -> int:
        """How many services' known days changed."""
        return len(self.change.restatements)


def ingest_export(
    export: Export,
    store: CostStore,
    *,
    first: date | None = None,
    last: date | None = None,
    until_final: bool = True,
) -> Iterator[IngestedPeriod]:
    """Ingest every billing period from the month of ``first`` to that of ``last``, oldest first.

    A period whose version the store already has is not fetched. Each period is complete in
    the store before the next begins. One that can't be read costs itself: the others are
    ingested, then the error is raised.

    :param until_final: ingest earlier months too that the store has and that are not final: a
        bill changes for days after its month.
    :raises CostAnalysisError: kind ``not_found`` when the export has no complete period of
        that time; else naming the periods that failed; all others are in the store.
    """
    periods = _wanted(export, store, first, last, until_final=until_final)
    failed: list[tuple[date, CostAnalysisError]] = []
    for period in periods:
        if period.billing_period in {month for month, _ in failed}:
            continue  # days of a month whose whole could not be read
        with operation(
            "cost.ingest",
            cloud__provider=export.cloud,
            multicloud__period=str(period.billing_period),
        ) as span:
            try:
                found = _ingest(export, store, period)
            except CostAnalysisError as err:
                if err.kind not in _ONE_MONTHS:
                    raise
                failed.append((period.billing_period, err))
                continue
            span.set_attribute("multicloud.rows", found.change.rows)
        yield found
    if failed:
        raise _all_of(failed)
    if not any(since(period, first) for period in periods):
        span_of = f"from {first:%Y-%m}" if first else "at all"
        raise CostAnalysisError(
            f"export {export.location} has no complete billing period {span_of}"
            f"{f' to {last:%Y-%m}' if last else ''}: none was written, or its manifest, which the "
            "cloud writes last, is not there yet",
            kind=ErrorKind.NOT_FOUND,
            cloud=export.cloud,
        )


def _wanted(
    export: Export, store: CostStore, first: date | None, last: date | None, *, until_final: bool
) -> list[ExportedPeriod]:
    """The periods asked for, and those before them that may still change."""
    changing = {
        period.billing_period
        for period in store.snapshot().periods
        if (period.cloud, period.export) == (export.cloud, export.path) and not period.final
    }
    return [
        period
        for period in export.periods(None, last)
        if since(period, first) or (until_final and period.billing_period in changing)
    ]


def _all_of(failed: Sequence[tuple[date, CostAnalysisError]]) -> CostAnalysisError:
    """One error of several months'."""
    first = failed[0][1]
    if len(failed) == 1:
        return first
    said = "; ".join(str(err) for _, err in failed)
    return CostAnalysisError(
        f"{len(failed)} billing periods were not ingested: {said}",
        kind=first.kind,
        cloud=first.cloud,
    )


def _ingest(export: Export, store: CostStore, period: ExportedPeriod) -> IngestedPeriod:
    for left in reversed(range(_TRIES)):
        prior = store.snapshot().period(export.cloud, export.path, period.billing_period)
        held = prior.version if prior else None
        after = None if period.style is CorrectionStyle.REPLACE else held
        if prior and any(batch.version == period.version for batch in prior.batches):
            change = Change(
                changed=False,
                reason="this version is already there",
                period=prior,
                rows=prior.rows,
            )
            return _told(export, period, change)
        try:
            what = f"fetching {period.billing_period:%Y-%m} of {export.path}"
            with (
                disk_errors(store.files.directory, what, needed=period.size),
                _directory(store) as directory,
            ):
                fetched = export.hook.fetch_billing_period(period, Path(directory), after=after)
                change = store.ingest(export.cloud, fetched, after=after)
            return _told(export, fetched.period, change)
        except CostAnalysisError as err:
            moved = {ErrorKind.SOURCE_CHANGED, ErrorKind.PRECONDITION_FAILED}
            if not left or err.kind not in moved:
                raise
            now = export.periods(period.billing_period, period.billing_period)
            period = next((p for p in now if p.days == period.days), period)
    raise AssertionError  # the last try returns or raises


def _directory(store: CostStore) -> tempfile.TemporaryDirectory[str]:
    """Beside the store's files, so that they are moved and not copied."""
    return store.files.workspace()


def _told(export: Export, period: ExportedPeriod, change: Change) -> IngestedPeriod:
    return IngestedPeriod(
        cloud=export.cloud,
        export=export.path,
        billing_period=period.billing_period,
        version=period.version,
        change=change,
    )
