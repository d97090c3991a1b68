"""Stopping and starting."""

from __future__ import annotations

from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.describing import check_settled
from airflow_multicloud.clouds.azure.database.errors import translated
from airflow_multicloud.clouds.azure.database.fields import place_of, state_of
from airflow_multicloud.clouds.azure.database.handles import started
from airflow_multicloud.clouds.azure.database.operations import RunningOperations, told_by
from airflow_multicloud.ports.database import DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation


class Power(RunningOperations):
    """The port's ``power_database``."""

    def power_database(self, ref: DatabaseRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs; see the port.

        Azure starts a stopped one by itself after seven days
        (https://learn.microsoft.com/azure/postgresql/configure-maintain/how-to-stop-server).
        """
        place = place_of(ref, self._subscription)
        action, server = "start" if on else "stop", self._server(place)
        states = (
            (DatabaseState.AVAILABLE, DatabaseState.STARTING)
            if on
            else (DatabaseState.STOPPED, DatabaseState.STOPPING)
        )
        if state_of(server) in states:
            return told_by(action, server, place)
        doing = f"{action} of {place.name}"
        check_settled(server, doing)
        servers = self._postgres.servers
        with translated(doing):
            first = begun(
                servers.begin_start if on else servers.begin_stop, place.group, place.name
            )
        return started(action, place.server, first)
