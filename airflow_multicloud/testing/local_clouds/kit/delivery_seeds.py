"""Faults of metric and log services, planted through a server's administration: both sides."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFault,
    DeliveryFaultKind,
    DeliveryFaults,
)
from airflow_multicloud.testing.local_clouds.kit.fault_seeds import FaultSeeds, plant_faults
from airflow_multicloud.testing.local_clouds.kit.state import State


def plant(endpoint: str, service: str, faults: Iterable[DeliveryFault]) -> None:
    """Plant these faults in a service of a server, and take away those of before.

    :param endpoint: of its administration.
    :param service: ``metrics`` or ``logs``.
    """
    plant_faults(endpoint, _seeded_for(service), faults)


class SeededDeliveryFaults:
    """The faults that were planted in one service; safe for many threads.

    :param service: as in :func:`plant`.
    """

    def __init__(self, state: State, service: str) -> None:
        self._faults = DeliveryFaults()
        self._seeds = FaultSeeds(state, _seeded_for(service), DeliveryFault, self._faults)

    def meet(self, call: DeliveryCall) -> DeliveryFault | None:
        """What meets this request as a whole, if anything; to be asked once for each request."""
        self._seeds.take_up()
        return self._faults.meet(call)

    def rejects(self, name: str) -> bool:
        """Whether a record is one of those that are refused."""
        self._seeds.take_up()
        return self._faults.rejects(name)


def meet(faults: SeededDeliveryFaults, call: DeliveryCall) -> DeliveryFault | None:
    """What meets a request before it is carried out; to be asked once for each request.

    :returns: a fault of kind ``REFUSE`` or ``LOSE_ANSWER``, for :func:`lose` once it is done.
    :raises ConnectionAbortedError: when the request is lost.
    """
    fault = faults.meet(call)
    if fault is not None and fault.kind is DeliveryFaultKind.LOSE_REQUEST:
        raise ConnectionAbortedError
    return fault


def lose(fault: DeliveryFault | None) -> None:
    """End the connection where the answer is to be lost.

    :raises ConnectionAbortedError: then.
    """
    if fault is not None and fault.kind is DeliveryFaultKind.LOSE_ANSWER:
        raise ConnectionAbortedError


def _seeded_for(service: str) -> str:
    return f"{service}_faults"
