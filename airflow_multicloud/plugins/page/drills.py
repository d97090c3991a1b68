"""Drills: verdicts, and how long recovery took beside what it may take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from airflow_multicloud.core.pages import duration, moment
from airflow_multicloud.plugins.page.recorded import Recorded
from airflow_multicloud.plugins.page.shapes import Told, Unread, facts_as, read_each, told_by
from airflow_multicloud.plugins.page.trend import Point, trend

#: So many of a DAG's drills are drawn, the newest.
DRAWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillFacts:
    """What a drill's report says; objectives are missing where an earlier release wrote it."""

    verdict: str
    reason: str | None = None
    findings: tuple[str, ...] = ()
    rto: timedelta | None = None
    rpo: timedelta | None = None
    rto_objective: timedelta | None = None
    rpo_objective: timedelta | None = None
    drill_id: str | None = None
    replicas: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One drill, as a page shows it.

    :param rto: measured, of what it may take.
    """

    told: Told
    facts: DrillFacts
    at: str
    rto: str
    rpo: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing over a DAG's drills."""

    dag_id: str
    name: str
    svg: str


@dataclass(frozen=True, slots=True)
class Drills:
    """What the page shows."""

    drills: tuple[Drill, ...]
    charts: tuple[Chart, ...]
    unread: tuple[Unread, ...]


def read_drill(one: Recorded) -> Drill:
    """A drill's report."""
    facts = facts_as(DrillFacts, one)
    return Drill(
        told=told_by(one),
        facts=facts,
        at=moment(one.at),
        rto=_beside(facts.rto, facts.rto_objective),
        rpo=_beside(facts.rpo, facts.rpo_objective),
    )


def drills_of(found: Iterable[Recorded]) -> Drills:
    """Drills in the order given, and a drawing of each DAG's."""
    drills, unread = read_each(_newest_marked(found), read_drill)
    charts: list[Chart] = []
    for dag_id in dict.fromkeys(drill.told.task.dag_id for drill in drills):
        of_dag = [drill for drill in drills if drill.told.task.dag_id == dag_id][:DRAWN]
        for name, points in (
            ("RTO", [_point(one, one.facts.rto, one.facts.rto_objective) for one in of_dag]),
            ("RPO", [_point(one, one.facts.rpo, one.facts.rpo_objective) for one in of_dag]),
        ):
            svg = trend(f"{name} of {dag_id}", [point for point in points if point is not None])
            if svg is not None:
                charts.append(Chart(dag_id, name, svg))
    return Drills(tuple(drills), tuple(charts), tuple(unread))


def _newest_marked(found: Iterable[Recorded]) -> Iterable[Recorded]:
    """Each drill has a row of its own: that a later one has told nothing, the newest says."""
    seen: set[tuple[str, str]] = set()
    for one in found:
        task = (one.task.dag_id, one.task.task_id)
        yield replace(one, later=None) if task in seen else one
        seen.add(task)


def _point(drill: Drill, measured: timedelta | None, objective: timedelta | None) -> Point | None:
    if measured is None:
        return None
    seconds = measured.total_seconds()
    limit = None if objective is None else objective.total_seconds()
    return Point(drill.told.at, seconds, limit, drill.facts.verdict)


def _beside(measured: timedelta | None, objective: timedelta | None) -> str:
    found = "none" if measured is None else duration(measured.total_seconds())
    return found if objective is None else f"{found} of {duration(objective.total_seconds())}"
