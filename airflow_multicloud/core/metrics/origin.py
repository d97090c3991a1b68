"""Whose points they are: what keeps series of other DAGs, tasks and map indexes apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from airflow_multicloud.labels import Work
from airflow_multicloud.ports.metrics import AttributeValue

DAG, TASK, MAP_INDEX = "airflow.dag_id", "airflow.task_id", "airflow.map_index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What every point of one export has in common.

    :param attributes: added to each point, unless it has one of that name itself.
    :param time: of points that have none.
    """

    attributes: Mapping[str, AttributeValue] = field(default_factory=lambda: MappingProxyType({}))
    time: datetime = field(default_factory=lambda: datetime.now(UTC))


def origin_of(work: Work, started: datetime | None) -> Origin:
    """Of a task's export.

    The run and the try are no part of it: a series goes on from run to run, and a retry repeats
    the points of the try before.

    :param started: when the DAG run started, which every try has in common.
    """
    known: dict[str, AttributeValue] = {DAG: work.dag_id, TASK: work.task_id}
    attributes = {name: value for name, value in known.items() if value}
    if work.map_index is not None and work.map_index >= 0:
        attributes[MAP_INDEX] = work.map_index
    return Origin(attributes=attributes, time=started or datetime.now(UTC))
