"""The process that deploys is killed (SIGKILL) at any moment; a retry in a new one mends it all."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .deploying_process import deploy
from .landscape import CONNECTIONS, answers

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from .landscape import Landscape

_SEED = 20261129
_KILLS = 6
_PATIENCE_S = 120.0

# Its processes begin with what these import, and with none of this process's threads and servers.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.integration.rollouts.landscape"])


def started(landscape: Landscape, app: Path, revision: str, order: datetime) -> BaseProcess:
    document = landscape.document(app, revision=revision)
    environment = {n: v for n, v in os.environ.items() if n.startswith("AIRFLOW_")}
    process = _SERVER.Process(target=deploy, args=(document, order.isoformat(), environment))
    process.start()
    return process


def ended(process: BaseProcess) -> None:
    process.join(_PATIENCE_S)
    assert process.exitcode == 0


def killed(process: BaseProcess, after: float) -> bool:
    """Whether it still ran when it was killed."""
    process.join(after)
    was_running = process.is_alive()
    process.kill()
    process.join()
    return was_running


def check_one_each(landscape: Landscape, revision: str) -> None:
    """One live instance in each slot, of this revision, and nothing else anywhere."""
    found = landscape.instances()
    assert Counter(one.cloud for one in found) == dict.fromkeys(CONNECTIONS, 1), found
    assert answers(found) == dict.fromkeys(CONNECTIONS, revision)
    assert {one.standing.value for one in found} == {"current"}
    # Per machine: its keeper and its command.
    assert len(landscape.left_on_disk()) == len(CONNECTIONS)
    assert len(landscape.processes()) == 2 * len(CONNECTIONS)


def test_after_each_a_retry_leaves_one_instance_per_slot(landscape: Landscape) -> None:
    moments = random.Random(_SEED)
    began = time.monotonic()
    ended(started(landscape, landscape.app("0"), "r0", datetime.now(UTC)))
    whole = time.monotonic() - began
    check_one_each(landscape, "r0")

    hit = 0
    for number in range(1, _KILLS + 1):
        app, order = landscape.app(str(number)), datetime.now(UTC)
        revision = f"r{number}"
        # Strata, so that early, middle and late moments are all met.
        after = whole * (number - moments.random()) / _KILLS
        hit += killed(started(landscape, app, revision, order), after)
        ended(started(landscape, app, revision, order))
        check_one_each(landscape, revision)

    # A last one may have been done before its moment came.
    assert hit >= _KILLS - 2
    landscape.tear_down().raise_if_failed()
    landscape.check_nothing_is_left()
