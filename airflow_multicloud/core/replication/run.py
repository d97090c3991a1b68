"""One try of one replication: who it is, what it looks at, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from airflow_multicloud.core.ledger.commits import Identity, Selection
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.labels import current_work


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way.

    :param source: the source's place.
    :param whole: whether the source is a prefix, and not one object.
    :param started: before anything was listed.
    :param as_of: changes made at the source before this are looked at: later ones may be too young.
    """

    identity: Identity
    source: str
    whole: bool
    selection: Selection
    started: datetime
    as_of: datetime

    @property
    def run_id(self) -> str:
        """What the run is called."""
        return self.identity.run_id

    def origin_of(self, name: str) -> str:
        """The URI of an object at the source."""
        return self.source + name


def new_run(
    replication: Replication,
    run_id: str | None,
    *,
    started: datetime | None = None,
    token: str | None = None,
) -> Run:
    """A run that starts now.

    :param run_id: what it is called; a random name when left out.
    :param started: when a sharded run was planned.
    :param token: likewise, of the run in all its tasks.
    """
    started = started or datetime.now(UTC)
    chosen = replication.options.filter
    source = replication.source
    return Run(
        new_identity(run_id, token),
        source.place,
        source.location.is_prefix,
        selection_of(chosen),
        started,
        started if chosen.min_age is None else started - chosen.min_age,
    )


def new_identity(run_id: str | None, token: str | None = None) -> Identity:
    """Who works here now."""
    work = current_work()
    return Identity(
        run_id or uuid4().hex,
        token or uuid4().hex,
        dag_id=work.dag_id,
        task_id=work.task_id,
        airflow_run_id=work.run_id,
        map_index=work.map_index,
        try_number=work.try_number,
    )


def selection_of(chosen: ObjectFilter) -> Selection:
    """A filter as ledgers name it; ``min_age`` only moves the time that a look is as of."""
    return Selection(
        include=tuple(sorted(chosen.include)),
        exclude=tuple(sorted(chosen.exclude)),
        min_size=chosen.min_size,
        max_size=chosen.max_size,
        max_age=None if chosen.max_age is None else chosen.max_age.total_seconds(),
    )
