"""Replication from end to end: check, take stock, decide, copy, record, tidy."""

from __future__ import annotations

import time
from collections.abc import Collection
from functools import partial

from airflow_multicloud.core import run_tokens, telemetry
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.replication import buckets, leftovers, planning, plans, reach, stock
from airflow_multicloud.core.replication.budget import Bandwidth, MemoryBudget
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.closing import check_failures, close
from airflow_multicloud.core.replication.execution import execute
from airflow_multicloud.core.replication.options import CompareAttributes, OnError
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.plans import Plan
from airflow_multicloud.core.replication.progress import INTERVAL, Listener, Progress
from airflow_multicloud.core.replication.recording import Recorder
from airflow_multicloud.core.replication.report import ReplicationReport, without_effect
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.run import Run, new_run
from airflow_multicloud.core.replication.small import Job
from airflow_multicloud.errors import ErrorKind, StorageError


def plan(replication: Replication, *, named: int = plans.NAMED_PLANNED) -> tuple[Plan, ...]:
    """What :func:`replicate` would do now; writes nothing, and creates no bucket.

    :param named: how many keys of each kind to name.
    """
    replication = replication.landed()
    absent: Collection[int] = ()
    if replication.options.create_buckets:
        absent = buckets.to_be_created(replication.destinations)
    with telemetry.operation("replicate.plan", **_attributes(replication)), Catalog() as catalog:
        bases = prepare(catalog, replication, new_run(replication, None), absent=absent)
        return plans.summarise(
            catalog, replication.destinations, replication.options, bases, named=named
        )


def replicate(
    replication: Replication,
    *,
    run_id: str | None = None,
    listener: Listener | None = None,
    interval: float = INTERVAL,
) -> ReplicationReport:
    """Make every destination a proven replica of the source.

    :param run_id: what the ledgers call the run; a random name when left out.
    :param listener: told about progress, on the calling thread.
    :param interval: seconds between two calls of the listener, at least.
    :raises CloudError: before any byte moves, for a wrong bucket, credential or option, or an
        empty source.
    :raises ReplicationFailedError: when too few objects ended sound; the rest is done and recorded.
    """
    replication = replication.landed()
    started = time.monotonic()
    with telemetry.operation("replicate", **_attributes(replication)) as span, Catalog() as catalog:
        run = new_run(replication, run_id)
        create = replication.options.create_buckets
        bases = prepare(catalog, replication, run, create_buckets=create)
        recorder = Recorder(run, replication.destinations, bases, catalog, sign=replication.sign)
        progress = Progress(listener, interval=interval)
        with run_tokens.under_way(run.run_id):
            execute(new_job(replication, progress), catalog, recorder, begins=True)
            report = close(catalog, replication, recorder, started=started, progress=progress)
            leftovers.clear_left(catalog, replication, recorder.writable)
        span.set_attribute("multicloud.objects", report.objects)
        span.set_attribute("multicloud.bytes", report.bytes)
    check_failures(report, replication.options)
    return report


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
    run: Run,
    *,
    create_buckets: bool = False,
    absent: Collection[int] = (),
) -> tuple[Base, ...]:
    """Fill a catalog with decided items, or raise before anything has changed.

    :param absent: destinations, by index, whose buckets are not there and count as empty.
    :return: what each destination's ledger is at.
    """
    source, destinations, options = (
        replication.source,
        replication.destinations,
        replication.options,
    )
    check = partial(
        buckets.check_buckets, source, destinations, create=create_buckets, absent=absent
    )
    if create_buckets:  # A ledger can only be asked for where a bucket is.
        out_of_reach = check()
        check = partial(dict, out_of_reach)
    noted = options.compare_attributes is not CompareAttributes.NEVER
    bases = stock.take_stock(
        catalog,
        source,
        destinations,
        absent=absent,
        check=check,
        attributes=noted,
        is_untouched=planning.untouched_by(source, options, run),
        alike=planning.alike_in(source, options, run),
    )
    planning.decide_all(catalog, source, destinations, options, run)
    if catalog.totals()[0] == 0:
        raise planning.empty_source_error(source)
    reach.give_up(catalog, bases)
    planning.check_deletions(catalog, destinations, options)
    planning.check_replacements(catalog, destinations, options)
    if options.on_error is OnError.FAIL:
        _check_known_failures(catalog, replication)
    return bases


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


def _attributes(replication: Replication) -> dict[str, str]:
    return {
        "cloud__provider": replication.source.cloud,
        "multicloud__source": replication.source.place,
        "multicloud__destinations": ",".join(d.place for d in replication.destinations),
    }
