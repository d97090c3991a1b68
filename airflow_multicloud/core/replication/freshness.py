"""How far a replica lags behind its source: the recovery point it would give now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from airflow_multicloud.core.clocks import clock_ahead
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import manifest
from airflow_multicloud.documents import Document, to_document


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

    DOCUMENT: ClassVar = Document(
        ("replica", "as_of", "newest_source", "lag", "objects", "proven", "finding")
    )

    @property
    def complete(self) -> bool:
        """Whether every object of the latest run is proven here."""
        return self.objects == self.proven

    @property
    def finding(self) -> str | None:
        """Why the lag says nothing: the manifest's time is ahead of this machine's clock."""
        return clock_ahead(self.as_of) if self.as_of else None

    def within(self, max_lag: timedelta) -> bool:
        """Whether the replica would meet a recovery point objective of ``max_lag`` now.

        A negative lag is no freshness: see :attr:`finding`.
        """
        if self.lag is None or self.finding is not None:
            return False
        return self.complete and self.lag <= max_lag

    def as_dict(self) -> dict[str, Any]:
        """For XCom."""
        return to_document(self)


def freshness(replica: Endpoint) -> Freshness:
    """Read the latest manifest's pointer: one listing and one small object."""
    uri = str(replica.location)
    found = manifest.latest_of(replica)
    if not found:
        return Freshness(uri, None, None, None, 0, 0)
    latest = max(found, key=lambda m: m.started)
    lag = datetime.now(UTC) - latest.started
    return Freshness(uri, latest.started, latest.newest_source, lag, latest.owed, latest.proven)
