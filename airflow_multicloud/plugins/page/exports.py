"""Exports of metrics: what became of every point at each cloud."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from airflow_multicloud.core.pages import moment
from airflow_multicloud.plugins.page.recorded import Recorded
from airflow_multicloud.plugins.page.shapes import Told, Unread, facts_as, read_each, told_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Points: ``given = accepted + rejected + unknown + dropped``."""

    points_in: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    dropped: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(
            points_in=self.points_in + other.points_in,
            accepted=self.accepted + other.accepted,
            rejected=self.rejected + other.rejected,
            unknown=self.unknown + other.unknown,
            dropped=self.dropped + other.dropped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Destination:
    conn_id: str
    cloud: str
    succeeded: bool
    points_in: int
    accepted: int
    rejected: int
    unknown: int
    dropped: int
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Export:
    namespace: str
    destinations: tuple[_Destination, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The newest export of one task to one destination, as the page shows it."""

    told: Told
    at: str
    namespace: str
    conn_id: str
    cloud: str
    counts: Counts
    succeeded: bool
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSum:
    """All exports of the period to one cloud."""

    cloud: str
    exports: int = 0
    failed: int = 0
    counts: Counts = Counts()


@dataclass(frozen=True, slots=True)
class Exports:
    """What the page shows."""

    clouds: tuple[CloudSum, ...]
    newest: tuple[Export, ...]
    unread: tuple[Unread, ...]


def exports_of(found: Iterable[Recorded]) -> Exports:
    """Sums for each cloud, and the newest export of each task to each destination.

    :param found: the newest first.
    """
    read, unread = read_each(found, _exports)
    clouds: dict[str, CloudSum] = {}
    newest: dict[tuple[object, ...], Export] = {}
    for one in (export for exports in read for export in exports):
        name = one.cloud or "unknown"
        before = clouds.setdefault(name, CloudSum(cloud=name))
        clouds[name] = replace(
            before,
            exports=before.exports + 1,
            failed=before.failed + (not one.succeeded),
            counts=before.counts.plus(one.counts),
        )
        task = one.told.task
        newest.setdefault((task.dag_id, task.task_id, task.map_index, one.conn_id), one)
    return Exports(
        tuple(clouds[name] for name in sorted(clouds)), tuple(newest.values()), tuple(unread)
    )


def _exports(one: Recorded) -> list[Export]:
    facts = facts_as(_Export, one)
    return [
        Export(
            told=told_by(one),
            at=moment(one.at),
            namespace=facts.namespace,
            conn_id=to.conn_id,
            cloud=to.cloud,
            counts=Counts(
                points_in=to.points_in,
                accepted=to.accepted,
                rejected=to.rejected,
                unknown=to.unknown,
                dropped=to.dropped,
            ),
            succeeded=to.succeeded,
            error=to.error or "",
        )
        for to in facts.destinations
    ]
