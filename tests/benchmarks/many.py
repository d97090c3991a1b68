"""``python -m tests.benchmarks.many``: time and memory per small object, of more and more of them.

From one sink to another, over sockets, in one process and sharded. Each run is a process of its
own; memory is the peak above what the process had before it. A sharded run is planned, copied shard
by shard, and closed, each step in a process of its own as Airflow would have it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from airflow_multicloud import api
from airflow_multicloud.core.replication import shards
from tests.benchmarks.cases import Case
from tests.benchmarks.run import quiet
from tests.benchmarks.section import measured
from tests.benchmarks.sinks import Sinks
from tests.benchmarks.tools import OURS, SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.endpoints import Endpoints

#: Bytes of an object.
SIZE = 1 << 10
#: Of a shard, when none are told: sinks can't give back what came in more than one request.
_OBJECTS = 25_000
_RUN = "many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one process took: seconds, processor seconds, MiB.

    :param shards: that it planned.
    """

    what: str
    seconds: float
    cpu: float
    memory: float
    shards: tuple[str, ...] = ()


def main() -> None:
    """Measure each number of objects, or do one step in this process."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks.many")
    numbers = [10_000, 100_000, 1_000_000]
    parser.add_argument("--objects", type=int, nargs="+", default=numbers)
    parser.add_argument("--shards", type=int, help="8, or one for each 25,000 objects")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        _step(*given.step)
        return
    table = Table("objects", "", "s", "CPU s", "µs each", "CPU µs each", "memory, MiB")
    for objects in given.objects:
        for name, steps in _measured(objects, given.shards or max(8, objects // _OBJECTS)):
            seconds, cpu = sum(s.seconds for s in steps), sum(s.cpu for s in steps)
            each = [f"{1e6 * value / objects:.0f}" for value in (seconds, cpu)]
            memory = f"{max(step.memory for step in steps):.0f}"
            table.add_row(f"{objects:,}", name, f"{seconds:.1f}", f"{cpu:.1f}", *each, memory)
    Console(width=120).print(table)


def _measured(objects: int, count: int) -> Iterator[tuple[str, list[Step]]]:
    case = Case(name=f"{objects:,}", source="s3", destinations=("azure",), prefix="many")
    with Sinks({"many": (objects, SIZE)}) as sinks:
        yield "copied", [in_a_process("whole", sinks.endpoints)]
        sinks.check(case, OURS)
        yield "unchanged", [in_a_process("whole", sinks.endpoints)]
        sinks.clear(case.destinations, OURS)
        plan = in_a_process("plan", sinks.endpoints, str(count))
        steps = [plan, *(in_a_process("shard", sinks.endpoints, one) for one in plan.shards)]
        steps.append(in_a_process("close", sinks.endpoints))
        sinks.check(case, OURS)
        for name in ("plan", "shard", "close"):
            yield f"sharded: {name}", [step for step in steps if step.what == name]


def in_a_process(what: str, endpoints: Endpoints, *more: str) -> Step:
    """One step, in a process of its own.

    :param what: ``whole``, ``plan`` (and how many shards), ``shard`` (and which) or ``close``.
    """
    places = [endpoints.uri("s3", SOURCE, "many"), endpoints.uri("azure", OURS, "many")]
    words = [sys.executable, "-m", "tests.benchmarks.many", "--step", what, *places, *more]
    with TemporaryDirectory(prefix="bench-") as home:
        environment = {**os.environ, **quiet(home), **endpoints.airflow_environment()}
        environment["AIRFLOW_CTX_TRY_NUMBER"] = "1"  # A later try looks for what the first left.
        done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    told = {name: value for line in lines for name, value in line.items()}
    return Step(
        what=what,
        seconds=told["seconds"],
        cpu=told["cpu"],
        memory=(told["peak_kib"] - told["before_kib"]) / 1024,
        shards=tuple(told.get("shards", ())),
    )


def _step(what: str, source: str, destination: str, *more: str) -> None:
    opened = api.replication(source, [destination])
    with measured():
        if what == "whole":
            api.replicate(source, [destination])
        elif what == "plan":
            plan = shards.plan_shards(opened, shards=int(more[0]), run_id=_RUN)
            sys.stdout.write(json.dumps({"shards": plan.shards}) + "\n")
        elif what == "shard":
            for shard in more:
                shards.replicate_shard(opened, run_id=_RUN, shard=shard)
        else:
            shards.close_shards(opened, run_id=_RUN)


if __name__ == "__main__":
    main()
