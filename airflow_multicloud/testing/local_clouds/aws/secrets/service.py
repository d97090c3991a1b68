"""Secrets Manager as a service of the server: what is asked, faults, and what another writes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.secrets import words
from airflow_multicloud.testing.local_clouds.aws.secrets.answers import Answers
from airflow_multicloud.testing.local_clouds.aws.secrets.changes import Changes
from airflow_multicloud.testing.local_clouds.aws.secrets.store import CURRENT
from airflow_multicloud.testing.local_clouds.aws.secrets.world import World
from airflow_multicloud.testing.local_clouds.aws.telemetry.services import Handler, Words
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call, model_of
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import SeededSecretFaults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.secret_faults import (
    MEANWHILE_VALUE,
    SecretCall,
    SecretFault,
    SecretFaultKind,
)

_CALLS = {
    "GetSecretValue": SecretCall.READ,
    "DescribeSecret": SecretCall.DESCRIBE,
    "ListSecretVersionIds": SecretCall.DESCRIBE,
    "ListSecrets": SecretCall.LIST,
    "CreateSecret": SecretCall.WRITE,
    "PutSecretValue": SecretCall.WRITE,
    "UpdateSecretVersionStage": SecretCall.WRITE,
    "DeleteSecret": SecretCall.REMOVE,
    "RestoreSecret": SecretCall.REMOVE,
    "TagResource": SecretCall.TAG,
    "UntagResource": SecretCall.TAG,
}


class SecretsService:
    """The secrets of all regions."""

    boto_name = "secretsmanager"

    words: Words = words

    def __init__(self, state: State) -> None:
        self._faults = SeededSecretFaults(state)
        self._world = World(state)
        self._lock = threading.Lock()
        answers, changes = Answers(self._world), Changes(self._world)
        served: Mapping[str, Handler] = {
            "GetSecretValue": answers.value,
            "DescribeSecret": answers.describe,
            "ListSecretVersionIds": answers.versions,
            "ListSecrets": answers.secrets,
            "CreateSecret": changes.create,
            "PutSecretValue": changes.put,
            "UpdateSecretVersionStage": changes.label,
            "DeleteSecret": changes.delete,
            "RestoreSecret": changes.restore,
            "TagResource": changes.tag,
            "UntagResource": changes.untag,
        }
        # moto would answer what is missing here, of secrets of its own.
        names = model_of(self.boto_name).operation_names
        self.handlers: Mapping[str, Handler] = {
            name: served.get(name, _not_served) for name in names
        }

    def carry_out(self, call: Call, handler: Handler) -> Mapping[str, Any]:
        """What a handler says, unless a fault meets the request."""
        name = call.given.get("SecretId") or call.given.get("Name") or ""
        with self._lock:
            fault = None
            if call.operation in _CALLS:
                fault = self._faults.meet(_CALLS[call.operation], name)
            if fault is not None:
                self._meet(fault, call, name)
            answered = handler(call)
        if fault is not None and fault.kind is SecretFaultKind.LOSE_ANSWER:
            raise ConnectionAbortedError
        return answered

    def _meet(self, fault: SecretFault, call: Call, name: str) -> None:
        if fault.kind is SecretFaultKind.REFUSE:
            raise words.refusal(fault.error)
        if fault.kind is SecretFaultKind.MEANWHILE:
            secret = self._world.find(call.region, name) or self._world.make(call.region, name)
            secret.put(str(uuid.uuid4()), {"SecretString": MEANWHILE_VALUE.decode()}, [CURRENT])


def _not_served(call: Call) -> Mapping[str, Any]:
    raise words.not_served(call.operation)
