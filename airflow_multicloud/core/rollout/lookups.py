"""What a plan looks up in the clouds, once for all targets that ask the same."""

from __future__ import annotations

from airflow_multicloud.adapters.locks import KeyLocks
from airflow_multicloud.ports.compute import ComputeService, LaunchRequest, LaunchSpec


class Lookups:
    """What requests of one plan come to; safe for many threads."""

    def __init__(self) -> None:
        self._locks = KeyLocks()
        self._found: dict[tuple[int, LaunchRequest], LaunchSpec] = {}

    def resolved(self, compute: ComputeService, request: LaunchRequest) -> LaunchSpec:
        """What a request comes to; an error is not kept.

        :param compute: of one connection; the opened targets keep it as long as the plan is made.

        :raises CloudError: as :meth:`~airflow_multicloud.ports.compute.Compute.resolve_launch`.
        """
        key = (id(compute), request)
        with self._locks.of(key):
            if key not in self._found:
                self._found[key] = compute.resolve_launch(request)
            return self._found[key]
