"""Cloud Monitoring's one metric about replicas, measured when it is asked for.

https://cloud.google.com/monitoring/api/metrics_gcp_c#gcp-cloudsql
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.database.world import World, stamp
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal, Service

METRIC = "cloudsql.googleapis.com/database/replication/replica_lag"
_FILTER = re.compile(
    rf'metric\.type = "{re.escape(METRIC)}" AND '
    rf'resource\.labels\.database_id = "{PROJECT}:([a-z0-9-]+)"'
)


def service(world: World) -> Service:
    """The API."""

    def list_series(call: Call) -> dict[str, Any]:
        given = call.parameters
        wanted = _FILTER.fullmatch(given.get("filter", ""))
        if wanted is None or given["name"] != f"projects/{PROJECT}":
            raise Refusal(HTTPStatus.BAD_REQUEST, "Field filter had an invalid value.")
        begin, end = _moment(given, "startTime"), _moment(given, "endTime")
        one = world.instances.get(wanted[1])
        if one is None or one.primary is None or not one.runs or one.server is None:
            return {}
        now = min(datetime.now(UTC), end)
        if not begin <= now:
            return {}
        at = stamp(now)
        return {
            "timeSeries": [
                {
                    "metric": {"type": METRIC},
                    "resource": {
                        "type": "cloudsql_database",
                        "labels": {
                            "project_id": PROJECT,
                            "region": one.region,
                            "database_id": f"{PROJECT}:{one.name}",
                        },
                    },
                    "metricKind": "GAUGE",
                    "valueType": "DOUBLE",
                    "points": [
                        {
                            "interval": {"startTime": at, "endTime": at},
                            "value": {"doubleValue": one.server.lag().total_seconds()},
                        }
                    ],
                }
            ],
            "unit": "s",
        }

    return Service("monitoring.v3", {"monitoring.projects.timeSeries.list": list_series})


def _moment(given: Any, name: str) -> datetime:
    try:
        return datetime.fromisoformat(given[f"interval.{name}"])
    except (KeyError, ValueError):
        raise Refusal(
            HTTPStatus.BAD_REQUEST, f"Field interval.{name} had an invalid value."
        ) from None
