"""CloudWatch Logs as a service of the server."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.logs import questions, words
from airflow_multicloud.testing.local_clouds.aws.logs.puts import put
from airflow_multicloud.testing.local_clouds.aws.telemetry.services import (
    DeliveryService,
    Handler,
    Words,
)
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.state import State


class LogsService(DeliveryService):
    """The events of all log groups, which moto keeps."""

    boto_name = "logs"
    writes = frozenset({"PutLogEvents"})

    words: Words = words

    def __init__(self, state: State, faults: SeededDeliveryFaults) -> None:
        super().__init__(faults)
        self._state = state
        # moto's streams are not made for several writers.
        self._lock = threading.Lock()
        self.handlers: Mapping[str, Handler] = {
            "PutLogEvents": self._put,
            "FilterLogEvents": self._filter,
        }

    def _put(self, call: Call) -> Mapping[str, Any]:
        with self._lock:
            return put(call, self.faults)

    def _filter(self, call: Call) -> Mapping[str, Any]:
        told = self._state.seeded("logs_pages")
        scanned = int(told[-1]["events"]) if told else questions.MOST_EVENTS
        return questions.filter_events(call, scanned=scanned)
