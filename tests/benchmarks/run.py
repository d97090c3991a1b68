"""``python -m tests.benchmarks``: this package against rclone and Airflow's own operators.

Every case is run by each tool in turn, again and again; what counts is the median. A run whose
result is not the source's objects, byte for byte, ends the benchmark.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console

from tests.benchmarks import cases, stand_ins
from tests.benchmarks.measure import ROOT, Run, run
from tests.benchmarks.probe import probe
from tests.benchmarks.sinks import Sinks
from tests.benchmarks.tables import Result, results_table, speeds_table
from tests.benchmarks.tools import AIRFLOW, OURS, RCLONE, command

if TYPE_CHECKING:
    from tests.benchmarks.cases import Case

_OUT = ROOT / ".bench" / "results.json"


def main() -> None:
    """Run the cases, print the tables, write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each tool per case")
    parser.add_argument("--only", default="", help="only cases whose name has this text")
    parser.add_argument("--no-airflow", action="store_true", help="leave Airflow's operators out")
    parser.add_argument("--no-stand-ins", action="store_true", help="leave the real servers out")
    parser.add_argument("--out", type=Path, default=_OUT, help="the JSON file")
    given = parser.parse_args()
    console = Console(width=150 if not sys.stdout.isatty() else None)
    document: dict[str, object] = {
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform()},
        "load": os.getloadavg(),
    }
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        os.environ.update(quiet(home))
        sinks = stack.enter_context(Sinks(cases.SIZES))
        speeds = probe(sinks)
        console.print(speeds_table(speeds))
        document["sinks"] = [asdict(speed) for speed in speeds]
        chosen = [_limited(case, given) for case in cases.CASES if given.only in case.name]
        results = []
        for case in chosen:
            results.append(_measure(case, sinks, given.repeat, console))
            document["results"] = [result.as_dict() for result in results]
            _write(given.out, document)  # so that what is measured stays when a later case fails
    console.print(results_table("Against sinks", results))
    if not given.no_stand_ins:
        chosen = [_limited(case, given) for case in cases.STAND_INS if given.only in case.name]
        results = stand_ins.measure_all(chosen, given.repeat, console)
        console.print(results_table("Against stand-ins", results))
        document["stand_ins"] = [result.as_dict() for result in results]
    _write(given.out, document)
    console.print(f"load at the start {document['load']}, at the end {os.getloadavg()}")


def _write(path: Path, document: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False))


def quiet(home: str) -> dict[str, str]:
    """An Airflow of its own, without examples and warnings."""
    return {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONWARNINGS": "ignore",
    }


def _limited(case: Case, given: argparse.Namespace) -> Case:
    return replace(case, airflow=0) if given.no_airflow else case


def _measure(case: Case, sinks: Sinks, repeat: int, console: Console) -> Result:
    runs: dict[str, list[Run]] = {OURS: [], RCLONE: [], AIRFLOW: []}
    for number in range(repeat):
        for tool, done in runs.items():
            if tool == AIRFLOW and number >= case.airflow:
                continue
            if number == 0 or not case.rerun:
                sinks.clear(case.destinations, tool)
            sinks.set_latency(case.latency)
            what = command(tool, case, sinks.endpoints)
            if case.rerun and number == 0:
                run(what)
            before = sinks.cpu()
            one = run(what)
            after = sinks.cpu()
            sinks.set_latency(0)
            sinks.check(case, tool)
            busiest = max(after[cloud] - before[cloud] for cloud in after)
            done.append(replace(one, server_share=busiest / one.section))
            console.print(f"{case.name}: {tool} {one.seconds:.2f} s, section {one.section:.2f} s")
    return Result(case.name, {tool: middle(done) for tool, done in runs.items() if done})


def middle(runs: list[Run]) -> Run:
    """The median of every figure by itself."""
    return Run(**{name: median(asdict(r)[name] for r in runs) for name in asdict(runs[0])})
