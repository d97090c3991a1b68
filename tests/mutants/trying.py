"""Tries faults in copies of the checkout; the checkout itself is never changed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from .mutations import Mutation

#: Seconds after which a fault counts as noticed: most likely it made something wait for ever.
LIMIT = 60
_PYTEST = ("-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--hypothesis-seed=0")


@dataclass(frozen=True)
class Covered:
    """Which lines each test runs, and how long each takes."""

    seconds: dict[str, float]
    #: Module → line → tests.
    lines: dict[str, dict[int, frozenset[str]]]

    def tests_for(self, mutation: Mutation) -> list[str]:
        """The tests that can notice a fault: the quick ones first, of those which run the line.

        What a module's import runs may be noticed by any test; those that run lines of the
        module come first. No more than end in half of :data:`LIMIT`: without a fault, all of them
        end in time.
        """
        lines = self.lines.get(mutation.module, {})
        near = {test for tests in lines.values() for test in tests}
        if mutation.lines is None:
            hit = sorted(self.seconds, key=lambda test: (test not in near, self.seconds[test]))
        else:
            found = {test for line in mutation.lines for test in lines.get(line, ())}
            hit = sorted(found, key=self.seconds.__getitem__)
        ends = accumulate(self.seconds[test] for test in hit)
        return [test for test, end in zip(hit, ends, strict=True) if end <= LIMIT / 2]


def copied(checkout: Path, to: Path) -> Path:
    """What git knows, or would add, of the checkout."""
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=checkout,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (checkout / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / name, to / name)
    return to


def covered(copy: Path, tests: tuple[str, ...]) -> Covered:
    """Run the tests once, without a fault.

    :raises SystemExit: a test fails.
    """
    out = copy / "covered.json"
    command = (sys.executable, "-m", "tests.mutants.covering", str(out), *tests)
    done = subprocess.run(command, cwd=copy, env=_environment(copy), check=False)
    if done.returncode:
        sys.exit("the tests fail without a fault: correct that first")
    found = json.loads(out.read_text())
    lines = {
        module: {int(line): frozenset(tests) for line, tests in of_module.items()}
        for module, of_module in found["lines"].items()
    }
    return Covered(found["seconds"], lines)


def noticed(copy: Path, mutation: Mutation, tests: list[str]) -> bool:
    """Whether one of the tests fails, or none ends in time."""
    if not tests:
        return False
    path = copy / mutation.module
    source, times = path.read_text(), path.stat()
    path.write_text(mutation.applied(source))
    try:
        return not _pass(copy, tests)
    finally:
        path.write_text(source)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _pass(copy: Path, tests: list[str]) -> bool:
    with subprocess.Popen(
        (sys.executable, *_PYTEST, *tests),
        cwd=copy,
        env=_environment(copy),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(LIMIT) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            # Also what the tests started, and a process that does not end.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _environment(copy: Path) -> dict[str, str]:
    """The copy's package comes before the checkout's, which is installed."""
    return {**os.environ, "PYTHONPATH": str(copy)}
