"""Reports as Airflow's database has them, made up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.plugins.page.recorded import Recorded, TaskRef

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def report(
    facts: Mapping[str, Any] | None,
    *,
    ago: timedelta = timedelta(),
    key: str = "report",
    operator: str = "ReplicateOperator",
    dag_id: str = "shop",
    task_id: str = "task",
    state: str = "success",
    problem: str | None = None,
) -> Recorded:
    """One report."""
    return Recorded(
        task=TaskRef(dag_id, "run", task_id),
        operator=operator,
        state=state,
        label=None,
        key=key,
        at=NOW - ago,
        facts=facts,
        problem=problem,
    )
