"""Stopping and starting."""

from __future__ import annotations

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.describing import check_settled
from airflow_multicloud.clouds.aws.database.fields import state_of
from airflow_multicloud.clouds.aws.database.operations import RunningOperations, told
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation


class Power(RunningOperations):
    """The port's ``power_database``."""

    def power_database(self, ref: DatabaseRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs; see the port.

        RDS starts a stopped one by itself after seven days, and stops neither a replica nor an
        instance with replicas ("Stopping an Amazon RDS DB instance temporarily").
        """
        place = self._database_place(ref)
        action = "start" if on else "stop"
        item = self._described(place)
        state = state_of(item)
        done, on_the_way = (
            (DatabaseState.AVAILABLE, DatabaseState.STARTING)
            if on
            else (DatabaseState.STOPPED, DatabaseState.STOPPING)
        )
        if state in (done, on_the_way):
            return told(action, item)
        doing = f"{action} of {place.name}"
        check_settled(item, doing)
        client = self._client_of("rds", place.region)
        call = client.start_db_instance if on else client.stop_db_instance
        answer = self._ordered(place, doing, lambda: call(DBInstanceIdentifier=place.name))
        with well_formed(doing, NAME, area=DatabaseError):
            return told(action, answer["DBInstance"])
