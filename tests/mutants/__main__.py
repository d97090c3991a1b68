"""Makes a seeded sample of faults, and says which the unit tests notice: ``make mutants``.

Each fault is tried in a copy of the checkout, with the tests that run its line, the quick ones
first, up to the first that fails. Faults in other packages: ``--under``, with ``--tests``.
"""

from __future__ import annotations

import argparse
import os
import queue
import random
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from .mutations import Mutation, is_another_program, mutations
from .trying import copied, covered, noticed

CHECKOUT = Path(__file__).parents[2]
UNDER = (
    "airflow_multicloud/core/replication",
    "airflow_multicloud/core/failover",
    "airflow_multicloud/core/ledger",
)
TESTS = ("tests/unit/replication", "tests/unit/failover", "tests/unit/ledger")
#: The share of faults that must be noticed, in percent.
NEEDED = 85


def main(arguments: list[str]) -> int:
    """Try the sample.

    :returns: 0 if enough faults were noticed, else 1.
    """
    options = _parser().parse_args(arguments)
    under = tuple(place for place in options.under if (CHECKOUT / place).exists())
    tests = tuple(place for place in options.tests if (CHECKOUT / place).exists())
    sample = _sample(under, options.seed, options.count)
    count = len(sample)
    say(f"{count} faults, seed {options.seed}")
    survivors = _survivors(sample, tests, options.jobs)
    share = 100 * (count - survivors) / count
    say(f"noticed: {count - survivors} of {count} faults, {share:.1f} %; needed: {NEEDED} %")
    return 0 if share >= NEEDED else 1


def _sample(under: tuple[str, ...], seed: int, count: int) -> list[Mutation]:
    every = mutations(CHECKOUT, under)
    random.Random(seed).shuffle(every)
    faults = (
        found for found in every if is_another_program((CHECKOUT / found.module).read_text(), found)
    )
    return sorted(islice(faults, count or None), key=str)


def _survivors(sample: list[Mutation], tests: tuple[str, ...], jobs: int) -> int:
    with tempfile.TemporaryDirectory(prefix="airflow-multicloud-mutants-") as directory:
        first = copied(CHECKOUT, Path(directory) / "0")
        known = covered(first, tests)
        free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        free.put(first)
        for number in range(1, jobs):
            free.put(shutil.copytree(first, Path(directory) / str(number)))

        # One copy serves one thread at a time.
        def survives(mutation: Mutation) -> bool:
            copy = free.get()
            try:
                return not noticed(copy, mutation, known.tests_for(mutation))
            finally:
                free.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            survived = 0
            results = zip(sample, pool.map(survives, sample), strict=True)
            for number, (mutation, lives) in enumerate(results, 1):
                survived += lives
                say(f"{number}/{len(sample)} {'NOT ' if lives else ''}noticed: {mutation}")
                if lives:
                    say(mutation.diff((CHECKOUT / mutation.module).read_text()))
    return survived


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--seed", default=0, type=int, help="chooses the sample")
    parser.add_argument("--count", default=100, type=int, help="faults to try; 0: all of them")
    parser.add_argument("--jobs", default=os.cpu_count() or 1, type=int, help="tried at once")
    parser.add_argument("--under", nargs="+", default=UNDER, help="packages or modules")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="test directories or modules")
    return parser


def say(text: str) -> None:
    """Print at once, as faults take seconds."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
