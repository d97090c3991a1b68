"""How far a replica is behind, as Azure Monitor was told.

"Metrics - List" (https://learn.microsoft.com/rest/api/monitor/metrics/list) and "Monitor metrics on
Azure Database for PostgreSQL", Replication
(https://learn.microsoft.com/azure/postgresql/monitor/concepts-monitoring).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.client import DatabaseBase
from airflow_multicloud.clouds.azure.database.errors import translated
from airflow_multicloud.clouds.azure.database.fields import Place
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import ReplicaLag

#: In seconds, of the replica, each minute.
_METRIC: Final = "physical_replication_delay_in_seconds"
#: How old a measurement may be; Azure Monitor shows one within minutes.
_OLDEST = timedelta(minutes=30)
_MINUTE = timedelta(minutes=1)


class Lags(DatabaseBase):
    """What :attr:`DatabaseInstance.lag` is."""

    def _lag(self, place: Place) -> ReplicaLag:
        """The newest measurement of a replica."""
        return self._measured(place.server, _METRIC, place.name)

    def _measured(
        self, resource: str, metric: str, name: str, only: str | None = None
    ) -> ReplicaLag:
        """The newest measurement of how far a replica is behind, in seconds.

        A negative one says that it does not receive anything, and not how far behind it is.

        :param resource: whose metric it is.
        :param name: of the replica.
        :param only: a filter of the metric's dimensions.
        :raises DatabaseError: when Azure Monitor can't be asked.
        """
        source = f"Azure Monitor {metric}"
        now = datetime.now(UTC)
        query = {
            "api-version": "2024-02-01",
            "metricnames": metric,
            # What is measured in this minute belongs to it.
            "timespan": f"{_text(now - _OLDEST)}/{_text(now + _MINUTE)}",
            "interval": "PT1M",
            "aggregation": "Maximum",
        }
        if only is not None:
            query["$filter"] = only
        doing = f"reading the lag of {name} ({source})"
        with translated(doing), well_formed(doing, NAME, area=DatabaseError):
            url = f"{resource}/providers/Microsoft.Insights/metrics"
            found = sorted(_points(self._ask("GET", url, query=query).json()))
        if not found or found[-1][1] < 0:
            return ReplicaLag(value=None, measured_at=None, source=source)
        moment, seconds = found[-1]
        return ReplicaLag(value=timedelta(seconds=seconds), measured_at=moment, source=source)


def _points(answer: Mapping[str, Any]) -> Iterator[tuple[datetime, float]]:
    for metric in answer["value"]:
        for series in metric["timeseries"]:
            for point in series["data"]:
                # Minutes without a measurement have none.
                if point.get("maximum") is not None:
                    moment = datetime.fromisoformat(point["timeStamp"]).astimezone(UTC)
                    yield moment, float(point["maximum"])


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
