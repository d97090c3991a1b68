"""Planted faults, as they meet requests."""

from __future__ import annotations

from collections.abc import Callable

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Handler, Refusal
from airflow_multicloud.testing.local_clouds.azure.secrets.challenges import FAULTS, VaultRefusal
from airflow_multicloud.testing.local_clouds.azure.secrets.vault import Vault
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import SeededSecretFaults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.secret_faults import (
    MEANWHILE_VALUE,
    SecretCall,
    SecretFault,
    SecretFaultKind,
)


class Faulty:
    """Carries out requests one at a time, with what was planted for them.

    :param state: where that is.
    """

    def __init__(self, vault: Vault, state: State) -> None:
        self._vault = vault
        self._faults = SeededSecretFaults(state)

    def met(
        self, handler: Handler, kind: SecretCall | Callable[[Call], SecretCall] | None
    ) -> Handler:
        """A handler whose requests meet faults.

        :param kind: what they are, or what tells it; ``None`` for those that meet none.
        """

        def handled(call: Call) -> Answer:
            name = call.variables.get("name", "")
            with self._vault.lock:
                asked = kind(call) if callable(kind) else kind
                fault = None if asked is None else self._faults.meet(asked, name)
                if fault is not None and fault.kind is SecretFaultKind.REFUSE:
                    raise _refused(fault)
                if fault is not None and fault.kind is SecretFaultKind.MEANWHILE:
                    self._vault.add(name, MEANWHILE_VALUE.decode(), {})
                answer = handler(call)
            if fault is not None and fault.kind is SecretFaultKind.LOSE_ANSWER:
                raise ConnectionAbortedError
            return answer

        return handled


def _refused(fault: SecretFault) -> Refusal:
    status, code, message, inner = FAULTS[fault.error]
    if inner:
        return VaultRefusal(status, code, message, inner)
    return Refusal(status, code, message)
