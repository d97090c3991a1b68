"""How far a command is: a bar on stderr where that is a terminal, and a line where it counts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from airflow_multicloud.cli import output
from airflow_multicloud.core.replication.progress import Listener, Snapshot
from airflow_multicloud.text import size_text

#: Seconds between two movements of the bar, at least.
BAR_INTERVAL = 0.5


@contextmanager
def progress_bar(doing: str, *, quiet: bool = False) -> Iterator[Listener]:
    """A listener that moves a bar in a terminal; the bar is gone afterwards.

    The bar pulses until the listener first hears how much there is to do. What an earlier try
    left is said in a line of its own, also in a pipe; so is how far it was when it is
    interrupted.

    :param quiet: no bar, and no line.
    """
    last: Snapshot | None = None

    def listener(now: Snapshot) -> None:
        nonlocal last
        if not quiet and now.resuming and (last is None or last.resuming != now.resuming):
            output.say(now.resuming)
        last = now
        move(now)

    try:
        with _bar(doing, shown=sys.stderr.isatty() and not quiet) as move:
            yield listener
    except KeyboardInterrupt:
        if last is not None:
            output.say(
                f"{last.objects} of {last.to_copy} objects are finished, "
                f"{size_text(last.done, last.to_write or None)} are written"
            )
        raise


@contextmanager
def _bar(doing: str, *, shown: bool) -> Iterator[Listener]:
    if not shown:
        yield lambda _: None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(doing, total=None, told="")

        def move(now: Snapshot) -> None:
            completed, total = _share(now)
            bar.update(task, completed=completed, total=total, told=_told(now))

        yield move


def _share(now: Snapshot) -> tuple[int, int]:
    """How much is done of how much: bytes, or objects where nobody knows their sizes yet."""
    if now.to_write:
        return now.done, now.to_write
    return now.objects, now.to_copy


def _told(now: Snapshot) -> str:
    many = f"{now.objects}/{now.to_copy} objects, " if now.to_copy > 1 else ""
    return f"{many}{now.brief}"
