"""Replication from end to end: check, take stock, decide, copy, record, tidy."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.endpoints import Endpoint, check_overlap, check_reserved
from airflow_multicloud.core.replication import buckets, manifest, planning, plans
from airflow_multicloud.core.replication.budget import Bandwidth, MemoryBudget
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.execution import execute
from airflow_multicloud.core.replication.manifest import Header
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    OnError,
    ReplicationOptions,
)
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.plans import Plan
from airflow_multicloud.core.replication.progress import INTERVAL, Listener, Progress
from airflow_multicloud.core.replication.report import (
    NAMED_FAILURES,
    DestinationReport,
    ReplicationReport,
    Tally,
    without_effect,
)
from airflow_multicloud.core.replication.small import Job
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


@dataclass(frozen=True, slots=True)
class Replication:
    """One source, its destinations, and how to replicate."""

    source: Endpoint
    destinations: tuple[Endpoint, ...]
    options: ReplicationOptions = ReplicationOptions()

    def __post_init__(self) -> None:
        """Refuse what can't be replicated, before any request."""
        if not self.destinations:
            raise StorageError(
                "destinations: none given, expected at least one URI",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        check_overlap(self.source, self.destinations)
        for number, destination in enumerate(self.destinations):
            check_reserved(destination, parameter=f"destinations[{number}]")
            if self.source.location.is_prefix and not destination.location.is_prefix:
                raise StorageError(
                    f"destinations[{number}]: {destination.location} must be a prefix (end with "
                    f"a slash), as the source {self.source.location} is one",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )

    def landed(self) -> Replication:
        """A single object bound for a prefix keeps the last segment of its key there."""
        if self.source.location.is_prefix:
            return self
        basename = self.source.location.key.rpartition("/")[2]
        return Replication(
            self.source,
            tuple(d.below(basename) if d.location.is_prefix else d for d in self.destinations),
            self.options,
        )


def plan(replication: Replication, *, named: int = plans.NAMED_PLANNED) -> tuple[Plan, ...]:
    """What :func:`replicate` would do now; writes nothing, and creates no bucket.

    :param named: how many keys of each kind to name.
    """
    replication = replication.landed()
    absent: Collection[int] = ()
    if replication.options.create_buckets:
        absent = buckets.to_be_created(replication.destinations)
    with telemetry.operation("replicate.plan", **_attributes(replication)), Catalog() as catalog:
        prepare(catalog, replication, create_buckets=False, absent=absent)
        return plans.summarise(catalog, replication.destinations, replication.options, named=named)


def replicate(
    replication: Replication,
    *,
    run_id: str | None = None,
    listener: Listener | None = None,
    interval: float = INTERVAL,
) -> ReplicationReport:
    """Make every destination a proven replica of the source.

    :param run_id: names the manifest; a random one when left out.
    :param listener: told about progress, on the calling thread.
    :param interval: seconds between two calls of the listener, at least.
    :raises CloudError: before any byte moves, for a wrong bucket, credential or option, or an
        empty source.
    :raises ReplicationFailedError: when too few objects ended sound; the rest is done and recorded.
    """
    replication = replication.landed()
    started = time.monotonic()
    with telemetry.operation("replicate", **_attributes(replication)) as span, Catalog() as catalog:
        header = new_header(replication, run_id)
        prepare(catalog, replication, create_buckets=replication.options.create_buckets)
        progress = Progress(listener, interval=interval)
        execute(new_job(replication, progress), catalog, header)
        report = close(catalog, replication, header, started=started, progress=progress)
        span.set_attribute("multicloud.objects", report.objects)
        span.set_attribute("multicloud.bytes", report.bytes)
    check_failures(report, replication.options)
    return report


def new_header(replication: Replication, run_id: str | None) -> Header:
    """The manifest header of a run that starts now."""
    return Header(
        run_id or uuid4().hex,
        str(replication.source.location),
        tuple(str(d.location) for d in replication.destinations),
        datetime.now(UTC),
    )


def new_job(replication: Replication, progress: Progress) -> Job:
    """The shared state of a run's copies."""
    options = replication.options
    return Job(
        replication.source,
        replication.destinations,
        options,
        MemoryBudget(options.memory_limit),
        Bandwidth(options.bandwidth_limit),
        progress,
    )


def prepare(
    catalog: Catalog,
    replication: Replication,
    *,
    create_buckets: bool,
    absent: Collection[int] = (),
) -> None:
    """Fill a catalog with decided items, or raise before anything has changed.

    :param absent: destinations, by index, whose buckets are not there and count as empty.
    """
    source, destinations = replication.source, replication.destinations
    buckets.check_buckets(source, destinations, create=create_buckets, absent=absent)
    noted = replication.options.compare_attributes is not CompareAttributes.NEVER
    planning.take_stock(catalog, source, destinations, absent=absent, attributes=noted)
    planning.decide_all(catalog, replication.source, destinations, replication.options)
    if catalog.totals()[0] == 0:
        raise planning.empty_source_error(source)
    planning.check_deletions(catalog, destinations, replication.options)
    if replication.options.on_error is OnError.FAIL:
        _check_known_failures(catalog, replication)


def _check_known_failures(catalog: Catalog, replication: Replication) -> None:
    for item in catalog.items():
        for index, state in enumerate(item.replicas):
            if state.outcome in (Outcome.FAILED, Outcome.CONFLICT):
                raise StorageError(
                    f"{item.name!r} can't go to {replication.destinations[index].location}: "
                    f"{state.reason}; nothing was changed",
                    kind=state.kind or ErrorKind.UNSUPPORTED,
                    cloud=replication.destinations[index].cloud,
                )


def close(
    catalog: Catalog,
    replication: Replication,
    header: Header,
    *,
    started: float,
    progress: Progress,
) -> ReplicationReport:
    """Write the manifests, delete what is extraneous, and count.

    A destination where an object failed keeps its previous manifest's place in the proof
    chain: its new manifest says what failed.

    :raises ReplicationFailedError: when a destination could not be tidied or its manifest
        not be written; the other destinations are done.
    """
    tally = Tally(header.destinations)
    for item in catalog.items():
        tally.add(item)
    destinations: list[DestinationReport] = []
    root: str | None = None
    unrecorded: CloudError | None = None
    for index, destination in enumerate(replication.destinations):
        deleted = 0
        uri: str | None = None
        retained: list[str] = []
        try:
            for _ in _delete(catalog, replication, index, tally, retained):
                deleted += 1
            journals = manifest.journals(destination, header.source)
            latest = manifest.write(destination, header, _Lines(catalog), tally, deleted=deleted)
            root = latest.root
            uri = str(destination.location.with_key(latest.key))
            if left := manifest.delete_journals(destination, journals):
                retained.append(left)
        except CloudError as err:
            unrecorded = unrecorded or err  # Raised below: the other destinations come first.
        reported = replace(
            tally.destination(index, deleted=deleted, manifest_uri=uri), retained=tuple(retained)
        )
        destinations.append(reported)
        for outcome, count in reported.outcomes.items():
            telemetry.count_objects(destination.cloud, outcome, count)
        telemetry.count_bytes("written", destination.cloud, reported.bytes_written)
    objects, size = catalog.totals()
    report = ReplicationReport(
        run_id=header.run_id,
        source=header.source,
        objects=objects,
        bytes=size,
        bytes_read=progress.bytes_read,
        root=root,
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


class _Lines:
    """A catalog's lines, which can be gone through more than once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __iter__(self) -> Iterator[bytes]:
        return self._catalog.lines()


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


def options_without_effect(replication: Replication, report: ReplicationReport) -> list[str]:
    """Which of the options given did nothing for what was there already, a sentence each."""
    ends = [(str(d.location), d) for d in replication.landed().destinations]
    return without_effect(
        report,
        {
            "storage_class": [uri for uri, d in ends if d.storage_class],
            "encryption_key": [uri for uri, d in ends if d.encryption_key],
        },
    )


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


def _attributes(replication: Replication) -> dict[str, str]:
    return {
        "cloud__provider": replication.source.cloud,
        "multicloud__source": manifest.place(str(replication.source.location)),
        "multicloud__destinations": ",".join(
            manifest.place(str(d.location)) for d in replication.destinations
        ),
    }
