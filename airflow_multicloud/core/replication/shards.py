"""One replication spread over many tasks: plan, replicate shards anywhere, close and prove.

The plan and every shard's result are objects in the first destination's bucket, under
``.airflow-multicloud/runs/<run>/``; tasks hand each other their URIs only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import (
    buckets,
    closing,
    engine,
    manifest,
    planning,
    run_files,
)
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.execution import execute
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.manifest import Header
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.progress import Listener, Progress
from airflow_multicloud.core.replication.report import ReplicationReport, Tally
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: Airflow refuses to map over more than this by default (``[core] max_map_length``).
MAX_SHARDS = 1024

_NOT_FOUND = ErrorKind.NOT_FOUND

#: What one object costs besides its bytes, as bytes: about a request's time at 64 MB/s.
_OBJECT_WEIGHT = 256 << 10


@dataclass(frozen=True, slots=True)
class ShardedPlan:
    """A planned run. ``shards`` are URIs of shards with something to do."""

    run_id: str
    shards: tuple[str, ...]
    objects: int
    to_copy: int


def plan_shards(replication: Replication, *, shards: int, run_id: str) -> ShardedPlan:
    """Plan a replication and write its shards, of about equal weight, at most ``shards``.

    :raises CloudError: as :func:`engine.replicate` does before any byte moves.
    """
    if not 1 <= shards <= MAX_SHARDS:
        raise StorageError(
            f"shards: {shards} given, expected 1 to {MAX_SHARDS}", kind=ErrorKind.INVALID_ARGUMENT
        )
    replication = replication.landed()
    home = replication.destinations[0]
    header = engine.new_header(replication, run_id)
    with telemetry.operation("replicate.plan", multicloud__shards=shards), Catalog() as catalog:
        engine.prepare(catalog, replication, create_buckets=replication.options.create_buckets)
        # What an earlier plan of this run left must not count as done.
        run_files.tidy(home, run_id)
        settled = (i for i in catalog.items() if not i.open_replicas)
        run_files.write_items(home, run_id, run_files.SETTLED, settled)
        for index in range(len(replication.destinations)):
            extraneous = planning.extraneous(catalog, index, replication.options)
            run_files.write_listed(home, run_id, run_files.extraneous(index), extraneous)
        counts = [
            run_files.write_items(home, run_id, run_files.shard(number), group)
            for number, group in enumerate(_groups(catalog, shards))
        ]
        document = run_files.Plan(run_files.FORMAT, header.started, len(counts), home.location.key)
        run_files.write_plan(home, run_id, document)
        return ShardedPlan(
            run_id,
            tuple(
                run_files.uri(home, run_id, run_files.shard(number))
                for number in range(len(counts))
            ),
            catalog.totals()[0],
            sum(counts),
        )


def replicate_shard(
    replication: Replication, *, run_id: str, shard: str, listener: Listener | None = None
) -> dict[str, Any]:
    """Copy one shard's objects and write their outcomes beside it.

    A second try goes on where the first one was cut off. Failures of objects are recorded,
    not raised: :func:`close_shards` judges the run as a whole.

    :param shard: one of the plan's shard URIs.
    :return: counts, small enough for XCom. ``closed`` is true, and nothing was done, when the run
        has been closed: its plan is gone, and its manifest says what became of the objects.
    """
    replication = replication.landed()
    home = replication.destinations[0]
    name = shard.rpartition("/")[2]
    header = engine.new_header(replication, f"{run_id}-{name.removesuffix('.jsonl')}")
    with telemetry.operation("replicate.shard", multicloud__shard=name), Catalog() as catalog:
        buckets.check_buckets(replication.source, replication.destinations, create=False)
        try:
            catalog.put_items(run_files.read_items(home, run_id, name))
        except CloudError as err:
            if err.kind is not _NOT_FOUND:
                raise
            _manifests_of(replication, run_id, err)
            return _counts(name, closed=True)
        catalog.put_items(_from_journals(catalog, replication, header))
        progress = Progress(listener)
        execute(engine.new_job(replication, progress), catalog, header)
        tally = Tally(header.destinations)
        run_files.write_items(home, run_id, run_files.done(name), tally.over(catalog.items()))
        objects, size = catalog.totals()
    return _counts(name, objects, size, len(tally.failures), progress.bytes_read)


def close_shards(replication: Replication, *, run_id: str) -> ReplicationReport:
    """Merge the shards' outcomes into one manifest, and judge the run.

    :raises ReplicationFailedError: as :func:`engine.replicate`; objects of a shard that did
        not finish count as failed. The plan is kept then, so that failed shards can be tried
        again and the run closed again. A run that an earlier try has closed is reported
        again; how long it took is not known then.
    """
    replication = replication.landed()
    home = replication.destinations[0]
    started = time.monotonic()
    with telemetry.operation("replicate.close"), Catalog() as catalog:
        buckets.check_buckets(replication.source, replication.destinations, create=False)
        try:
            plan = run_files.read_plan(home, run_id)
        except CloudError as err:
            if err.kind is not _NOT_FOUND:
                raise
            manifests = _manifests_of(replication, run_id, err)
            closed = _closed_before(replication, run_id, manifests)
            run_files.tidy(home, run_id)
            return closed
        catalog.put_items(run_files.read_items(home, run_id, run_files.SETTLED))
        for number in range(plan.shards):
            catalog.put_items(_outcomes(home, run_id, number))
        for index in range(len(replication.destinations)):
            catalog.add_listing(
                index, run_files.read_listed(home, run_id, run_files.extraneous(index))
            )
        header = Header(
            run_id,
            str(replication.source.location),
            tuple(str(d.location) for d in replication.destinations),
            plan.started,
        )
        report = closing.close(catalog, replication, header, started=started, progress=Progress())
        closing.check_failures(report, replication.options)
        run_files.tidy(home, run_id)
    return report


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


def _manifests_of(replication: Replication, run_id: str, err: CloudError) -> list[manifest.Latest]:
    """Each destination's manifest of a run that has no plan because it was closed.

    :raises StorageError: kind ``not_found``, with what to do, when it was not closed.
    """
    source = str(replication.source.location)
    found: list[manifest.Latest] = []
    for end in replication.destinations:
        latest = manifest.read_latest(end, source)
        of_run = latest and manifest.at_run(end, latest, run_id)
        if of_run is None:
            home = replication.destinations[0]
            raise StorageError(
                f"{run_files.uri(home, run_id, '')}: the run has no plan: planning it failed, was "
                "skipped or has not come to an end, or cleanup removed it; clear the task that "
                "plans, and what follows it",
                kind=_NOT_FOUND,
                cloud=home.cloud,
            ) from err
        found.append(of_run)
    return found


def _groups(catalog: Catalog, shards: int) -> Iterator[Iterator[Item]]:
    weight = sum(i.size + _OBJECT_WEIGHT for i in catalog.items() if i.open_replicas)
    per_shard = -(-weight // shards) or 1
    passed = 0

    def number(item: Item) -> int:
        nonlocal passed
        place = passed // per_shard
        passed += item.size + _OBJECT_WEIGHT
        return place

    for _, group in groupby((i for i in catalog.items() if i.open_replicas), number):
        yield group


def _from_journals(catalog: Catalog, replication: Replication, header: Header) -> Iterator[Item]:
    """What earlier tries of this shard have finished: its own record, minutes old."""
    found: dict[str, Item] = {}
    for destination in replication.destinations:
        for key in manifest.journals(destination, header.source):
            if f"/{header.run_id}-" in key:
                found.update((item.name, item) for item, _ in manifest.objects_of(destination, key))
    for item in catalog.open_items():
        earlier = found.get(item.name)
        if earlier is not None and (earlier.etag, earlier.size) == (item.etag, item.size):
            merged = item
            for index in item.open_replicas:
                state = earlier.replicas[index]
                if state.outcome is not None and state.outcome.sound:
                    merged = merged.with_replica(index, state)
            yield replace(merged, digests=earlier.digests)


def _outcomes(home: Endpoint, run_id: str, number: int) -> Iterator[Item]:
    try:
        yield from run_files.read_items(home, run_id, run_files.done(run_files.shard(number)))
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        for item in run_files.read_items(home, run_id, run_files.shard(number)):
            yield item.end_open(
                Outcome.FAILED, ErrorKind.UNAVAILABLE, f"shard {number} did not finish"
            )


def _closed_before(
    replication: Replication, run_id: str, closed: list[manifest.Latest]
) -> ReplicationReport:
    """The report of a run whose plan is gone because it was closed, by its manifests."""
    started = time.monotonic()
    tally = Tally(tuple(str(d.location) for d in replication.destinations))
    size = 0
    # Every destination's manifest has the same lines.
    for item, _ in manifest.objects_of(replication.destinations[0], closed[0].key):
        tally.add(item)
        size += item.size
    return ReplicationReport(
        run_id=run_id,
        source=str(replication.source.location),
        objects=tally.objects,
        bytes=size,
        bytes_read=0,
        root=tally.root,
        newest_source=tally.newest,
        seconds=time.monotonic() - started,
        destinations=tuple(
            tally.destination(
                index,
                deleted=latest.deleted,
                manifest_uri=str(replication.destinations[index].location.with_key(latest.key)),
            )
            for index, latest in enumerate(closed)
        ),
        failures=tuple(tally.failures),
        left_out=tuple(tally.left_out),
    )
