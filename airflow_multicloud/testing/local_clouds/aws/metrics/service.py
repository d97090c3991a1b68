"""CloudWatch metrics as a service of the server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.metrics import questions, words
from airflow_multicloud.testing.local_clouds.aws.metrics.puts import put
from airflow_multicloud.testing.local_clouds.aws.metrics.series import Region
from airflow_multicloud.testing.local_clouds.aws.telemetry.services import (
    DeliveryService,
    Handler,
    Words,
)
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.state import State


class MetricsService(DeliveryService):
    """The series of all regions."""

    boto_name = "cloudwatch"
    writes = frozenset({"PutMetricData"})

    words: Words = words

    def __init__(self, state: State, faults: SeededDeliveryFaults) -> None:
        super().__init__(faults)
        self._state = state
        self._regions: defaultdict[str, Region] = defaultdict(Region)
        self.handlers: Mapping[str, Handler] = {
            "PutMetricData": lambda call: put(call, self._regions[call.region], faults),
            "ListMetrics": self._list,
            "GetMetricStatistics": lambda call: questions.get_metric_statistics(
                call, self._regions[call.region]
            ),
            "GetMetricData": self._data,
        }

    def _list(self, call: Call) -> Mapping[str, Any]:
        lag = timedelta(seconds=self._told("metrics_listing", "lag_s", 0))
        return questions.list_metrics(call, self._regions[call.region], lag=lag)

    def _data(self, call: Call) -> Mapping[str, Any]:
        most = self._told("metrics_pages", "points", questions.MOST_POINTS)
        return questions.get_metric_data(call, self._regions[call.region], most=most)

    def _told(self, service: str, name: str, usual: int) -> int:
        told = self._state.seeded(service)
        return int(told[-1][name]) if told else usual
