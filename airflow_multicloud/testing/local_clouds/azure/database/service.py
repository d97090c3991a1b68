"""All of it as routes of the local Resource Manager."""

from __future__ import annotations

import re

from airflow_multicloud.testing.local_clouds.azure.arm.http import Route
from airflow_multicloud.testing.local_clouds.azure.database import (
    backups,
    lags,
    locks,
    servers,
    tags,
)
from airflow_multicloud.testing.local_clouds.azure.database.operations import (
    PROVIDER,
    operation_of,
)
from airflow_multicloud.testing.local_clouds.azure.database.sql import databases, links
from airflow_multicloud.testing.local_clouds.azure.database.sql import lags as sql_lags
from airflow_multicloud.testing.local_clouds.azure.database.sql import servers as sql_servers
from airflow_multicloud.testing.local_clouds.azure.database.sql.world import SqlWorld
from airflow_multicloud.testing.local_clouds.azure.database.world import (
    World,
)

_OPERATION = re.compile(
    rf"/subscriptions/(?P<subscription>[^/]+)/providers/{re.escape(PROVIDER)}"
    r"/locations/[^/]+/(?:azureAsyncOperation|operationResults)/(?P<operation>[^/]+)",
    re.IGNORECASE,
)

_SQL_OPERATION = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/"
    r"Microsoft\.Sql/locations/[^/]+/(?:databaseAzureAsyncOperation|databaseOperationResults)"
    r"/(?P<operation>[^/]+)",
    re.IGNORECASE,
)


def routes(world: World, sql: SqlWorld) -> list[Route]:
    """The operations served."""
    return [
        *servers.routes(world),
        *backups.routes(world),
        *tags.routes(world),
        *locks.routes(world, lambda id_: any(one.by_id(id_) is not None for one in (world, sql))),
        *lags.routes(world),
        *sql_lags.routes(sql),
        *sql_servers.routes(sql),
        *databases.routes(sql),
        *links.routes(sql),
        *(
            Route(
                method="GET",
                path=path,
                handler=world.handler(lambda call: operation_of(world.operations, call)),
            )
            for path in (_OPERATION, _SQL_OPERATION)
        ),
    ]
