"""All of it as routes of the local Resource Manager."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Route
from airflow_multicloud.testing.local_clouds.azure.compute import (
    EMPTY_GROUP,
    disks,
    lookups,
    network,
    virtual_machines,
)
from airflow_multicloud.testing.local_clouds.azure.compute.faults import Faults
from airflow_multicloud.testing.local_clouds.azure.compute.life import VM
from airflow_multicloud.testing.local_clouds.azure.compute.world import World
from airflow_multicloud.testing.local_clouds.kit.http import Answer

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds.kit.machines import Machines
    from airflow_multicloud.testing.local_clouds.kit.state import State


def routes(state: State, machines: Machines) -> list[Route]:
    """The operations served.

    :param machines: in which startup scripts run.
    """
    world = World(machines, Faults(state), groups={EMPTY_GROUP})
    network.set_up(world)
    return [
        *network.routes(world),
        *disks.routes(world),
        *lookups.routes(world),
        *virtual_machines.routes(world),
        Route(
            method="GET",
            path=re.compile("/bootdiagnostics/(?P<machine>[^/]+)"),
            handler=lambda call: _console(world, call),
            parameters=frozenset({"sig"}),
            public=True,  # by its signature, as a blob is
        ),
    ]


def _console(world: World, call: Call) -> Answer:
    for vm in world.of_type(VM):
        if vm["properties"]["vmId"] == call.variables["machine"]:
            nic = vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
            return Answer(body=world.machines.console(nic.lower()).encode())
    return Answer(status=404, body={"error": {"code": "BlobNotFound", "message": "No such blob."}})
