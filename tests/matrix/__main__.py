"""Installs the wheel beside each supported Airflow and Python, and runs it there: ``make matrix``.

``--corners``: only the oldest and the newest Airflow, each on the oldest and the newest Python.
Needs the package index. Everything else is on loopback: the local clouds are this checkout's own,
and the environments, in ``.matrix``, hold only what a user installs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from airflow_multicloud.testing.local_clouds import (
    OBJECT_STORES,
    LocalCloudOptions,
    LocalClouds,
    Server,
)

from . import pythons
from .environments import CHECKOUT, DIRECTORY, Clouds, Environment, Lowest, Outcome, tried

#: The minor releases of Airflow that are supported, oldest first.
AIRFLOWS = ("3.1", "3.2", "3.3")

_AT_ONCE = 2
_TAIL = 30


def main(arguments: Sequence[str]) -> int:
    """Run the whole matrix or its corners.

    :returns: 0 when every environment passed, else 1.
    """
    found = pythons.interpreters()
    missing = [version for version in pythons.VERSIONS if version not in found]
    if missing:
        say(f"not on this machine, and not run: Python {', '.join(missing)}")
    if not found:
        return 1
    chosen = corners(found) if "--corners" in arguments else everything(found)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    wheel = built()
    with clouds() as shared, ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = []
        for outcome in pool.map(lambda environment: tried(environment, wheel, shared), chosen):
            outcomes.append(outcome)
            tell(outcome)
    failed = sum(not outcome.passed for outcome in outcomes)
    say(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


def everything(found: dict[str, Path]) -> list[Environment]:
    """Each Airflow on each Python, and the lowest versions on the oldest Python."""
    oldest = min(found, key=pythons.VERSIONS.index)
    lowest = Lowest(airflow=AIRFLOWS[0], python=oldest, interpreter=found[oldest])
    return [lowest, *(of(airflow, python, found) for airflow in AIRFLOWS for python in found)]


def corners(found: dict[str, Path]) -> list[Environment]:
    """The first and the last Airflow, on the first and the last Python."""
    versions = list(found)
    return [
        of(airflow, python, found)
        for airflow in (AIRFLOWS[0], AIRFLOWS[-1])
        for python in dict.fromkeys((versions[0], versions[-1]))
    ]


def of(airflow: str, python: str, found: dict[str, Path]) -> Environment:
    """An environment of the newest versions."""
    return Environment(airflow=airflow, python=python, interpreter=found[python])


def built() -> Path:
    """The wheel, made of this checkout."""
    wheels = DIRECTORY / "wheels"
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels))
    subprocess.run(build, cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=True)
    (wheel,) = wheels.glob("*.whl")
    return wheel


@contextmanager
def clouds() -> Iterator[Clouds]:
    """Local clouds, with three months of bills."""
    home = DIRECTORY / "airflow"
    os.environ.update({"AIRFLOW_HOME": str(home), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"})
    needed = OBJECT_STORES | {Server.GCP_BIGQUERY}
    with LocalClouds(LocalCloudOptions(servers=needed)) as servers:
        connections = servers.conn_env()
        os.environ.update(connections)
        # Imported here: Airflow must not load before it knows its home.
        from airflow_multicloud.demo.bills import Exports

        exports = Exports(euros=False)  # Old packaged exchange rates end before these bills.
        exports.publish()
        yield Clouds(connections=connections, exports=exports.uris, day=exports.day.isoformat())


def tell(outcome: Outcome) -> None:
    """One line for an environment; when it failed, also the end of its log."""
    result = "passed" if outcome.passed else "FAILED"
    say(f"{outcome.versions:32}{result}  {outcome.seconds:4.0f} s")
    if not outcome.passed:
        say("\n".join(outcome.log.read_text().splitlines()[-_TAIL:]))
        say(f"all of it: {outcome.log.relative_to(CHECKOUT)}")


def say(text: str) -> None:
    """Print at once, as environments take minutes."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
