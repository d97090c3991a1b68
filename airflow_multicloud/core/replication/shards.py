"""One replication spread over many tasks: plan, replicate shards anywhere, close and prove.

The plan and the shards are objects in the first destination's bucket, under
``.airflow-multicloud/runs/<run>/``; tasks hand each other their URIs only. What became of the
objects each shard writes into the ledger of every destination itself, and the close looks at source
and destinations again: whoever may write at one destination decides nothing at another.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from airflow_multicloud.core import run_tokens, telemetry
from airflow_multicloud.core.ledger.base import base_or_refusal
from airflow_multicloud.core.replication import (
    buckets,
    closing,
    engine,
    leftovers,
    reach,
    run_files,
)
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.confirmation import confirm
from airflow_multicloud.core.replication.execution import execute
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.options import CompareAttributes, OnError
from airflow_multicloud.core.replication.progress import Listener, Progress
from airflow_multicloud.core.replication.recording import Recorder
from airflow_multicloud.core.replication.report import ReplicationReport, Tally
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.resuming import closed_before, resume
from airflow_multicloud.core.replication.run import Run, new_run
from airflow_multicloud.core.replication.shard_outcomes import settled_items
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: What one object costs besides its bytes, as bytes: about a request's time at 64 MB/s.
_OBJECT_WEIGHT = 256 << 10

_DIGEST = "#sha256="


@dataclass(frozen=True, slots=True)
class ShardedPlan:
    """A planned run.

    :param shards: URIs of shards with something to do, each with the SHA-256 of what was planned.
    """

    run_id: str
    shards: tuple[str, ...]
    objects: int
    to_copy: int


def plan_shards(replication: Replication, *, shards: int, run_id: str) -> ShardedPlan:
    """Plan a replication and write its shards, of about equal weight, at most ``shards``.

    :raises CloudError: as :func:`engine.replicate` does before any byte moves.
    """
    if not 1 <= shards <= run_files.MAX_SHARDS:
        raise StorageError(
            f"shards: {shards} given, expected 1 to {run_files.MAX_SHARDS}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    replication = replication.landed()
    home = replication.destinations[0]
    run = new_run(replication, run_id)
    with telemetry.operation("replicate.plan", multicloud__shards=shards), Catalog() as catalog:
        create = replication.options.create_buckets
        bases = engine.prepare(catalog, replication, run, create_buckets=create)
        # What an earlier plan of this run left must not count as done.
        run_files.tidy(home, run_id)
        if catalog.work_left()[0]:
            sign = replication.sign
            Recorder(run, replication.destinations, bases, catalog, sign=sign).begin()
        written = [
            run_files.write_items(home, run_id, run_files.shard(number), group)
            for number, group in enumerate(_groups(catalog, shards))
        ]
        document = run_files.Plan(
            run_files.FORMAT, run.started, len(written), home.location.key, run.identity.token
        )
        run_files.write_plan(home, run_id, document)
        return ShardedPlan(
            run_id,
            tuple(
                run_files.uri(home, run_id, run_files.shard(number)) + _DIGEST + one.sha256
                for number, one in enumerate(written)
            ),
            catalog.totals()[0],
            sum(one.lines for one in written),
        )


def replicate_shard(
    replication: Replication, *, run_id: str, shard: str, listener: Listener | None = None
) -> dict[str, Any]:
    """Copy one shard's objects, and record them in the ledger of each destination.

    A second try goes on where the first one was cut off. Failures of objects are recorded,
    not raised: :func:`close_shards` judges the run as a whole.

    :param shard: one of the plan's shard URIs.
    :return: counts, small enough for XCom. ``closed`` is true, and nothing was done, when the run
        has been closed: its plan is gone, and the ledgers say what became of the objects.
    """
    replication = replication.landed()
    home = replication.destinations[0]
    uri, _, sha256 = shard.partition(_DIGEST)
    name = uri.rpartition("/")[2]
    if not sha256:
        raise StorageError(
            f"shard: {shard!r} given, expected one of the plan's, which end with {_DIGEST}…",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    with telemetry.operation("replicate.shard", multicloud__shard=name), Catalog() as catalog:
        silent = buckets.check_buckets(replication.source, replication.destinations, create=False)
        try:
            plan = run_files.read_plan(home, run_id)
            catalog.put_items(run_files.read_items(home, run_id, name, sha256=sha256))
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            closed_before(replication, run_id, err)
            return _counts(name, closed=True)
        run = _run_of(replication, run_id, plan)
        ends = enumerate(replication.destinations)
        # Others may have looked, and have committed, since the source was listed for the plan.
        bases = [
            dataclasses.replace(reach.base_at(end, silent.get(number)), alone=False)
            for number, end in ends
        ]
        refused = reach.refused(bases)
        reach.check_any_left(refused, bases)
        if refused and replication.options.on_error is OnError.FAIL:
            raise refused[min(refused)]
        reach.give_up(catalog, bases)
        resume(catalog, replication, run, bases)
        progress = Progress(listener)
        recorder = Recorder(run, replication.destinations, bases, catalog, sign=replication.sign)
        try:
            job = engine.new_job(replication, progress)
            small = catalog.open_items(up_to=replication.options.parts_above)
            if next(small, None) is None:  # An earlier try may have been cut off before it.
                confirm(job, catalog)
            execute(job, catalog, recorder)
        except BaseException:
            recorder.flush()
            raise
        recorder.record_all()
        tally = Tally(tuple(str(d.location) for d in replication.destinations))
        failed = (item for item in tally.over(catalog.items()) if not _is_sound(item))
        run_files.write_items(home, run_id, run_files.done(name), failed)
        objects, size = catalog.totals()
    return _counts(name, objects, size, tally.failed, progress.bytes_read)


def close_shards(replication: Replication, *, run_id: str) -> ReplicationReport:
    """Look at source and destinations again, prove what is there, and judge the run.

    What was changed at the source since the plan is left to the next run.

    :raises ReplicationFailedError: as :func:`engine.replicate`; objects of a shard that did
        not finish count as failed. The plan is kept then, so that failed shards can be tried
        again and the run closed again. A run that an earlier try has closed is reported
        again; how long it took is not known then.
    """
    replication = replication.landed()
    home = replication.destinations[0]
    started, began = time.monotonic(), datetime.now(UTC)
    with telemetry.operation("replicate.close"), Catalog() as catalog:
        buckets.check_buckets(replication.source, replication.destinations, create=False)
        try:
            plan = run_files.read_plan(home, run_id)
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            closed = closed_before(replication, run_id, err)
            closing.check_failures(closed, replication.options)
            run_files.tidy(home, run_id)
            return closed
        # Whoever can write there could have it begin at another time than it did.
        plan.started = min(began, max(plan.started, *_begun(replication, run_id)))
        run = _run_of(replication, run_id, plan)
        bases = engine.prepare(catalog, _by_content(replication), run)
        young: list[str] = []
        catalog.put_items(settled_items(catalog, home, run, plan, young))
        catalog.drop_items(young)
        recorder = Recorder(run, replication.destinations, bases, catalog, sign=replication.sign)
        if young:  # Perhaps renamed since: what seems extraneous may be all there is of it.
            replication = _without_deletions(replication)
        report = closing.close(catalog, replication, recorder, started=started, progress=Progress())
        with run_tokens.under_way(run_id):
            leftovers.clear_left(catalog, replication, recorder.writable)
        closing.check_failures(report, replication.options)
        run_files.tidy(home, run_id)
    return report


def _run_of(replication: Replication, run_id: str, plan: run_files.Plan) -> Run:
    return new_run(replication, run_id, started=plan.started, token=plan.token)


def _begun(replication: Replication, run_id: str) -> list[datetime]:
    """When the run began, by the ledger of each destination."""
    began = [datetime.min.replace(tzinfo=UTC)]
    for end in replication.destinations:
        head = base_or_refusal(end).head
        open_runs = head.commit.open_runs if head else ()
        began += [run.started for run in open_runs if run.identity.run_id == run_id]
    return began


def _without_deletions(replication: Replication) -> Replication:
    options = dataclasses.replace(replication.options, delete_extraneous=False)
    return dataclasses.replace(replication, options=options)


def _by_content(replication: Replication) -> Replication:
    """The same, but that attributes are not compared and nothing is copied any more."""
    options = dataclasses.replace(
        replication.options,
        compare_attributes=CompareAttributes.NEVER,
        on_error=OnError.CONTINUE,
        max_replace=None,
    )
    return dataclasses.replace(replication, options=options)


def _is_sound(item: Item) -> bool:
    return all(state.outcome is not None and state.outcome.sound for state in item.replicas)


def _counts(
    shard: str,
    objects: int = 0,
    size: int = 0,
    failures: int = 0,
    read: int = 0,
    *,
    closed: bool = False,
) -> dict[str, Any]:
    return {
        "shard": shard,
        "objects": objects,
        "bytes": size,
        "failures": failures,
        "bytes_read": read,
        "closed": closed,
    }


def _groups(catalog: Catalog, shards: int) -> Iterator[Iterator[Item]]:
    weight = sum(i.size + _OBJECT_WEIGHT for i in catalog.items() if i.open_replicas)
    per_shard = -(-weight // shards)
    passed = 0

    def number(item: Item) -> int:
        nonlocal passed
        place = passed // per_shard
        passed += item.size + _OBJECT_WEIGHT
        return place

    for _, group in groupby((i for i in catalog.items() if i.open_replicas), number):
        yield group
