"""One replication spread over many tasks: plan, replicate shards anywhere, close and prove.

The plan and every shard's result are objects in the first destination's bucket, under
``.airflow-multicloud/runs/<run>/``; tasks hand each other their URIs only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.replication import engine, items, manifest, planning, records
from airflow_multicloud.core.replication.catalog import Catalog, Listed
from airflow_multicloud.core.replication.engine import Replication
from airflow_multicloud.core.replication.execution import execute
from airflow_multicloud.core.replication.items import AwareTime, Item
from airflow_multicloud.core.replication.manifest import Header
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.progress import Listener, Progress
from airflow_multicloud.core.replication.report import ReplicationReport, Tally
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: Airflow refuses to map over more than this by default (``[core] max_map_length``).
MAX_SHARDS = 1024

_NOT_FOUND = ErrorKind.NOT_FOUND

_PLAN = "plan.json"

T = TypeVar("T")

#: What one object costs besides its bytes, as bytes: about a request's time at 64 MB/s.
_OBJECT_WEIGHT = 256 << 10


@dataclass(frozen=True, slots=True)
class ShardedPlan:
    """A planned run. ``shards`` are URIs of shards with something to do."""

    run_id: str
    shards: tuple[str, ...]
    objects: int
    to_copy: int


class _PlanDocument(msgspec.Struct):
    started: AwareTime
    shards: int


_encode = msgspec.json.Encoder().encode
_plans = msgspec.json.Decoder(_PlanDocument)
_listings = msgspec.json.Decoder(Listed)


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
        _tidy(home, run_id)  # What an earlier plan of this run left must not count as done.
        settled = (i for i in catalog.items() if not i.open_replicas)
        _write(home, run_id, "settled.jsonl", map(_line, settled))
        for index in range(len(replication.destinations)):
            extraneous = planning.extraneous(catalog, index, replication.options)
            _write(home, run_id, f"extraneous-{index}.jsonl", map(_listed_line, extraneous))
        counts = [
            _write_shard(home, run_id, number, group)
            for number, group in enumerate(_groups(catalog, shards))
        ]
        _write(home, run_id, _PLAN, [_encode(_PlanDocument(header.started, len(counts)))])
        return ShardedPlan(
            run_id,
            tuple(_uri(home, run_id, _shard(number)) for number in range(len(counts))),
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
    :return: counts, small enough for XCom.
    """
    replication = replication.landed()
    home = replication.destinations[0]
    name = shard.rpartition("/")[2]
    header = engine.new_header(replication, f"{run_id}-{name.removesuffix('.jsonl')}")
    with telemetry.operation("replicate.shard", multicloud__shard=name), Catalog() as catalog:
        planning.check_buckets(replication.source, replication.destinations, create=False)
        catalog.put_items(_read_items(home, _key(run_id, name)))
        catalog.put_items(_from_journals(catalog, replication, header))
        progress = Progress(listener)
        execute(engine.new_job(replication, progress), catalog, header)
        tally = Tally(header.destinations)
        _write(home, run_id, _done(name), map(_line, tally.over(catalog.items())))
        objects, size = catalog.totals()
    return {
        "shard": name,
        "objects": objects,
        "bytes": size,
        "failures": len(tally.failures),
        "bytes_read": progress.bytes_read,
    }


def close_shards(replication: Replication, *, run_id: str) -> ReplicationReport:
    """Merge the shards' outcomes into one manifest, and judge the run.

    :raises ReplicationFailedError: as :func:`engine.replicate`; objects of a shard that did
        not finish count as failed. The plan is kept then, so that failed shards can be tried
        again and the run closed anew. A run that an earlier try has closed is reported
        again; how long it took is not known then.
    """
    replication = replication.landed()
    home = replication.destinations[0]
    started = time.monotonic()
    with telemetry.operation("replicate.close"), Catalog() as catalog:
        planning.check_buckets(replication.source, replication.destinations, create=False)
        try:
            plan = _read_plan(home, run_id)
        except CloudError as err:
            closed = _closed_before(replication, run_id) if err.kind is _NOT_FOUND else None
            if closed is None:
                raise
            _tidy(home, run_id)
            return closed
        catalog.put_items(_read_items(home, _key(run_id, "settled.jsonl")))
        for number in range(plan.shards):
            catalog.put_items(_outcomes(home, run_id, number))
        for index in range(len(replication.destinations)):
            catalog.add_listing(index, _read_listed(home, run_id, index))
        header = Header(
            run_id,
            str(replication.source.location),
            tuple(str(d.location) for d in replication.destinations),
            plan.started,
        )
        report = engine.close(catalog, replication, header, started=started, progress=Progress())
        engine.refuse_failures(report, replication.options)
        _tidy(home, run_id)
    return report


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


def _write_shard(home: Endpoint, run_id: str, number: int, group: Iterable[Item]) -> int:
    count = 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        for item in group:
            count += 1
            yield _line(item)

    _write(home, run_id, _shard(number), lines())
    return count


def _from_journals(catalog: Catalog, replication: Replication, header: Header) -> Iterator[Item]:
    """What an earlier try of this shard has finished: its own record, minutes old."""
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
        yield from _read_items(home, _key(run_id, _done(_shard(number))))
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        for item in _read_items(home, _key(run_id, _shard(number))):
            yield item.end_open(
                Outcome.FAILED, ErrorKind.UNAVAILABLE, f"shard {number} did not finish"
            )


def _closed_before(replication: Replication, run_id: str) -> ReplicationReport | None:
    """The report of a run whose plan is gone because it was closed, by its manifests."""
    started = time.monotonic()
    source = str(replication.source.location)
    tally = Tally(tuple(str(d.location) for d in replication.destinations))
    closed: list[manifest.Latest] = []
    size = 0
    for number, destination in enumerate(replication.destinations):
        latest = manifest.read_latest(destination, source)
        if latest is None:
            return None
        try:
            latest = manifest.at_run(destination, latest, run_id)
        except CloudError as err:
            if err.kind is not _NOT_FOUND:
                raise
            return None
        closed.append(latest)
        if number == 0:  # Every destination's manifest has the same lines.
            for item, _ in manifest.objects_of(destination, latest.key):
                tally.add(item)
                size += item.size
    return ReplicationReport(
        run_id=run_id,
        source=source,
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


def _tidy(home: Endpoint, run_id: str) -> None:
    # The plan goes first: while it is there, all else that a close needs is there too.
    plan = _key(run_id, _PLAN)
    listed = [meta.key for meta in home.store.list_objects(home.bucket, _key(run_id, ""))]
    for key in sorted(listed, key=lambda key: key != plan):
        home.store.delete_object(home.ref(key))


def _key(run_id: str, name: str) -> str:
    return f"{RESERVED_PREFIX}runs/{run_id}/{name}"


def _shard(number: int) -> str:
    return f"shard-{number:05d}.jsonl"


def _done(shard: str) -> str:
    return shard.replace(".jsonl", ".done.jsonl")


def _uri(home: Endpoint, run_id: str, name: str) -> str:
    return str(home.location.with_key(_key(run_id, name)))


def _line(item: Item) -> bytes:
    return items.dump(item) + b"\n"


def _listed_line(listed: Listed) -> bytes:
    return _encode(listed) + b"\n"


def _write(home: Endpoint, run_id: str, name: str, lines: Iterable[bytes]) -> None:
    put_stream(home, _key(run_id, name), lines)


def _read(home: Endpoint, key: str, decoder: msgspec.json.Decoder[T]) -> Iterator[T]:
    with records.intact(home, key):
        yield from map(decoder.decode, records.lines(home, key))


def _read_plan(home: Endpoint, run_id: str) -> _PlanDocument:
    key = _key(run_id, _PLAN)
    body = home.store.get_object(home.ref(key)).read()
    with records.intact(home, key):
        return _plans.decode(bytes(body))


def _read_items(home: Endpoint, key: str) -> Iterator[Item]:
    return _read(home, key, items.decoder)


def _read_listed(home: Endpoint, run_id: str, index: int) -> Iterator[Listed]:
    return _read(home, _key(run_id, f"extraneous-{index}.jsonl"), _listings)
