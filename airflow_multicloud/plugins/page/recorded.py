"""What tasks have reported, as Airflow's database has it in XCom.

Whoever writes DAGs can put anything there. So it is read as text, of at most :data:`LONGEST`
characters, by tasks of this package's operators only, the newest first, and never more than was
asked for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.state import State, TaskInstanceState
from sqlalchemy import Text, and_, case, cast, func, null, select

if TYPE_CHECKING:
    from airflow.models.serialized_dag import SerializedDagModel
    from sqlalchemy.orm import Session

#: Characters of a report's JSON; a longer one is not read.
LONGEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class TaskRef:
    """One task instance."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1


@dataclass(frozen=True, slots=True)
class Later:
    """A task instance that has told nothing, or nothing yet."""

    task: TaskRef
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one task instance has reported under one key.

    :param label: of a mapped task.
    :param at: when it was reported.
    :param facts: what; ``None`` when ``problem`` says why it can't be read.
    :param succeeded: whether the task did; ``None`` while it runs, or is to run again.
    :param is_event: an asset's event tells it, and XCom nothing any more.
    :param is_gone: its run was deleted.
    :param later: a later try of the task that has told nothing.
    """

    task: TaskRef
    operator: str
    state: str
    label: str | None
    key: str
    at: datetime
    facts: Mapping[str, Any] | None
    problem: str | None = None
    succeeded: bool | None = True
    is_event: bool = False
    is_gone: bool = False
    later: Later | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """One kind of report: of which operators, under which key of XCom."""

    key: str
    operators: tuple[str, ...]


def newest_reports(
    session: Session, dag_ids: Collection[str], sought: Sought, *, since: datetime, limit: int
) -> list[Recorded]:
    """Reports of these DAGs, the newest first.

    :param since: no older ones.
    :param limit: no more of them.
    """
    # Of all DAGs that a user may read, which may be many thousands, those that have any.
    having = select(XComModel.dag_id).where(XComModel.key == sought.key).distinct()
    known = [one for one in session.scalars(having) if one in dag_ids]
    if not known:
        return []
    query = (
        _reports(sought)
        .where(XComModel.dag_id.in_(known), XComModel.timestamp >= since)
        .order_by(XComModel.timestamp.desc())
        .limit(limit)
    )
    return [recorded(row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class Seen:
    """A task instance as Airflow has it."""

    operator: str
    state: str
    label: str | None


def seen(session: Session, task: TaskRef) -> Seen | None:
    """The task instance, if there is one."""
    query = select(
        TaskInstance.operator, TaskInstance.state, TaskInstance.__table__.c.rendered_map_index
    ).where(
        TaskInstance.dag_id == task.dag_id,
        TaskInstance.run_id == task.run_id,
        TaskInstance.task_id == task.task_id,
        TaskInstance.map_index == task.map_index,
    )
    row = session.execute(query).first()
    return None if row is None else Seen(str(row[0]), str(row[1] or "none"), row[2])


def reports_of(session: Session, task: TaskRef, sought: Collection[Sought]) -> list[Recorded]:
    """What one task instance has reported, of all these kinds."""
    found: list[Recorded] = []
    for one in sought:
        query = _reports(one).where(
            XComModel.dag_id == task.dag_id,
            XComModel.run_id == task.run_id,
            XComModel.task_id == task.task_id,
            XComModel.map_index == task.map_index,
        )
        found += [recorded(row) for row in session.execute(query)]
    return found


def task_of(dag: SerializedDagModel | None, task_id: str) -> Mapping[str, Any]:
    """A task as a DAG that Airflow knows has it; empty when it has none."""
    tasks = ((dag and dag.data) or {}).get("dag", {}).get("tasks", ())
    found = (one["__var"] for one in tasks if one["__var"].get("task_id") == task_id)
    return next(found, {})


def _reports(sought: Sought) -> Any:
    text = cast(XComModel.value, Text)
    return (
        select(
            XComModel.dag_id,
            XComModel.run_id,
            XComModel.task_id,
            XComModel.map_index,
            XComModel.key,
            XComModel.timestamp,
            TaskInstance.operator,
            TaskInstance.state,
            TaskInstance.__table__.c.rendered_map_index,
            func.length(text).label("length"),
            case((func.length(text) <= LONGEST, text), else_=null()).label("text"),
        )
        .join(
            TaskInstance,
            and_(
                TaskInstance.dag_id == XComModel.dag_id,
                TaskInstance.run_id == XComModel.run_id,
                TaskInstance.task_id == XComModel.task_id,
                TaskInstance.map_index == XComModel.map_index,
            ),
        )
        .where(XComModel.key == sought.key, TaskInstance.operator.in_(sought.operators))
    )


def recorded(row: Any) -> Recorded:
    """A row of a query for reports."""
    facts, problem = _facts(row.text, row.length)
    at = row.timestamp if row.timestamp.tzinfo else row.timestamp.replace(tzinfo=UTC)
    return Recorded(
        task=TaskRef(row.dag_id, row.run_id, row.task_id, row.map_index),
        operator=row.operator,
        state=str(row.state or "none"),
        label=row.rendered_map_index,
        key=row.key,
        at=at,
        facts=facts,
        problem=problem,
        succeeded=_succeeded(row.state),
    )


def _succeeded(state: str | None) -> bool | None:
    # Until a task that was cleared begins again, its XComs are those of the try before.
    ended = state in State.finished or state == TaskInstanceState.UP_FOR_RETRY
    return state == TaskInstanceState.SUCCESS if ended else None


def _facts(text: str | None, length: int) -> tuple[Mapping[str, Any] | None, str | None]:
    if text is None:
        return None, f"it has {length:,} characters; more than {LONGEST:,} are not read"
    try:
        found = json.loads(text)
        if isinstance(found, str) and found.startswith("{"):
            found = json.loads(found)  # As Airflow keeps what somebody has edited.
    except (ValueError, RecursionError):
        return None, "it is no JSON that can be read"
    if isinstance(found, Mapping):
        return found, None
    kept = "it is a text and no report; an XCom backend may keep that elsewhere"
    return None, kept if isinstance(found, str) else "it is no report"
