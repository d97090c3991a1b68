"""Whose points they are, where nobody says it: the task's that this runs in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from airflow_multicloud.core.metrics.origin import Origin, origin_of
from airflow_multicloud.labels import current_work


def current_origin(time: datetime | None = None) -> Origin:
    """The task's in which this is called, and the start of its DAG run; outside of one: nobody's.

    A process that a task has started knows its DAG and task, but not its map index.

    :param time: of points without one, instead of the run's start.
    """
    work, started = current_work(), None
    context = _context() if work.dag_id else None
    if context is not None:
        index = getattr(context.get("ti"), "map_index", None)
        work = replace(work, map_index=-1 if index is None else index)
        run = context.get("dag_run")
        started = getattr(run, "start_date", None) or getattr(run, "run_after", None)
    return origin_of(work, time or started)


def _context() -> Any:
    # Imported here: Airflow takes seconds to load, and is loaded already inside a task.
    from airflow.sdk import get_current_context

    try:
        return get_current_context()
    except RuntimeError:
        return None
