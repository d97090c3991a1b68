"""What tasks have told assets, for when Airflow's XCom has nothing of it any more.

Airflow drops a task's XComs when the task is run again, and when its run is deleted. An event of an
asset stays, with the same facts: so the newest rollout is not forgotten because somebody cleared
it. Events are of tasks that have succeeded; what came through the REST API has no task.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.models.asset import AssetEvent, TaskOutletAssetReference
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import Text, and_, case, cast, func, null, or_, select

from airflow_multicloud.plugins.page.recorded import (
    LONGEST,
    Recorded,
    Sought,
    TaskRef,
    recorded,
    task_of,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Where an event has the facts.
_OURS = "multicloud"
#: Events that are asked for at once, and how often at most: of tasks that are no more, and of
#: assets that may not be read, there may be many.
_PART, _PARTS = 300, 10


def newest_events(
    session: Session,
    dag_ids: Collection[str],
    sought: Sought,
    *,
    may_read: Callable[[int], bool],
    since: datetime,
    limit: int,
) -> list[Recorded]:
    """Of each task that has no such report, what it has told assets last; the newest first.

    :param may_read: whether this asset, by its id.
    """
    having = select(TaskOutletAssetReference.dag_id).distinct()
    known = [one for one in session.scalars(having) if one in dag_ids]
    if not known:
        return []
    query = _events(sought, known).where(AssetEvent.timestamp >= since)
    return _newest_of_each(session, query, sought, may_read, limit)


def events_of(
    session: Session, task: TaskRef, sought: Sought, *, may_read: Callable[[int], bool]
) -> list[Recorded]:
    """The same of one task instance."""
    query = _events(sought, [task.dag_id]).where(
        AssetEvent.source_run_id == task.run_id,
        AssetEvent.source_task_id == task.task_id,
        AssetEvent.source_map_index == task.map_index,
    )
    return _newest_of_each(session, query, sought, may_read, 1)


def _newest_of_each(
    session: Session, query: Any, sought: Sought, may_read: Callable[[int], bool], limit: int
) -> list[Recorded]:
    """An asset of several has the same event; who was run again has told more than one.

    What is passed over has no place among those that are found.
    """
    found: dict[TaskRef, Recorded] = {}
    readable = cache(may_read)

    @cache
    def operator(dag_id: str, task_id: str) -> str | None:
        # A run that was deleted has no task instance that says whose it was.
        known = task_of(SerializedDagModel.get(dag_id, session=session), task_id)
        return known.get("task_type")

    for row in _rows(session, query):
        if len(found) == limit:
            break
        whose = row.operator or operator(row.dag_id, row.task_id)
        if whose not in sought.operators or not readable(row.asset_id):
            continue
        one = recorded(row)
        if one.facts is not None:
            inner = one.facts.get(_OURS)
            if not isinstance(inner, dict):
                continue  # An event of a task's that says nothing of this package's.
            one = replace(one, facts=inner)
        told = replace(
            one, operator=whose, succeeded=True, is_event=True, is_gone=row.known is None
        )
        found.setdefault(one.task, told)
    return list(found.values())


def _rows(session: Session, query: Any) -> Iterator[Any]:
    # In parts, as other queries are made in between: not every database allows that while it sends.
    for number in range(_PARTS):
        rows = session.execute(query.limit(_PART).offset(number * _PART)).all()
        yield from rows
        if len(rows) < _PART:
            return


def _events(sought: Sought, dag_ids: Collection[str]) -> Any:
    text = cast(AssetEvent.extra, Text)
    # The index of events is by asset.
    assets = select(TaskOutletAssetReference.asset_id).where(
        TaskOutletAssetReference.dag_id.in_(dag_ids)
    )
    has_report = select(XComModel.key).where(
        XComModel.key == sought.key,
        XComModel.dag_id == AssetEvent.source_dag_id,
        XComModel.run_id == AssetEvent.source_run_id,
        XComModel.task_id == AssetEvent.source_task_id,
        XComModel.map_index == AssetEvent.source_map_index,
    )
    return (
        select(
            AssetEvent.source_dag_id.label("dag_id"),
            AssetEvent.source_run_id.label("run_id"),
            AssetEvent.source_task_id.label("task_id"),
            AssetEvent.source_map_index.label("map_index"),
            cast(sought.key, Text).label("key"),
            AssetEvent.timestamp,
            AssetEvent.asset_id,
            TaskInstance.task_id.label("known"),
            TaskInstance.operator,
            TaskInstance.state,
            TaskInstance.__table__.c.rendered_map_index,
            func.length(text).label("length"),
            case((func.length(text) <= LONGEST, text), else_=null()).label("text"),
        )
        .outerjoin(
            TaskInstance,
            and_(
                TaskInstance.dag_id == AssetEvent.source_dag_id,
                TaskInstance.run_id == AssetEvent.source_run_id,
                TaskInstance.task_id == AssetEvent.source_task_id,
                TaskInstance.map_index == AssetEvent.source_map_index,
            ),
        )
        .where(
            AssetEvent.asset_id.in_(assets),
            AssetEvent.source_dag_id.in_(dag_ids),
            text.contains(f'"{_OURS}"'),
            ~has_report.exists(),
            or_(TaskInstance.task_id.is_(None), TaskInstance.operator.in_(sought.operators)),
        )
        .order_by(AssetEvent.timestamp.desc(), AssetEvent.id.desc())
    )
