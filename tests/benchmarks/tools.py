"""How each tool is told to do a case."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.cases import Case
    from tests.benchmarks.endpoints import Endpoints

OURS, RCLONE, AIRFLOW = "ours", "rclone", "airflow"
TOOLS = (OURS, RCLONE, AIRFLOW)
#: The bucket of the synthetic objects.
SOURCE = "source"

# Threads and MiB: the defaults, and what suits a latency (more of both, as for rclone).
_OURS = ("0", "0")
_OURS_LATE = ("128", "64")
# What was fastest among the values tried. Every transfer is verified: rclone sends an MD5 with
# each block, part or object, which the store checks, and compares the whole object's MD5 where
# source and destination both have one. --s3-no-head leaves out only its second look afterwards.
_RCLONE_LARGE = (
    "--multi-thread-cutoff=16M",
    "--multi-thread-streams=8",
    "--multi-thread-chunk-size=8M",
    "--azureblob-chunk-size=8M",
    "--s3-chunk-size=8M",
)
_RCLONE_LARGE_LATE = (
    "--multi-thread-cutoff=16M",
    "--multi-thread-streams=16",
    "--multi-thread-chunk-size=8M",
    "--azureblob-chunk-size=8M",
    "--s3-chunk-size=8M",
)
_RCLONE_SMALL = ("--transfers=16", "--checkers=16", "--buffer-size=0", "--s3-no-head")
_RCLONE_SMALL_LATE = ("--transfers=128", "--checkers=64", "--buffer-size=0", "--s3-no-head")
_RCLONE_ALWAYS = (
    "--checksum",
    "--fast-list",
    "--retries=1",
    "--stats=0",
)


@dataclass(frozen=True, slots=True)
class Command:
    """One process to run."""

    arguments: tuple[str, ...]
    environment: dict[str, str]


def command(tool: str, case: Case, endpoints: Endpoints) -> Command:
    """The process that does ``case``, writing to the bucket named like the tool."""
    if tool == RCLONE:
        return _rclone(case, endpoints)
    environment = endpoints.airflow_environment()
    if tool == OURS:
        options = _OURS_LATE if case.latency else _OURS
        locations = [endpoints.uri(case.source, SOURCE, case.prefix)]
        locations += [endpoints.uri(cloud, OURS, case.prefix) for cloud in case.destinations]
        return Command(
            (sys.executable, "-m", "tests.benchmarks.ours", *options, case.digest, *locations),
            environment,
        )
    module = "tests.benchmarks.airflow_operators"
    words = (case.prefix, case.source, *case.destinations)
    return Command((sys.executable, "-m", module, *words), environment)


def _rclone(case: Case, endpoints: Endpoints) -> Command:
    to = case.destinations[0] if len(case.destinations) == 1 else "both"
    target = f"both:{case.prefix}" if to == "both" else f"{to}:{RCLONE}/{case.prefix}"
    if case.large:
        flags = _RCLONE_LARGE_LATE if case.latency else _RCLONE_LARGE
    else:
        flags = _RCLONE_SMALL_LATE if case.latency else _RCLONE_SMALL
    program = str(Path(sys.executable).with_name("rclone"))
    source = f"{case.source}:{SOURCE}/{case.prefix}"
    if not case.large and to != "both":
        # With it, union takes every object for one that S3 has already, and writes only there.
        flags = (*flags, "--s3-no-head-object")
    words = (program, "copy", source, target, *_RCLONE_ALWAYS, *flags)
    return Command(words, endpoints.rclone_environment(RCLONE))
