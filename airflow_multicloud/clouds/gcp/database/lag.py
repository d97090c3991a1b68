"""How far a replica is behind, as Cloud Monitoring was told.

https://cloud.google.com/monitoring/api/metrics_gcp_c#gcp-cloudsql: in seconds, sampled each minute,
visible after up to 165 seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.client import DatabaseBase
from airflow_multicloud.clouds.gcp.database.errors import translated
from airflow_multicloud.clouds.gcp.database.fields import Place, moment_of
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import ReplicaLag

_METRIC: Final = "cloudsql.googleapis.com/database/replication/replica_lag"
#: How old a measurement may be.
_OLDEST: Final = timedelta(minutes=30)


class Lags(DatabaseBase):
    """What :attr:`DatabaseInstance.lag` is."""

    def _lag(self, place: Place) -> ReplicaLag:
        """The newest measurement of a replica.

        A negative one says that replication is inactive, and not how far behind it is.

        :raises DatabaseError: when Cloud Monitoring can't be asked.
        """
        now = datetime.now(UTC)
        doing = f"reading the lag of {place.name} ({_METRIC})"
        database_id = f"{place.project}:{place.name}"
        query = {
            "filter": f'metric.type = "{_METRIC}" AND '
            f'resource.labels.database_id = "{database_id}"',
            "interval.startTime": (now - _OLDEST).isoformat(),
            "interval.endTime": now.isoformat(),
            "view": "FULL",
        }
        found: list[tuple[datetime, float]] = []
        try:
            with translated(doing):
                path = f"/v3/projects/{place.project}/timeSeries"
                for page in self._monitoring.pages(path, query, doing):
                    with well_formed(doing, NAME, area=DatabaseError):
                        found += [
                            (_moment(point["interval"]["endTime"]), _number(point["value"]))
                            for series in page.get("timeSeries", ())
                            for point in series["points"]
                        ]
        except DatabaseError as err:
            # "Cannot find metric(s) that match type": nothing in the project was ever measured.
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
        if not found or max(found)[1] < 0:
            return ReplicaLag(value=None, measured_at=None, source=_METRIC)
        moment, seconds = max(found)
        return ReplicaLag(value=timedelta(seconds=seconds), measured_at=moment, source=_METRIC)


def _moment(text: str) -> datetime:
    found = moment_of(text)
    if found is None:
        raise ValueError("a point without a time")
    return found


def _number(value: dict[str, object]) -> float:
    return float(str(value["doubleValue"] if "doubleValue" in value else value["int64Value"]))
