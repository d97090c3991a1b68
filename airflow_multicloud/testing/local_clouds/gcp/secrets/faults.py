"""Planted faults, and damages, as they meet requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.grpc.services import AnswerLostError, planted
from airflow_multicloud.testing.local_clouds.gcp.secrets.store import Store
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import SeededSecretFaults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.secret_faults import (
    MEANWHILE_VALUE,
    SecretCall,
    SecretFaultKind,
)

Handler = Callable[[Any], Any]


class Faulty:
    """Carries out requests one at a time, with what was seeded for them.

    :param state: where that is.
    """

    def __init__(self, store: Store, state: State) -> None:
        self._store = store
        self._state = state
        self._faults = SeededSecretFaults(state)
        self._damaged = 0

    def met(self, handler: Handler, call: SecretCall | None) -> Handler:
        """A handler whose requests meet faults.

        :param call: what they are; ``None`` for those that meet none.
        """

        def handled(request: Any) -> Any:
            with self._store.lock:
                self._damage()
                name = _name_in(request)
                fault = None if call is None else self._faults.meet(call, name)
                kind = None if fault is None else fault.kind
                if fault is not None and kind is SecretFaultKind.REFUSE:
                    raise planted(fault.error)
                if kind is SecretFaultKind.MEANWHILE:
                    self._store.write(name, MEANWHILE_VALUE)
                self._store.make_stale(name, stale=kind is SecretFaultKind.STALE)
                try:
                    answer = handler(request)
                    # A copy: what is kept may change before it is sent.
                    return type(answer).FromString(answer.SerializeToString())
                finally:
                    if kind is SecretFaultKind.LOSE_ANSWER:
                        raise AnswerLostError

        return handled

    def _damage(self) -> None:
        seeds = self._state.seeded("damage")
        for seed in seeds[self._damaged :]:
            self._store.damage(seed["name"])
        self._damaged = len(seeds)


def _name_in(request: Any) -> str:
    """The id of the secret that a request is about; "" for a list of secrets."""
    fields = {field.name for field in request.DESCRIPTOR.fields}
    if "secret_id" in fields:
        return str(request.secret_id)
    path = request.secret.name if "secret" in fields else ""
    for name in ("name", "parent"):
        path = path or (getattr(request, name) if name in fields else "")
    parts = path.split("/")
    return parts[3] if len(parts) > 3 else ""  # noqa: PLR2004 - projects/*/secrets/<id>
