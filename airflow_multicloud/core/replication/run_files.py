"""The files of a sharded run: the plan, the shards, and what became of their objects.

They lie in the first destination's bucket, under ``.airflow-multicloud/runs/<run>/``. Every one
says the version of its format first. Who may write there can change them: so a shard is named with
its SHA-256, and what they say of outcomes is for readers; what is proven is in the ledgers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Annotated

import msgspec

from airflow_multicloud.core import records
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.ledger.entries import AwareTime
from airflow_multicloud.core.replication import items, retention
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectMeta

#: Airflow refuses to map over more than this by default (``[core] max_map_length``).
MAX_SHARDS = 1024

#: Of the plan and of every other file of a run.
FORMAT = 1

_RUNS = f"{RESERVED_PREFIX}runs/"
_PLAN = "plan.json"


#: As :func:`uuid.uuid4` gives it, in hexadecimal.
Token = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]


class Plan(msgspec.Struct):
    """The plan: written last, gone first.

    :param replica: the prefix in the first destination's bucket.
    :param token: of the run, in every task.
    """

    plan: int
    started: AwareTime
    shards: Annotated[int, msgspec.Meta(ge=0, le=MAX_SHARDS)]
    replica: str
    token: Token


class _FirstLine(msgspec.Struct):
    """Of every file that has a line per object."""

    lines: int


_encode = msgspec.json.Encoder().encode
_plans = msgspec.json.Decoder(Plan)


def shard(number: int) -> str:
    """The name of a shard's file."""
    return f"shard-{number:05d}.jsonl"


def done(shard: str) -> str:
    """The name of the file of a shard's outcomes."""
    return shard.replace(".jsonl", ".done.jsonl")


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


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written.

    :param lines: how many items it has.
    """

    lines: int
    sha256: str


def write_items(home: Endpoint, run_id: str, name: str, written: Iterable[Item]) -> Written:
    """Write items, a line each."""
    count, digest = 0, hashlib.sha256()

    def lines() -> Iterator[bytes]:
        nonlocal count
        for line in chain([_encode(_FirstLine(FORMAT))], map(items.dump, written)):
            count += 1
            digest.update(line + b"\n")
            yield line + b"\n"

    put_stream(home, directory(run_id) + name, lines())
    return Written(count - 1, digest.hexdigest())


def read_items(
    home: Endpoint, run_id: str, name: str, *, sha256: str | None = None
) -> Iterator[Item]:
    """The items of a run's file.

    :param sha256: what the file must have; it is compared once all of it was read.
    :raises StorageError: kind ``integrity`` for a file that is damaged, or another one.
    """
    key, digest = directory(run_id) + name, hashlib.sha256()
    with records.intact(home, key):
        lines = records.lines(home, key)
        first = next(lines)
        records.known_version(home, key, first, "lines", FORMAT)
        digest.update(first + b"\n")
        for line in lines:
            digest.update(line + b"\n")
            yield items.decoder.decode(line)
    if sha256 is not None and digest.hexdigest() != sha256:
        raise records.damaged(home, key, "it was changed after it had been planned")


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
