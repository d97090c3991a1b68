"""Azure Monitor's answer to how far replicas are behind: measured when it is asked.

"Metrics - List" (https://learn.microsoft.com/rest/api/monitor/metrics/list), version 2024-02-01.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Refusal, Route
from airflow_multicloud.testing.local_clouds.azure.database.operations import PROVIDER
from airflow_multicloud.testing.local_clouds.azure.database.world import World
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_METRIC = "physical_replication_delay_in_seconds"
_PATH = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/"
    rf"{re.escape(PROVIDER)}/flexibleServers/(?P<name>[^/]+)/providers/Microsoft\.Insights/metrics",
    re.IGNORECASE,
)
_AGGREGATIONS = {"average", "count", "maximum", "minimum", "total"}
_MINUTE = timedelta(minutes=1)


def routes(world: World) -> list[Route]:
    """The operation served."""
    return [
        Route(
            method="GET",
            path=_PATH,
            handler=world.handler(lambda call: _metrics(world, call)),
            parameters=frozenset({"metricnames", "timespan", "interval", "aggregation"}),
            api_version="2024-02-01",
        )
    ]


def _metrics(world: World, call: Call) -> Answer:
    one = world.required(call)
    follows = one.source is not None and one.running is not None and one.running.running
    return answered(
        call,
        Metric(
            name=_METRIC,
            title="Read Replica Lag",
            namespace=f"{PROVIDER}/flexibleServers",
            resource=one.id,
            region=one.location,
        ),
        one.running.lag().total_seconds() if follows and one.running is not None else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of a resource.

    :param title: as it is shown.
    """

    name: str
    title: str
    namespace: str
    resource: str
    region: str


def answered(call: Call, metric: Metric, seconds: float | None) -> Answer:
    """An answer with one measurement, of this minute.

    :param seconds: what was measured; ``None`` for nothing.
    :raises Refusal: 400 for what is not offered.
    """
    query = call.query
    if query.get("metricnames") != metric.name:
        raise bad(f"Failed to find metric configuration for {query.get('metricnames')}.")
    wanted = {part.lower() for part in query.get("aggregation", "average").split(",")}
    if strange := wanted - _AGGREGATIONS:
        raise bad(f"Invalid aggregation: {', '.join(sorted(strange))}.")
    if query.get("interval", "PT1M") != "PT1M":
        raise bad("Only the interval PT1M is offered here.")
    begin, end = _span(query.get("timespan", ""))
    points: list[dict[str, Any]] = []
    if seconds is not None:
        measured = datetime.now(UTC).replace(second=0, microsecond=0)
        minute = begin.replace(second=0, microsecond=0)
        while minute < end:
            point: dict[str, Any] = {"timeStamp": f"{minute:%Y-%m-%dT%H:%M:%SZ}"}
            if minute == measured:
                point.update(dict.fromkeys(wanted - {"count"}, seconds))
                point.update(dict.fromkeys(wanted & {"count"}, 1.0))
            points.append(point)
            minute += _MINUTE
    return Answer(
        body={
            "cost": 29,
            "timespan": f"{begin:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
            "interval": "PT1M",
            "value": [
                {
                    "id": f"{metric.resource}/providers/Microsoft.Insights/metrics/{metric.name}",
                    "type": "Microsoft.Insights/metrics",
                    "name": {"value": metric.name, "localizedValue": metric.title},
                    "displayDescription": metric.title,
                    "unit": "Seconds",
                    "timeseries": [{"metadatavalues": [], "data": points}] if points else [],
                    "errorCode": "Success",
                }
            ],
            "namespace": metric.namespace,
            "resourceregion": metric.region,
        }
    )


def _span(text: str) -> tuple[datetime, datetime]:
    try:
        begin, end = (datetime.fromisoformat(part) for part in text.split("/"))
    except ValueError:
        raise bad(f"Invalid time span: '{text}'.") from None
    if begin.tzinfo is None or end.tzinfo is None or begin >= end:
        raise bad(f"Invalid time span: '{text}'.")
    return begin, end


def bad(message: str) -> Refusal:
    """A query that is not understood."""
    return Refusal(HTTPStatus.BAD_REQUEST, "BadRequest", message)
