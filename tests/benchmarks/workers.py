"""``python -m tests.benchmarks.workers``: one sharded replication by 1, 2 and 4 workers at once.

From one sink to another, over sockets. Each worker is a process, takes every n-th shard, and is
timed from its first shard on. The sinks need processors too: the last column says how many cores
were busy in all. Where that is all there are, it is the machine that bounds the efficiency.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.benchmarks.cases import Case
from tests.benchmarks.many import SIZE, in_a_process
from tests.benchmarks.sinks import Sinks
from tests.benchmarks.tools import OURS

if TYPE_CHECKING:
    from tests.benchmarks.many import Step


def main() -> None:
    """Measure each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks.workers")
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds, of each answer")
    given = parser.parse_args()
    title = f"{given.objects:,} objects, {given.shards} shards, {os.cpu_count()} cores"
    columns = (
        "workers",
        "s",
        "objects/s",
        "efficiency",
        "CPU s, ours",
        "CPU s, sinks",
        "busy cores",
    )
    table = Table(*columns, title=title)
    case = Case(name="many", source="s3", destinations=("azure",), prefix="many")
    alone = 0.0
    with Sinks({"many": (given.objects, SIZE)}) as sinks:
        sinks.set_latency(given.latency)
        for workers in given.workers:
            sinks.clear(case.destinations, OURS)
            plan = in_a_process("plan", sinks.endpoints, str(given.shards))
            before = sum(sinks.cpu().values())
            steps = _at_once(sinks, plan.shards, workers)
            served = sum(sinks.cpu().values()) - before
            in_a_process("close", sinks.endpoints)
            sinks.check(case, OURS)
            seconds, cpu = max(one.seconds for one in steps), sum(one.cpu for one in steps)
            alone = alone or seconds * workers
            table.add_row(
                str(workers),
                f"{seconds:.1f}",
                f"{given.objects / seconds:,.0f}",
                f"{100 * alone / (workers * seconds):.0f} %",
                f"{cpu:.1f}",
                f"{served:.1f}",
                f"{(cpu + served) / seconds:.1f}",
            )
    Console(width=120).print(table)


def _at_once(sinks: Sinks, shards: tuple[str, ...], workers: int) -> list[Step]:
    """Let so many processes copy the shards."""
    with ThreadPoolExecutor(workers) as pool:
        under_way = [
            pool.submit(in_a_process, "shard", sinks.endpoints, *shards[number::workers])
            for number in range(workers)
        ]
        return [one.result() for one in under_way]


if __name__ == "__main__":
    main()
