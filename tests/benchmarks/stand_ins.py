"""The same cases against moto, fake-gcs-server and Azurite, which are slower than any client."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds import LocalClouds
from tests.benchmarks.cases import STAND_IN_SIZES, Case
from tests.benchmarks.endpoints import Endpoints
from tests.benchmarks.measure import Run, run
from tests.benchmarks.tables import Result
from tests.benchmarks.tools import AIRFLOW, OURS, RCLONE, Command, command

if TYPE_CHECKING:
    from rich.console import Console


def measure_all(chosen: list[Case], repeat: int, console: Console) -> list[Result]:
    """Start the servers, fill them, run the cases."""
    from tests.benchmarks.run import middle

    with LocalClouds() as clouds:
        endpoints = Endpoints(
            clouds.aws.endpoint, clouds.gcp.endpoint, clouds.azure.endpoint, interoperable=False
        )
        for prefix in {case.prefix for case in chosen}:
            count, size = STAND_IN_SIZES[prefix]
            sources = sorted({case.source for case in chosen if case.prefix == prefix})
            _objects(endpoints, "fill", prefix, str(count), str(size), *sources)
        results = []
        for case in chosen:
            runs: dict[str, list[Run]] = {OURS: [], RCLONE: [], AIRFLOW: []}
            for number in range(repeat):
                for tool, done in runs.items():
                    if tool == AIRFLOW and number >= case.airflow:
                        continue
                    _objects(endpoints, "clear", tool, *case.destinations)
                    done.append(run(command(tool, case, endpoints)))
                    words = (case.source, case.prefix, tool, *case.destinations)
                    _objects(endpoints, "check", *words)
                    console.print(f"{case.name}: {tool} {done[-1].seconds:.2f} s")
            medians = {tool: middle(done) for tool, done in runs.items() if done}
            results.append(Result(case.name, medians))
    return results


def _objects(endpoints: Endpoints, *words: str) -> None:
    # A process of its own: what it holds must not count as a child's peak memory.
    environment = {**os.environ, **endpoints.airflow_environment()}
    run(Command((sys.executable, "-m", "tests.benchmarks.objects", *words), environment))
