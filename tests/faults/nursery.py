"""A process that has all it needs loaded, and forks a child for each job.

A job comes as a pickle on standard input; what became of the child goes to standard output.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
import traceback
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover import targets
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.leftovers import clear_left
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.streams import stage_stream
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.labels import Work, working_for
from airflow_multicloud.locations import Location
from airflow_multicloud.testing.memory_cloud.object_store.space import DEFAULT_LIMITS
from tests.faults.distant import Counted, Death, Distant, Way

if TYPE_CHECKING:
    from collections.abc import Callable

PART = 4 << 10
OPTIONS = ReplicationOptions(
    part_size=PART,
    large_object=2 * PART,
    memory_limit=16 * PART,
    concurrency=4,
    delete_extraneous=True,
    max_delete=5,
)
#: A fetch to a bucket else sends no parts of less than 8 MiB.
_SMALL_PARTS = partial(stage_stream, part_size=PART)
_SHARDS = 2


@dataclass(frozen=True)
class Job:
    """What a process does.

    :param ends: accounts, each with a bucket and a prefix; the source first.
    :param tried: how often its task was tried, with this one.
    :param shards: of a sharded run, as its plan names them.
    :param directory: what a fetch goes to, if it does not go to the last of ``ends``.
    """

    what: str
    ends: tuple[tuple[str, str, str], ...]
    run_id: str
    tried: int = 1
    shards: tuple[str, ...] = ()
    directory: Path | None = None
    primary_down: bool = False


@dataclass(frozen=True)
class Life:
    """A job in a process of its own, and when that is killed.

    :param seconds: after so long, if not before; ``None``: at no time.
    :param counted: where it writes how many requests it has made, and how long it took.
    """

    job: Job
    death: Death
    seconds: float | None
    address: str
    counted: Path


def plan(job: Job, ends: list[Endpoint]) -> tuple[str, ...]:
    return shards.plan_shards(_replication(ends), shards=_SHARDS, run_id=job.run_id).shards


def _shards(job: Job, ends: list[Endpoint]) -> None:
    for shard in job.shards:
        shards.replicate_shard(_replication(ends), run_id=job.run_id, shard=shard)


def _close(job: Job, ends: list[Endpoint]) -> None:
    shards.close_shards(_replication(ends), run_id=job.run_id)


def _replicate(job: Job, ends: list[Endpoint]) -> None:
    replicate(_replication(ends), run_id=job.run_id)


def _fetch(job: Job, ends: list[Endpoint]) -> None:
    with patch.object(targets, "stage_stream", _SMALL_PARTS):
        _fetch_in_small_parts(job, ends)


def _fetch_in_small_parts(job: Job, ends: list[Endpoint]) -> None:
    primary, replica, *to = ends
    down = StorageError("it is down", kind=ErrorKind.UNAVAILABLE)
    candidates = [
        Candidate("mem://primary/", None, down, primary=True)
        if job.primary_down
        else Candidate(str(primary.location), primary, primary=True),
        Candidate(str(replica.location), replica),
    ]
    target = FileTarget(job.directory) if job.directory else ObjectTarget(to[0])
    with run_tokens.under_way(None):
        clear_left(target, tree=True)
        fetch_tree(candidates, target, concurrency=4)


_WORK: dict[str, Callable[[Job, list[Endpoint]], object]] = {
    "replicate": _replicate,
    "plan": plan,
    "shards": _shards,
    "close": _close,
    "fetch": _fetch,
}


def _replication(ends: list[Endpoint]) -> Replication:
    return Replication(ends[0], tuple(ends[1:]), OPTIONS)


def opened(ends: tuple[tuple[str, str, str], ...]) -> list[Endpoint]:
    """The places themselves."""
    return [
        Endpoint("memory", Counted(conn), Location("mem", conn, bucket, prefix))
        for conn, bucket, prefix in ends
    ]


def do(job: Job, ends: list[Endpoint] | None = None) -> object:
    """Do a job as a task of Airflow does."""
    task = Work(
        dag_id="dag", task_id=job.what, run_id=job.run_id, map_index=-1, try_number=job.tried
    )
    with working_for(task):
        return _WORK[job.what](job, opened(job.ends) if ends is None else ends)


def _live(life: Life) -> None:
    way = Way(life.address, life.death)
    ends = [
        replace(end, store=Distant(str(end.location.conn_id), way, DEFAULT_LIMITS))
        for end in opened(life.job.ends)
    ]
    began = time.monotonic()
    do(life.job, ends)
    life.counted.write_text(f"{way.requests} {time.monotonic() - began}")


def _fork(life: Life) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _live(life)
            code = 0
        except BaseException:  # noqa: BLE001 - the child ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    if life.seconds is not None:
        time.sleep(life.seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def serve() -> None:
    """Have one child live after the other, until there are no more."""
    while True:
        try:
            life = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        sys.stdout.write(f"{_fork(life)}\n")
        sys.stdout.flush()
