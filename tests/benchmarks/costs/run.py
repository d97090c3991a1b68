"""``python -m tests.benchmarks.costs``: questions to a cost store, beside Polars and pandas.

Bills of three clouds are generated and ingested once and kept. Each question is then asked by
each engine in a process of its own, in turn, again and again; what counts is the median. All
three read the same Parquet files; engines whose costs differ in any decimal end the benchmark.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.benchmarks.costs.data import CLOUDS, Lake, one_month, three_clouds
from tests.benchmarks.measure import ROOT, Run, run
from tests.benchmarks.tools import Command

_CACHE = ROOT / ".bench" / "costs"
_OURS, _WARM, _PEERS = "ours", "ours, warm", ("Polars", "pandas")
#: The rollup keeps services, not regions.
_ROLLED, _RAW = "ServiceName", "RegionId"
_QUIET = {"PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One question's median run by one engine."""

    question: str
    engine: str
    run: Run

    @property
    def peak(self) -> int:
        """MiB of the whole process."""
        return round(self.run.peak_kib / 1024)


def main() -> None:
    """Make what is missing, measure, print the table, write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks.costs")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of all clouds together")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each engine per question")
    parser.add_argument("--no-pandas", action="store_true", help="it holds all rows in memory")
    parser.add_argument("--no-restatement", action="store_true", help="leave the ingestion out")
    parser.add_argument("--cache", type=Path, default=_CACHE, help="where the bills are kept")
    parser.add_argument("--out", type=Path, default=ROOT / ".bench" / "costs.json")
    given = parser.parse_args()
    console = Console(width=130 if not sys.stdout.isatty() else None)
    given.cache.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()
    console.print(f"bills of {given.rows:,} rows in {given.cache}")
    # In a process of its own: this one must stay small, see tests.benchmarks.measure.run.
    with ProcessPoolExecutor(max_workers=1) as aside:
        lake = aside.submit(three_clouds, given.cache, given.rows).result()
        if not given.no_restatement:
            aside.submit(one_month, given.cache, given.rows).result()
    peers = _PEERS[:1] if given.no_pandas else _PEERS
    found = [
        *_ask(f"by {_ROLLED}, rollup", _ROLLED, lake, (_OURS, _WARM, *peers), given.repeat),
        *_ask(f"by {_RAW}, all rows", _RAW, lake, (_OURS, *peers), given.repeat),
    ]
    if not given.no_restatement:
        restated = [
            run(_command("restate", str(given.cache), str(given.rows))) for _ in range(given.repeat)
        ]
        found.append(Measured("one restated day", _OURS, _middle(restated)))
    console.print(_table(lake.rows, found))
    document = {
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform()},
        "load": load,
        "rows": lake.rows,
        "results": [asdict(one) for one in found],
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(document, indent=1))


def _ask(
    question: str, dimension: str, lake: Lake, engines: Sequence[str], repeat: int
) -> list[Measured]:
    runs: dict[str, list[Run]] = {engine: [] for engine in engines}
    with tempfile.TemporaryDirectory() as directory:
        answers: set[str] = set()
        for _ in range(repeat):
            for engine, done in runs.items():
                out = Path(directory) / "answer.json"
                done.append(run(_command("engines", engine, dimension, str(lake.root), str(out))))
                answers.add(out.read_text())
                if len(answers) > 1:
                    raise SystemExit(f"{question}: {engine} finds other costs than the others")
    rows = json.loads(answers.pop())
    totals = tuple(sum(Decimal(row[column]) for row in rows) for column in range(3, 7))
    if totals != lake.costs:
        raise SystemExit(f"{question}: {totals} in all, but the bills add up to {lake.costs}")
    if {row[0] for row in rows} != set(CLOUDS):
        raise SystemExit(f"{question}: clouds are missing")
    return [Measured(question, engine, _middle(done)) for engine, done in runs.items()]


def _command(module: str, *arguments: str) -> Command:
    return Command((sys.executable, "-m", f"tests.benchmarks.costs.{module}", *arguments), _QUIET)


def _middle(runs: list[Run]) -> Run:
    """The median of every figure by itself."""
    return Run(**{name: median(asdict(r)[name] for r in runs) for name in asdict(runs[0])})


def _table(rows: int, found: Sequence[Measured]) -> Table:
    """Seconds are the section's, without start and imports; peaks are the whole process's."""
    table = Table(title=f"{rows:,} rows: medians")
    for heading in ("question", "engine", "s", "CPU s", "peak, MiB", "÷ ours"):
        table.add_column(heading, justify="left" if heading in {"question", "engine"} else "right")
    first: dict[str, float] = {}
    for one in found:
        ours = first.setdefault(one.question, one.run.section)
        table.add_row(
            one.question,
            one.engine,
            f"{one.run.section:.3f}",
            f"{one.run.section_cpu:.2f}",
            f"{one.peak}",
            f"{one.run.section / ours:.1f}×",
        )
    return table
