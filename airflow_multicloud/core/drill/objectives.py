"""What a drill is to meet: of the whole recovery, and of single phases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow_multicloud.core.pages import duration
from airflow_multicloud.errors import ErrorKind, StorageError

#: The phases that may have an objective of their own, and what each one shows.
_PHASES: Mapping[str, str] = {
    "detect": "the fault was noticed",
    "failover": "a copy began to serve",
    "first_verified": "the first object was verified and in place",
}


@dataclass(frozen=True, slots=True)
class Objectives:
    """What is to be met. A phase that has no objective may take as long as the recovery.

    :param rto: the longest time from the fault until everything is recovered and verified.
    :param rpo: how much older than the fault what is recovered may be.
    :param detect: the longest time from the fault until the first attempt has failed.
    :param failover: until a copy begins to send an object that it serves in the end.
    :param first_verified: until the first object is verified and in place.
    """

    rto: timedelta
    rpo: timedelta
    detect: timedelta | None = None
    failover: timedelta | None = None
    first_verified: timedelta | None = None

    def of_phases(self) -> dict[str, timedelta]:
        """The objectives of single phases, where there are any."""
        found = {name: getattr(self, name) for name in _PHASES}
        return {name: most for name, most in found.items() if most is not None}

    def check(self, *, suffix: str = "") -> None:
        """Refuse what no drill can be judged by.

        :param suffix: what the parameters that were given have after these names.
        :raises StorageError: kind ``invalid_argument`` for a time that is not above 0, or for a
            phase's that is longer than the RTO.
        """
        phases = self.of_phases()
        for name, most in {"rto": self.rto, "rpo": self.rpo, **phases}.items():
            if most <= timedelta(0):
                raise StorageError(
                    f"{name}{suffix}: {most.total_seconds():g} s given, expected a time above 0",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
        for name, most in phases.items():
            if most > self.rto:
                raise StorageError(
                    f"{name}{suffix}: {duration(most.total_seconds())} given, which is longer than "
                    f"the RTO of {duration(self.rto.total_seconds())}, and this phase is a part of "
                    "it: give a shorter time, or a longer RTO",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )


def missed_phases(measured: Mapping[str, Any], objectives: Objectives) -> Iterator[str]:
    """Which phases took longer than they may or never came, as parts of sentences.

    :param measured: a :class:`~.failover.Measurement` as a document.
    """
    if measured["fault_at"] is None:
        return  # There was no recovery that could have phases.
    phases = measured.get("phases") or {}
    for name, most in objectives.of_phases().items():
        took = phases.get(f"{name}_seconds")
        if took is None or took > most.total_seconds():
            when = "never" if took is None else f"after {duration(took)}"
            yield (
                f"{name.replace('_', ' ')}: {_PHASES[name]} {when}; the objective is "
                f"{duration(most.total_seconds())}"
            )
