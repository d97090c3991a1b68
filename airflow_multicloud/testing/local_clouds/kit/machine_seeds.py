"""Faults of machines, planted through a server's administration: both of its sides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from airflow_multicloud.testing.local_clouds.kit.fault_seeds import FaultSeeds, plant_faults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.machine_faults import (
    FaultKind,
    MachineCase,
    MachineFault,
    MachineFaults,
)

_SERVICE: Final = "machine_faults"


def plant(endpoint: str, faults: Iterable[MachineFault]) -> None:
    """Plant these faults in a server, and take away those of before.

    :param endpoint: of its administration.
    """
    plant_faults(endpoint, _SERVICE, faults)


class SeededFaults:
    """The faults that were planted; safe for many threads."""

    def __init__(self, state: State) -> None:
        self._faults = MachineFaults()
        self._seeds = FaultSeeds(state, _SERVICE, MachineFault, self._faults)

    def meet(self, kind: FaultKind, case: MachineCase) -> MachineFault | None:
        """The first fault of this kind that meets the case; it counts as met once more."""
        self._seeds.take_up()
        return self._faults.meet(kind, case)
