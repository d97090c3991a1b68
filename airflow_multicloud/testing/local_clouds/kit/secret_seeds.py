"""Faults of secret stores, planted through a server's administration: both of its sides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from airflow_multicloud.testing.local_clouds.kit.fault_seeds import FaultSeeds, plant_faults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaults

_SERVICE: Final = "secret_faults"


def plant(endpoint: str, faults: Iterable[SecretFault]) -> None:
    """Plant these faults in a server, and take away those of before.

    :param endpoint: of its administration.
    """
    plant_faults(endpoint, _SERVICE, faults)


class SeededSecretFaults:
    """The faults that were planted; safe for many threads."""

    def __init__(self, state: State) -> None:
        self._faults = SecretFaults()
        self._seeds = FaultSeeds(state, _SERVICE, SecretFault, self._faults)

    def meet(self, call: SecretCall, name: str = "") -> SecretFault | None:
        """What meets this request, if anything; to be asked once for each request.

        :param name: of its secret, as the cloud has it.
        """
        self._seeds.take_up()
        return self._faults.meet(call, name)
