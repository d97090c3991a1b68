"""``python -m tests.benchmarks.scale``: what many objects cost, in time, memory and disk.

In memory clouds, so that it is this package alone that is measured. Each measure is a process of
its own; memory is the peak above what the process had before it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.targets import ObjectTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.request import Replication
from tests.benchmarks import made_up
from tests.benchmarks.section import measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.core.endpoints import Endpoint


def main() -> None:
    """Measure each in a process of its own, or the one that is named in this one."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks.scale")
    parser.add_argument("--objects", type=int, default=1_000_000, help="of runs")
    parser.add_argument("--fetched", type=int, default=100_000, help="of fetches; and a tenth")
    parser.add_argument("--measure", choices=[*_MEASURES], help="only this, in this process")
    given = parser.parse_args()
    if given.measure:
        _MEASURES[given.measure](given.objects)
        return
    table = Table("objects", "", "s", "CPU s", "memory, MiB", "written", title="Scale")
    for name, objects in (
        ("unchanged", given.objects // 10),
        ("unchanged", given.objects),
        ("one changed", given.objects),
        ("fetched", given.fetched // 10),
        ("fetched", given.fetched),
    ):
        told = _in_a_process(name, objects)
        grown = (told["peak_kib"] - told["before_kib"]) / 1024
        figures = (f"{told['seconds']:.1f}", f"{told['cpu']:.1f}", f"{grown:.0f}")
        table.add_row(f"{objects:,}", name, *figures, told["written"])
    Console(width=120).print(table)


def _in_a_process(name: str, objects: int) -> dict[str, object]:
    words = [sys.executable, "-m", "tests.benchmarks.scale", "--measure", name]
    words += ["--objects", str(objects)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {key: value for line in lines for key, value in line.items()}


def _unchanged(objects: int) -> None:
    source, replica = _proven(objects)
    with measured():
        replicate(Replication(source, (replica,), ReplicationOptions()))
    _tell(replica)


def _one_changed(objects: int) -> None:
    source, replica = _proven(objects)
    source.store.put_object(source.ref(made_up.key_of(objects // 2)), b"changed")
    with measured():
        replicate(Replication(source, (replica,), ReplicationOptions()))
    _tell(replica)


def _fetched(objects: int) -> None:
    _, replica = _proven(objects)
    target = made_up.endpoint("target", 0, keeps=False)
    candidate = Candidate(str(replica.location), replica)
    with measured():
        fetch_tree([candidate], ObjectTarget(target))
    _tell(target)


def _proven(objects: int) -> tuple[Endpoint, Endpoint]:
    source, replica = (made_up.endpoint(name, objects) for name in ("source", "replica"))
    made_up.prove(source, replica)
    return source, replica


def _tell(end: Endpoint) -> None:
    """What was written there, as a line of JSON."""
    store = made_up.store_of(end)
    kinds = [f"{n} {kind}, {store.written_bytes[kind]} B" for kind, n in store.written.items()]
    blocks = resource.getrusage(resource.RUSAGE_SELF).ru_oublock
    sys.stdout.write(json.dumps({"written": "; ".join(kinds), "disk_blocks": blocks}) + "\n")


_MEASURES: dict[str, Callable[[int], None]] = {
    "unchanged": _unchanged,
    "one changed": _one_changed,
    "fetched": _fetched,
}


if __name__ == "__main__":
    main()
