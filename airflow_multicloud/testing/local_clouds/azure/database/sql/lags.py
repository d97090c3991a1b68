"""Azure Monitor's answer to how far secondaries are behind: the primary's, for each of them."""

from __future__ import annotations

import re

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Route
from airflow_multicloud.testing.local_clouds.azure.database.lags import Metric, answered, bad
from airflow_multicloud.testing.local_clouds.azure.database.sql import PROVIDER
from airflow_multicloud.testing.local_clouds.azure.database.sql.world import SqlWorld
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_PATH = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/"
    rf"{re.escape(PROVIDER)}/servers/(?P<server>[^/]+)/databases/(?P<name>[^/]+)"
    r"/providers/Microsoft\.Insights/metrics",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"PartnerServerName eq '(?P<server>[^']+)' and PartnerDatabaseName eq '(?P<name>[^']+)'"
)


def routes(world: SqlWorld) -> list[Route]:
    """The operation served."""
    parameters = frozenset({"metricnames", "timespan", "interval", "aggregation", "$filter"})
    return [
        Route(
            method="GET",
            path=_PATH,
            handler=world.common.handler(lambda call: _metrics(world, call)),
            parameters=parameters,
            api_version="2024-02-01",
        )
    ]


def _metrics(world: SqlWorld, call: Call) -> Answer:
    one = world.required(call)
    only = _FILTER.fullmatch(call.query.get("$filter", ""))
    if only is None:
        raise bad("A filter of PartnerServerName and PartnerDatabaseName is expected here.")
    wanted = (only["server"].lower(), only["name"].lower())
    measured = None
    for link in world.links_of(one):
        other = link.secondary
        if link.primary is one and (other.server, other.name.lower()) == wanted:
            measured = link.lag
    return answered(
        call,
        Metric(
            name="replication_lag_seconds",
            title="Replication lag (preview)",
            namespace=f"{PROVIDER}/servers/databases",
            resource=one.id,
            region=one.location,
        ),
        measured,
    )
