"""Wait until a replica meets its recovery point objective."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from airflow_multicloud.core.replication.freshness import Freshness, freshness
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.sensors.base import PollingSensor
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


class ReplicaFreshSensor(PollingSensor):
    """Succeed when a replica's newest complete proof is no older than a limit.

    The age is that of the latest replication in which every object was proven at this
    replica, counted from its start: whatever was written to the source before is there.
    Returns the measured lag.

    :param replica: URI of the prefix or object that is replicated to.
    :param max_lag: the recovery point objective (RPO).
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("replica",)

    def __init__(
        self,
        *,
        replica: str,
        max_lag: timedelta,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replica = replica
        self.max_lag = max_lag

    def question(self) -> tuple[Callable[..., dict[str, Any] | None], dict[str, Any]]:
        """How far the replica lags."""
        return check_fresh, {
            "replica": self.replica,
            "max_lag_seconds": self.max_lag.total_seconds(),
        }


def check_fresh(*, replica: str, max_lag_seconds: float) -> dict[str, Any] | None:
    """The replica's freshness when it is within the limit, else ``None``, and why in the log."""
    limit = timedelta(seconds=max_lag_seconds)
    end = open_endpoint(replica, parameter="replica")
    with operation("replica_freshness", cloud__provider=end.cloud):
        found = freshness(end)
    if found.within(limit):
        return to_document(found)
    _log.info("not yet: %s: %s; limit %s", printable(found.replica), _state(found), limit)
    return None


def _state(found: Freshness) -> str:
    if found.lag is None or found.as_of is None:
        return "lag unknown, as no replication to it has ended"
    seconds = timedelta(seconds=round(found.lag.total_seconds()))
    age = f"lag {seconds}, as of {found.as_of.isoformat(timespec='seconds')}"
    if found.complete:
        return age
    return f"{age}, but only {found.proven} of {found.objects} objects were proven by that run"
