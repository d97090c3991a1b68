"""What each page asks of Airflow's database: bounded, and said on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_multicloud.plugins.page import kinds
from airflow_multicloud.plugins.page.costs import costs_of
from airflow_multicloud.plugins.page.deployments import deployments_of
from airflow_multicloud.plugins.page.drills import drills_of
from airflow_multicloud.plugins.page.events import newest_events
from airflow_multicloud.plugins.page.exports import exports_of
from airflow_multicloud.plugins.page.recorded import Recorded, Sought, newest_reports
from airflow_multicloud.plugins.page.replicas import replicas_of
from airflow_multicloud.plugins.page.silent import marked

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Reports of one kind that a page reads at most.
LIMIT = 300
#: Days that a page looks back, of which the reader has the choice.
CHOICES = (7, 30, 90, 365)
DEFAULT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Period:
    """What a page was made from.

    :param is_full: whether of some kind there may be more reports than were read.
    """

    days: int
    is_full: bool
    limit: int = LIMIT
    choices: tuple[int, ...] = CHOICES


@dataclass(frozen=True, slots=True)
class Section:
    """One page.

    :param sought: the kinds of reports that it is made of, by the names of parameters.
    :param made: makes it of them, and of the time.
    """

    name: str
    sought: Mapping[str, Sought]
    made: Callable[..., Any]


def _replicas(now: datetime, **found: list[Recorded]) -> Any:
    return replicas_of(now=now, **found)


def _drills(now: datetime, drilled: list[Recorded]) -> Any:  # noqa: ARG001 - all get the time
    return drills_of(drilled)


def _deployments(now: datetime, **found: list[Recorded]) -> Any:  # noqa: ARG001
    return deployments_of(**found)


def _costs(now: datetime, **found: list[Recorded]) -> Any:  # noqa: ARG001
    return costs_of(**found)


def _exports(now: datetime, exported: list[Recorded]) -> Any:  # noqa: ARG001
    return exports_of(exported)


#: Path → page.
SECTIONS = {
    "replicas": Section(
        "Replicas",
        {
            "replicated": kinds.REPLICATED,
            "verified": kinds.VERIFIED,
            "fresh": kinds.FRESH,
            "drilled": kinds.DRILLED,
        },
        _replicas,
    ),
    "drills": Section("Drills", {"drilled": kinds.DRILLED}, _drills),
    "deployments": Section(
        "Deployments", {"deployed": kinds.DEPLOYED, "well": kinds.WELL}, _deployments
    ),
    "costs": Section(
        "Costs",
        {
            "costed": kinds.COSTED,
            "budgeted": kinds.BUDGETED,
            "anomalous": kinds.ANOMALOUS,
            "advised": kinds.ADVISED,
        },
        _costs,
    ),
    "metrics": Section("Metrics export", {"exported": kinds.EXPORTED}, _exports),
}


def ask(
    session: Session,
    dag_ids: set[str],
    section: Section,
    *,
    may_read_asset: Callable[[int], bool],
    days: int,
    now: datetime,
) -> tuple[Any, Period]:
    """What a page shows, of these DAGs."""
    since = now - timedelta(days=days)
    found = {}
    for name, sought in section.sought.items():
        told = newest_reports(session, dag_ids, sought, since=since, limit=LIMIT)
        told += newest_events(
            session, dag_ids, sought, may_read=may_read_asset, since=since, limit=LIMIT
        )
        told.sort(key=lambda one: one.at, reverse=True)
        found[name] = marked(session, told[:LIMIT], sought)
    is_full = any(len(reports) == LIMIT for reports in found.values())
    return section.made(now, **found), Period(days, is_full)
