"""Wait until a replica meets its recovery point objective."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from msgspec import convert, to_builtins

from airflow_multicloud.core.ledger.commits import Selection
from airflow_multicloud.core.replication.freshness import Freshness, freshness
from airflow_multicloud.core.replication.options import ObjectFilter, include_globs
from airflow_multicloud.core.replication.run import selection_of
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import to_document
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.sensors.base import PollingSensor
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


class ReplicaFreshSensor(PollingSensor):
    """Succeed when a replica holds every change that the source had so long ago.

    Its ledger says what was looked at and when. Some run must have looked at all that is meant;
    where others look at parts of it, the oldest part counts; an object that could not be copied
    counts from when it was up to date, and a run's ``min_age`` is taken off. Every object must be
    proven. Returns the measured lag.

    :param replica: URI of the prefix or object that is replicated to.
    :param max_lag: the recovery point objective (RPO).
    :param include: which objects are meant, with the next four, as the runs select them; all
        objects when they are left out.
    :param exclude: globs of what is left out.
    :param min_size: bytes.
    :param max_size: bytes.
    :param max_age: since the last modification.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("replica", "include", "exclude")
    report_key = "freshness"

    def __init__(
        self,
        *,
        replica: str,
        max_lag: timedelta,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        min_size: int | None = None,
        max_size: int | None = None,
        max_age: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replica = replica
        self.max_lag = max_lag
        self.include = include
        self.include_given = include != ()
        self.exclude = exclude
        self.rest = ObjectFilter(min_size=min_size, max_size=max_size, max_age=max_age)

    def question(self) -> tuple[Callable[..., dict[str, Any] | None], dict[str, Any]]:
        """How far the replica lags."""
        chosen = replace(
            self.rest,
            include=include_globs(self.include, given=self.include_given),
            exclude=texts(self.exclude, "exclude", what="globs"),
        )
        return check_fresh, {
            "replica": self.replica,
            "max_lag_seconds": self.max_lag.total_seconds(),
            "selection": to_builtins(selection_of(chosen)),
        }

    def report(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Beside the objective."""
        return {**facts, "max_lag_seconds": self.max_lag.total_seconds()}


def check_fresh(
    *, replica: str, max_lag_seconds: float, selection: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """The replica's freshness when it is within the limit, else ``None``, and why in the log."""
    limit = timedelta(seconds=max_lag_seconds)
    end = open_endpoint(replica, parameter="replica")
    with operation("replica_freshness", cloud__provider=end.cloud):
        found = freshness(end, convert(selection or {}, Selection))
    if found.within(limit):
        return to_document(found)
    _log.info("not yet: %s: %s; limit %s", printable(found.replica), _state(found), limit)
    return None


def _state(found: Freshness) -> str:
    if found.lag is None or found.as_of is None:
        return f"lag unknown, as {found.unknown}"
    seconds = timedelta(seconds=round(found.lag.total_seconds()))
    age = f"lag {seconds}, as of {found.as_of.isoformat(timespec='seconds')}"
    if found.parts > 1:
        age = f"{age}, by the oldest of {found.parts} parts, {found.oldest}"
    if found.complete:
        return age
    return f"{age}, but only {found.proven} of {found.objects} objects are proven"
