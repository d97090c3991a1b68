"""Waiting on a thread whose event loop must go on meanwhile."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from airflow_multicloud.core.telemetry import in_context

T = TypeVar("T")


def beside_loop(work: Callable[[], T]) -> T:
    """What ``work`` gives; an event loop that runs on this thread goes on meanwhile, if it can.

    It can where greenback has opened a portal, as Airflow's triggerer does for its triggers from
    Airflow 3.3 on. (Who has opened one has imported greenback.) Otherwise the loop stands still
    for as long as ``work`` takes, as with every call that waits.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return work()
    greenback = sys.modules.get("greenback")
    if greenback is None or not greenback.has_portal():
        return work()
    ended: Future[T] = Future()
    # Nobody can call it off any more: its end would have no place to go.
    ended.set_running_or_notify_cancel()

    def run() -> None:
        try:
            ended.set_result(work())
        except BaseException as err:  # noqa: BLE001 - raised where it is waited for
            ended.set_exception(err)

    # Not on the loop's own pool, in which others may wait for this.
    threading.Thread(target=in_context(run), name="multicloud-beside-a-loop", daemon=True).start()
    found: T = greenback.await_(asyncio.wrap_future(ended, loop=loop))
    return found
