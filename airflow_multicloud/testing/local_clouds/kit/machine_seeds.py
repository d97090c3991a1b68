"""Faults of machines, planted through a server's administration: both of its sides."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.machine_faults import (
    FaultKind,
    MachineCase,
    MachineFault,
    MachineFaults,
)

#: The service that they are seeded for: a record is a fault, or ``{"clear": true}``.
SERVICE: Final = "machine_faults"


def plant(endpoint: str, faults: Iterable[MachineFault]) -> None:
    """Plant these faults in a server, and take away those of before.

    :param endpoint: of its administration.
    """
    Admin(endpoint).seed(SERVICE, [{"clear": True}, *map(to_document, faults)])


class SeededFaults:
    """The faults that were planted; safe for many threads."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._faults = MachineFaults()
        self._read: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()

    def meet(self, kind: FaultKind, case: MachineCase) -> MachineFault | None:
        """The first fault of this kind that meets the case; it counts as met once more."""
        with self._lock:
            self._take_up()
        return self._faults.meet(kind, case)

    def _take_up(self) -> None:
        seeds = self._state.seeded(SERVICE)
        known = len(self._read)
        if [*map(id, seeds[:known])] != [*map(id, self._read)]:  # everything was forgotten
            known = 0
            self._faults.clear()
        for seed in seeds[known:]:
            if seed.get("clear"):
                self._faults.clear()
            else:
                self._faults.plant([read_document(MachineFault, seed, what="a machine fault")])
        self._read = seeds
