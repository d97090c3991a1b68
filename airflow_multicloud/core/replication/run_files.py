"""The files of a sharded run: the plan, the shards, and what became of their objects.

They lie in the first destination's bucket, under ``.airflow-multicloud/runs/<run>/``. Every one
says the version of its format first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeVar

import msgspec

from airflow_multicloud.core import records
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.ledger.entries import AwareTime
from airflow_multicloud.core.replication import items, retention
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectMeta

T = TypeVar("T")

#: Of the plan and of every other file of a run.
FORMAT = 1

SETTLED = "settled.jsonl"

_RUNS = f"{RESERVED_PREFIX}runs/"
_PLAN = "plan.json"


class Plan(msgspec.Struct):
    """The plan: written last, gone first.

    :param replica: the prefix in the first destination's bucket.
    """

    plan: int
    started: AwareTime
    shards: int
    replica: str


class _FirstLine(msgspec.Struct):
    """Of every file that has a line per object."""

    lines: int


_encode = msgspec.json.Encoder().encode
_plans = msgspec.json.Decoder(Plan)
_listings = msgspec.json.Decoder(Listed)


def shard(number: int) -> str:
    """The name of a shard's file."""
    return f"shard-{number:05d}.jsonl"


def done(shard: str) -> str:
    """The name of the file of a shard's outcomes."""
    return shard.replace(".jsonl", ".done.jsonl")


def extraneous(index: int) -> str:
    """The name of the file of what the source does not have at one destination."""
    return f"extraneous-{index}.jsonl"


def directory(run_id: str) -> str:
    """The prefix of a run's files."""
    return f"{_RUNS}{run_id}/"


def uri(home: Endpoint, run_id: str, name: str) -> str:
    """The URI of a run's file."""
    return str(home.location.with_key(directory(run_id) + name))


def write_plan(home: Endpoint, run_id: str, plan: Plan) -> None:
    """Write the plan, which makes the run's other files count."""
    put_stream(home, directory(run_id) + _PLAN, [_encode(plan)])


def read_plan(home: Endpoint, run_id: str) -> Plan:
    """The plan of a run.

    :raises StorageError: kind ``not_found`` when there is none.
    """
    key = directory(run_id) + _PLAN
    body = records.whole(home, key)
    records.known_version(home, key, body, "plan", FORMAT)
    with records.intact(home, key):
        return _plans.decode(body)


def write_items(home: Endpoint, run_id: str, name: str, written: Iterable[Item]) -> int:
    """Write items, a line each; returns how many."""
    count = 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        for item in written:
            count += 1
            yield items.dump(item) + b"\n"

    _write(home, directory(run_id) + name, lines())
    return count


def read_items(home: Endpoint, run_id: str, name: str) -> Iterator[Item]:
    """The items of a run's file."""
    return _read(home, directory(run_id) + name, items.decoder)


def write_listed(home: Endpoint, run_id: str, name: str, written: Iterable[Listed]) -> None:
    """Write listed objects, a line each."""
    _write(home, directory(run_id) + name, (_encode(listed) + b"\n" for listed in written))


def read_listed(home: Endpoint, run_id: str, name: str) -> Iterator[Listed]:
    """The listed objects of a run's file."""
    return _read(home, directory(run_id) + name, _listings)


def left_by_runs(place: Endpoint) -> Iterator[tuple[str, ObjectMeta]]:
    """Every file of every run in a bucket, with the run's id."""
    for meta in place.objects(_RUNS):
        yield meta.key[len(_RUNS) :].partition("/")[0], meta


def lies_below(place: Endpoint, run_id: str) -> bool:
    """Whether a run's replica lies below a prefix.

    One without a plan, or with one that can't be read, may be anybody's: it is only among those of
    the whole bucket.
    """
    try:
        return read_plan(place, run_id).replica.startswith(place.location.key)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND and err.kind not in records.UNREADABLE:
            raise
        return place.location.key == ""


def tidy(home: Endpoint, run_id: str) -> None:
    """Delete all files of a run, as far as no retention policy keeps them."""
    # The plan goes first: while it is there, all else that a close needs is there too.
    plan = directory(run_id) + _PLAN
    listed = [meta.key for meta in home.objects(directory(run_id))]
    retention.delete_all(home, sorted(listed, key=lambda key: key != plan), "files of the run")


def _write(home: Endpoint, key: str, lines: Iterable[bytes]) -> None:
    put_stream(home, key, chain([_encode(_FirstLine(FORMAT)) + b"\n"], lines))


def _read(home: Endpoint, key: str, decoder: msgspec.json.Decoder[T]) -> Iterator[T]:
    with records.intact(home, key):
        lines = records.lines(home, key)
        records.known_version(home, key, next(lines), "lines", FORMAT)
        yield from map(decoder.decode, lines)
