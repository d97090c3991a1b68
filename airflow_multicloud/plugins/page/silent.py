"""Tasks that have begun since something was told, and have told nothing themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.state import TaskInstanceState
from sqlalchemy import select

from airflow_multicloud.plugins.page.recorded import Later, Recorded, Sought, TaskRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: What is under way, and what did not succeed.
_STATES = (
    TaskInstanceState.RUNNING,
    TaskInstanceState.DEFERRED,
    TaskInstanceState.UP_FOR_RESCHEDULE,
    TaskInstanceState.UP_FOR_RETRY,
    TaskInstanceState.FAILED,
)
_MOST = 300


def marked(session: Session, found: Sequence[Recorded], sought: Sought) -> list[Recorded]:
    """The reports, each with the newest task instance of the same task that is silent since."""
    if not found:
        return []
    later = _later(session, found, sought)
    marks = []
    for one in found:
        at, newest = later.get(_key(one.task), (one.at, None))
        marks.append(replace(one, later=newest) if at > one.at else one)
    return marks


def _later(
    session: Session, found: Sequence[Recorded], sought: Sought
) -> dict[tuple[str, str, int], tuple[datetime, Later]]:
    has_report = select(XComModel.key).where(
        XComModel.key == sought.key,
        XComModel.dag_id == TaskInstance.dag_id,
        XComModel.run_id == TaskInstance.run_id,
        XComModel.task_id == TaskInstance.task_id,
        XComModel.map_index == TaskInstance.map_index,
    )
    query = (
        select(
            TaskInstance.dag_id,
            TaskInstance.run_id,
            TaskInstance.task_id,
            TaskInstance.map_index,
            TaskInstance.state,
            TaskInstance.start_date,
        )
        .where(
            TaskInstance.dag_id.in_({one.task.dag_id for one in found}),
            TaskInstance.state.in_(_STATES),
            TaskInstance.operator.in_(sought.operators),
            TaskInstance.start_date > min(one.at for one in found),
            ~has_report.exists(),
        )
        .order_by(TaskInstance.start_date.desc())
        .limit(_MOST)
    )
    later: dict[tuple[str, str, int], tuple[datetime, Later]] = {}
    for row in session.execute(query):
        task = TaskRef(row.dag_id, row.run_id, row.task_id, row.map_index)
        began = row.start_date if row.start_date.tzinfo else row.start_date.replace(tzinfo=UTC)
        later.setdefault(_key(task), (began, Later(task, str(row.state))))
    return later


def _key(task: TaskRef) -> tuple[str, str, int]:
    return task.dag_id, task.task_id, task.map_index
