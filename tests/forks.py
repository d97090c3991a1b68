"""Processes of their own that have the engine loaded from the start, for tests that kill them.

They are forked from Python's fork server, which has loaded it once; a new interpreter would load
Airflow and a cloud's SDK each time, for longer than most such tests need.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.process import BaseProcess

_FORKS = get_context("forkserver")
# Of the one fork server that a process has; told before it starts.
_FORKS.set_forkserver_preload(
    [
        "airflow.models",
        "airflow_multicloud.clouds.aws.object_store",
        "airflow_multicloud.clouds.azure.object_store",
        "airflow_multicloud.clouds.gcp.object_store",
        "tests.faults.replicating",
    ]
)


@dataclass(frozen=True)
class Forked:
    """A process that runs; what it writes to standard error goes to a file.

    :param seconds: it is not waited for longer.
    """

    process: BaseProcess
    errors: Path
    seconds: float = 120

    def kill(self) -> None:
        """End it by SIGKILL, and wait for its end."""
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        """How it ended: its exit code, or the negative number of a signal."""
        self.process.join(self.seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            pytest.fail(f"it did not end in {self.seconds} s: {self.said()}")
        return self.process.exitcode

    def succeed(self) -> None:
        """Wait until it has done all that it was to do."""
        assert self.wait() == 0, self.said()

    def said(self) -> str:
        """The end of what it wrote to standard error."""
        return self.errors.read_text(errors="replace")[-2000:]


def forked(target: Callable[..., object], *args: object, errors: Path) -> Forked:
    """Begin a process that calls a function of a module, with this process's environment."""
    process = _FORKS.Process(target=_live, args=(target, args, dict(os.environ), errors))
    errors.touch()
    process.start()
    return Forked(process, errors)


def _live(
    target: Callable[..., object],
    args: tuple[object, ...],
    environment: Mapping[str, str],
    errors: Path,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with errors.open("wb") as file, Path(os.devnull).open("wb") as nothing:
        os.dup2(file.fileno(), 2)
        os.dup2(nothing.fileno(), 1)
    target(*args)
