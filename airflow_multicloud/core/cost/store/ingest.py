"""From an exported version to the next snapshot.

All files are written first, under names that nothing refers to yet; then the snapshot; then
the pointer is swapped. A crash before the swap leaves the old state and files that
:mod:`~airflow_multicloud.core.cost.store.prune` removes; after it, the new state.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from airflow_multicloud.core.cost.disk import disk_errors, full_disk
from airflow_multicloud.core.cost.reading import reading_errors
from airflow_multicloud.core.cost.store.build import Ingestion
from airflow_multicloud.core.cost.store.current import (
    TRIES,
    State,
    load,
    outrun,
    write_snapshot,
)
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.restatements import log_restatements
from airflow_multicloud.core.cost.store.snapshot import Change, Period
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.months import next_month
from airflow_multicloud.ports.cost import CorrectionStyle, ExportedPeriod, FetchedPeriod


def ingest(
    files: Files, cloud: str, fetched: FetchedPeriod, *, after: str | None, now: datetime
) -> Change:
    """Make one fetched version part of the store, exactly once.

    :param after: for styles that append, the version that the fetched rows follow.
    :raises CostAnalysisError: kind ``integrity`` for files that can't be read as FOCUS, kind
        ``precondition_failed`` when another run appended meanwhile (fetch again).
    """
    check_scope(fetched.period)
    raw: tuple[str, ...] = ()
    for _ in range(TRIES):
        state = load(files)
        asked = fetched.period
        prior = state.snapshot.period(cloud, asked.export, asked.billing_period)
        reason = _nothing_to_do(prior, fetched, after)
        if reason:
            return Change(
                changed=False, reason=reason, period=prior, rows=prior.rows if prior else 0
            )
        work = Ingestion(files, cloud, fetched, prior, now)
        try:
            with (
                disk_errors(files.directory, f"ingesting {work.what}", needed=room_for(fetched)),
                reading_errors(work.what),
            ):
                period, written = work.build(raw)
                change = _commit(files, state, work, period, written)
                if change is None:
                    # The files were moved into the store; the next try reads them there.
                    raw = period.batches[-1].raw
                    fetched = replace(fetched, files=tuple(files.local(raw)))
        except Exception:
            work.discard()
            raise
        if change is not None:
            return change
    raise outrun()


def check_scope(period: ExportedPeriod) -> None:
    """Refuse days that are not all in the billing period.

    :raises CostAnalysisError: kind ``invalid_argument``.
    """
    if period.days is None:
        return
    first, last = period.days
    month = period.billing_period
    if not month <= first <= last < next_month(month):
        raise CostAnalysisError(
            f"{period.export} {month:%Y-%m}: an export of {first} to {last} is of more than one "
            "billing period, whose days can't be told apart in the store; export each month by "
            "itself and delete this one",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def room_for(fetched: FetchedPeriod) -> int:
    """About how many bytes an ingestion writes: the files, a copy to sort, and the days."""
    return 3 * sum(file.stat().st_size for file in fetched.files if file.exists())


def _nothing_to_do(prior: Period | None, fetched: FetchedPeriod, after: str | None) -> str | None:
    asked = fetched.period
    if prior is None:
        if after is not None:
            raise CostAnalysisError(
                f"{asked.export} {asked.billing_period:%Y-%m}: rows after version {after!r} were "
                "fetched, but the store has none of this period",
                kind=ErrorKind.PRECONDITION_FAILED,
            )
        return None
    if any(batch.version == asked.version for batch in prior.batches):
        return "this version is already there"
    if prior.exported_at > asked.exported_at:
        return f"a later version ({prior.exported_at:%Y-%m-%d %H:%M} UTC) is already there"
    if prior.style is not asked.style:
        raise CostAnalysisError(
            f"{asked.export} {asked.billing_period:%Y-%m}: the export's style is "
            f"{asked.style.value}, what the store has of it was {prior.style.value}; ingest it "
            "into a new store",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if asked.style is not CorrectionStyle.REPLACE and after != prior.version:
        raise CostAnalysisError(
            f"{asked.export} {asked.billing_period:%Y-%m}: the fetched rows follow version "
            f"{after!r}, the store has {prior.version!r} by now; fetch again",
            kind=ErrorKind.PRECONDITION_FAILED,
        )
    return None


def _commit(
    files: Files, state: State, work: Ingestion, period: Period, written: tuple[date, ...]
) -> Change | None:
    """Swap the pointer; ``None``: start again.

    Another run that changed another period costs one more try, never a new reading.
    """
    changes = work.restatements(period)
    for _ in range(TRIES):
        log = log_restatements(files, state.snapshot.restatements, changes, work.name, work.publish)
        snapshot = state.snapshot.with_period(period, log)
        name = write_snapshot(files, snapshot, work.name, work.publish)
        try:
            swapped = files.swap(state.pointer, name)
        except Exception as err:
            if full_disk(err) is None or files.pointer() != state.pointer:
                work.keep()  # it may have been done all the same
            raise
        work.keep()
        if swapped:
            return Change(
                changed=True,
                reason="ingested" if period.rows else "the export has no rows of it yet",
                period=period,
                rows=period.rows,
                days_written=written,
                restatements=tuple(changes),
            )
        state = load(files)
        if state.snapshot.period(*period.key) != work.prior:
            return None
    return None
