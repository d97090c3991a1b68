"""The process that deploys is killed (SIGKILL) at any moment; a retry in a new one mends it all."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .deploying_process import SLOW_IMPORTS, deploy_here
from .landscape import CONNECTIONS, answers

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from .landscape import Landscape

_SEED = 20261129
_KILLS = 6
_PATIENCE_S = 120.0

# Its processes begin with what these import, and with none of this process's threads and servers.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(SLOW_IMPORTS)


@dataclass(frozen=True)
class Deployer:
    """A process that deploys one revision.

    :param began: when it had planned, by the monotonic clock.
    """

    process: BaseProcess
    began: float

    @classmethod
    def start(cls, landscape: Landscape, revision: str, order: datetime) -> Deployer:
        """Return when all is planned, and nothing is made yet."""
        document = landscape.document(landscape.app(revision), revision=revision)
        environment = {n: v for n, v in os.environ.items() if n.startswith("AIRFLOW_")}
        planned = _SERVER.Event()
        given = (document, order.isoformat(), environment, planned)
        process = _SERVER.Process(target=deploy_here, args=given)
        process.start()
        assert planned.wait(_PATIENCE_S)
        return cls(process, time.monotonic())

    def succeed(self) -> float:
        """Wait for its end; the seconds that it took since it had planned."""
        self.process.join(_PATIENCE_S)
        assert self.process.exitcode == 0
        return time.monotonic() - self.began

    def killed_after(self, seconds: float) -> bool:
        """Whether it still ran when it was killed."""
        self.process.join(seconds)
        was_running = self.process.is_alive()
        self.process.kill()
        self.process.join()
        return was_running


def check_one_each(landscape: Landscape, revision: str) -> None:
    """One live instance in each slot, of this revision, and nothing else anywhere."""
    found = landscape.instances()
    assert Counter(one.cloud for one in found) == dict.fromkeys(CONNECTIONS, 1), found
    assert answers(found) == dict.fromkeys(CONNECTIONS, revision)
    assert {one.standing.value for one in found} == {"current"}
    assert len(landscape.left_on_disk()) == len(CONNECTIONS)
    # Per machine: its keeper and its command.
    assert len(landscape.processes()) == 2 * len(CONNECTIONS)


def test_after_each_a_retry_leaves_one_instance_per_slot(landscape: Landscape) -> None:
    moments = random.Random(_SEED)
    Deployer.start(landscape, "r0", datetime.now(UTC)).succeed()
    whole = Deployer.start(landscape, "r1", datetime.now(UTC)).succeed()
    check_one_each(landscape, "r1")

    hit = 0
    for number in range(_KILLS):
        revision, order = f"r{number + 2}", datetime.now(UTC)
        # One in each sixth of the time, so that early, middle and late ones are all met.
        after = whole * (number + moments.random()) / _KILLS
        hit += Deployer.start(landscape, revision, order).killed_after(after)
        Deployer.start(landscape, revision, order).succeed()
        check_one_each(landscape, revision)

    # The last ones may have been done before their moment came.
    assert hit >= _KILLS - 2
    landscape.tear_down().raise_if_failed()
    landscape.check_nothing_is_left()
