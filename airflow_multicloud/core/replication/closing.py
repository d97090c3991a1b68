"""The end of a run: tidy, record, count, and say what failed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import planning
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.replication.recording import Recorded, Recorder
from airflow_multicloud.core.replication.report import (
    NAMED_FAILURES,
    DestinationReport,
    ReplicationReport,
    Tally,
)
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import CloudError, ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import IfUnchanged, ObjectRef
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: How many failures an error message names.
_NAMED = 3


class ReplicationFailedError(StorageError):
    """Fewer objects ended sound than ``min_success_ratio`` demands; the report says which."""

    def __init__(self, message: str, *, kind: ErrorKind, report: ReplicationReport) -> None:
        super().__init__(message, kind=kind)
        self.report = report


def close(
    catalog: Catalog,
    replication: Replication,
    recorder: Recorder,
    *,
    started: float,
    progress: Progress,
) -> ReplicationReport:
    """Delete what is extraneous, record the run at each destination, and count.

    :raises ReplicationFailedError: when a destination could not be tidied or recorded; the other
        destinations are done.
    """
    run = recorder.run
    tally = Tally(tuple(str(d.location) for d in replication.destinations))
    tally.add_untouched(catalog.untouched())
    for item in catalog.items():
        tally.add(item)
    destinations: list[DestinationReport] = []
    unrecorded: CloudError | None = None
    for index, destination in enumerate(replication.destinations):
        deleted: set[str] = set()
        retained: list[str] = []
        recorded: Recorded | None = None
        tidy = False
        if recorder.why_not_written(index) is None:  # Else its objects have failed, and say why.
            try:
                deleted.update(_delete(catalog, replication, index, tally, retained))
                tidy = replication.options.delete_extraneous and tally.sound(index)
            except CloudError as err:
                unrecorded = unrecorded or err  # Raised below: the other destinations come first.
            try:
                recorded = recorder.end(index, deleted, tidy=tidy)
            except CloudError as err:
                unrecorded = unrecorded or err
        reported = replace(
            tally.destination(index, deleted=len(deleted)),
            retained=tuple(retained),
            findings=recorder.findings(index),
            **_ledger_of(recorded),
        )
        destinations.append(reported)
        for outcome, count in reported.outcomes.items():
            telemetry.count_objects(destination.cloud, outcome, count)
        telemetry.count_bytes("written", destination.cloud, reported.bytes_written)
    objects, size = catalog.totals()
    contents = {one.content for one in destinations}
    report = ReplicationReport(
        run_id=run.run_id,
        source=str(replication.source.location),
        objects=objects,
        bytes=size,
        bytes_read=progress.bytes_read,
        root=contents.pop() if len(contents) == 1 else None,
        newest_source=tally.newest,
        seconds=time.monotonic() - started,
        destinations=tuple(destinations),
        failures=tuple(tally.failures),
        left_out=tuple(tally.left_out),
    )
    if unrecorded is not None:
        check_failures(report, replication.options)  # They say more, when there are any.
        raise ReplicationFailedError(
            f"the run could not be recorded: {unrecorded}", kind=unrecorded.kind, report=report
        ) from unrecorded
    return report


def _ledger_of(recorded: Recorded | None) -> dict[str, Any]:
    if recorded is None:
        return {}
    mark = recorded.head.mark
    return {
        "commit": mark.number,
        "ledger_root": mark.root,
        "commit_uri": recorded.head.uri,
        "content": recorded.content,
    }


def _delete(
    catalog: Catalog, replication: Replication, index: int, tally: Tally, retained: list[str]
) -> Iterator[str]:
    """Delete what the source does not have, and name it; only where not one object failed.

    :param retained: gets what is kept by a policy, a lease or a snapshot, and why.
    """
    if not tally.sound(index):
        return
    destination, kept = replication.destinations[index], 0
    for listed in planning.extraneous(catalog, index, replication.options):
        ref = destination.ref(destination.key_of(listed.name))
        unchanged = IfUnchanged(listed.etag, listed.version)
        try:
            destination.store.delete_object(
                ref, condition=unchanged if destination.condition(unchanged) else None
            )
        except CloudError as err:
            refused = isinstance(err, RetentionError) or err.kind is ErrorKind.PRECONDITION_FAILED
            if not refused and err.kind is not ErrorKind.NOT_FOUND:
                raise
            if refused and _is_there(destination, ref, listed.etag):
                kept += 1
                if kept <= NAMED_FAILURES:
                    _log.warning("%s", printable(str(err)))
                    retained.append(str(err))
            continue  # Else it is gone, or it is a new object by now: not ours to delete.
        yield listed.name
    if kept > NAMED_FAILURES:
        retained.append(f"{kept - NAMED_FAILURES} more objects can't be deleted for now")


def _is_there(destination: Endpoint, ref: ObjectRef, etag: str) -> bool:
    """Whether an object that was not deleted is still the one that was to be."""
    try:
        return destination.store.stat_object(ref).etag == etag
    except CloudError:
        return False


def check_failures(report: ReplicationReport, options: ReplicationOptions) -> None:
    """Raise when a finished run falls short of ``min_success_ratio``."""
    if report.success_ratio >= options.min_success_ratio:
        return
    pairs = report.owed
    failed = pairs - sum(d.sound for d in report.destinations)
    named = "; ".join(str(f) for f in report.failures[:_NAMED])
    kinds = [f.kind for f in report.failures if f.kind is not None]
    retryable = [k for k in kinds if ErrorKind(k).retryable]
    kind = ErrorKind(next(iter(retryable or kinds), ErrorKind.UNAVAILABLE))
    raise ReplicationFailedError(
        f"{failed} of {pairs} copies failed ({report.success_ratio:.1%} sound, "
        f"min_success_ratio is {options.min_success_ratio:.1%}): {named}"
        + ("; …" if failed > _NAMED else ""),
        kind=kind,
        report=report,
    )
