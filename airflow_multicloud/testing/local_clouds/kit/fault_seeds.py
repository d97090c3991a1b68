"""Faults planted through a server's administration: both of its sides."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.state import State

F = TypeVar("F")
F_contra = TypeVar("F_contra", contravariant=True)


class Faults(Protocol[F_contra]):
    """What is planted, and met."""

    def plant(self, faults: Iterable[F_contra]) -> None:
        """Add some."""
        ...

    def clear(self) -> None:
        """Take all away."""
        ...


def plant_faults(endpoint: str, service: str, faults: Iterable[object]) -> None:
    """Plant these faults in a server, and take away those of before.

    :param endpoint: of its administration.
    :param service: that they are seeded for: a record is a fault, or ``{"clear": true}``.
    """
    Admin(endpoint).seed(service, [{"clear": True}, *map(to_document, faults)])


class FaultSeeds(Generic[F]):
    """Takes up what was planted since the last look; safe for many threads.

    :param cls: of a fault.
    :param faults: which get them.
    """

    def __init__(self, state: State, service: str, cls: type[F], faults: Faults[F]) -> None:
        self._state = state
        self._service = service
        self._cls = cls
        self._faults = faults
        self._read: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()

    def take_up(self) -> None:
        """To be called before the faults are asked."""
        with self._lock:
            seeds = self._state.seeded(self._service)
            known = len(self._read)
            if [*map(id, seeds[:known])] != [*map(id, self._read)]:  # everything was forgotten
                known = 0
                self._faults.clear()
            for seed in seeds[known:]:
                if seed.get("clear"):
                    self._faults.clear()
                else:
                    self._faults.plant([read_document(self._cls, seed, what="a fault")])
            self._read = seeds
