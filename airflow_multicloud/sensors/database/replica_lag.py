"""Wait until a replica of a database has nearly caught up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from airflow_multicloud.core.database.given import check_not_nothing, duration, line
from airflow_multicloud.core.database.lags import MAX_AGE
from airflow_multicloud.opening.databases import check_replica_lag
from airflow_multicloud.sensors.base import PollingSensor


class DatabaseReplicaLagSensor(PollingSensor):
    """Wait until a replica is known to be at most so far behind its primary.

    A lag that its cloud has not measured, or not lately, is not known: it is never taken for zero.
    An instance that is a primary fails the sensor at once. Returns the lag in seconds and when it
    was measured.

    :param conn_id: the connection of the replica's cloud.
    :param replica: as its cloud writes it, or its name.
    :param max_lag: how far it may be behind.
    :param max_age: how old the measurement may be.
    :param region: in which it is; the connection's own when left out.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("conn_id", "replica", "region")

    def __init__(
        self,
        *,
        conn_id: str,
        replica: str,
        max_lag: timedelta,
        max_age: timedelta = MAX_AGE,
        region: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.replica = replica
        self.max_lag = max_lag
        self.max_age = max_age
        self.region = region
        self._has_region = region is not None

    def question(self) -> tuple[Callable[..., dict[str, Any] | None], dict[str, Any]]:
        """Whether it is near enough."""
        if self._has_region:
            check_not_nothing("region", self.region)
        return check_replica_lag, {
            "conn_id": line("conn_id", self.conn_id),
            "replica": line("replica", self.replica, what="an id as its cloud writes it"),
            "region": self.region,
            "max_lag_seconds": duration("max_lag", self.max_lag).total_seconds(),
            "max_age_seconds": duration("max_age", self.max_age).total_seconds(),
        }
