"""A progress bar on stderr, where stderr is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from airflow_multicloud.core.replication.progress import Listener, Snapshot

#: Seconds between two movements of the bar, at least.
BAR_INTERVAL = 0.5


@contextmanager
def progress_bar(doing: str) -> Iterator[Listener | None]:
    """A listener that moves a bar, or ``None`` in a pipe; the bar is gone afterwards.

    The bar pulses until the listener first hears how much there is to do.
    """
    if not sys.stderr.isatty():
        yield None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(doing, total=None, told="")

        def listener(now: Snapshot) -> None:
            bar.update(task, completed=now.written, total=now.to_write, told=str(now))

        yield listener
