"""Faults of database services, planted through a server's administration: both of its sides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from airflow_multicloud.testing.local_clouds.kit.fault_seeds import FaultSeeds, plant_faults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.sql_faults import (
    DatabaseCall,
    DatabaseFault,
    DatabaseFaultKind,
    DatabaseFaults,
)

_SERVICE: Final = "database_faults"


def plant(endpoint: str, faults: Iterable[DatabaseFault]) -> None:
    """Plant these faults in a server, and take away those of before.

    :param endpoint: of its administration.
    """
    plant_faults(endpoint, _SERVICE, faults)


class SeededDatabaseFaults:
    """The faults that were planted; safe for many threads."""

    def __init__(self, state: State) -> None:
        self._faults = DatabaseFaults()
        self._seeds = FaultSeeds(state, _SERVICE, DatabaseFault, self._faults)

    def meet(self, kind: DatabaseFaultKind, call: DatabaseCall, name: str) -> DatabaseFault | None:
        """The first fault of this kind that meets the call; it counts as met once more."""
        self._seeds.take_up()
        return self._faults.meet(kind, call, name)
