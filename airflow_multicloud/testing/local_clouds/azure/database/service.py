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
from airflow_multicloud.testing.local_clouds.azure.database.world import (
    PROVIDER,
    World,
    operation_of,
)

_OPERATION = re.compile(
    rf"/subscriptions/(?P<subscription>[^/]+)/providers/{re.escape(PROVIDER)}"
    r"/locations/[^/]+/(?:azureAsyncOperation|operationResults)/(?P<operation>[^/]+)",
    re.IGNORECASE,
)


def routes(world: World) -> list[Route]:
    """The operations served."""
    return [
        *servers.routes(world),
        *backups.routes(world),
        *tags.routes(world),
        *locks.routes(world),
        *lags.routes(world),
        Route(
            method="GET",
            path=_OPERATION,
            handler=world.handler(lambda call: operation_of(world, call)),
        ),
    ]
