"""How far a replica lags behind its source: the recovery point it would give now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import manifest


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a replica's latest manifest says of its age.

    :param as_of: the replica holds every change made at the source before this; ``None``
        when there is no manifest.
    :param newest_source: when the newest object of that run was last modified at the source.
    :param lag: from ``as_of`` to now.
    """

    replica: str
    as_of: datetime | None
    newest_source: datetime | None
    lag: timedelta | None
    objects: int
    proven: int

    @property
    def complete(self) -> bool:
        """Whether every object of the latest run is proven here."""
        return self.objects == self.proven

    def within(self, max_lag: timedelta) -> bool:
        """Whether the replica would meet a recovery point objective of ``max_lag`` now."""
        return self.lag is not None and self.complete and self.lag <= max_lag

    def as_dict(self) -> dict[str, Any]:
        """For XCom."""
        return {
            "replica": self.replica,
            "as_of": self.as_of and self.as_of.isoformat(),
            "newest_source": self.newest_source and self.newest_source.isoformat(),
            "lag_seconds": None if self.lag is None else round(self.lag.total_seconds(), 3),
            "objects": self.objects,
            "proven": self.proven,
        }


def freshness(replica: Endpoint) -> Freshness:
    """Read the latest manifest's pointer: one listing and one small object."""
    uri = str(replica.location)
    found = [m for m in manifest.find_latest(replica) if m.replica == replica.location.key]
    if not found:
        return Freshness(uri, None, None, None, 0, 0)
    latest = max(found, key=lambda m: m.started)
    lag = datetime.now(UTC) - latest.started
    owed = latest.objects - latest.reserved
    return Freshness(uri, latest.started, latest.newest_source, lag, owed, latest.proven)
