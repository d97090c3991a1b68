"""Who is asked: metrics, logs, the OTLP endpoint, or moto."""

from __future__ import annotations

from werkzeug import Request

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.logs.service import LogsService
from airflow_multicloud.testing.local_clouds.aws.metrics.service import MetricsService
from airflow_multicloud.testing.local_clouds.aws.telemetry.front import Front
from airflow_multicloud.testing.local_clouds.aws.telemetry.signatures import Signed
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import refusal_of
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.otlp import OtlpSink
from airflow_multicloud.testing.local_clouds.kit.state import State

_OTLP_PATH = "/v1/metrics"


class TelemetryServer(Front):
    """Answers requests to CloudWatch, and hands those to other services on to moto."""

    def __init__(self, state: State) -> None:
        metric_faults = SeededDeliveryFaults(state, "metrics")
        self._metrics = MetricsService(state, metric_faults)
        logs = LogsService(state, SeededDeliveryFaults(state, "logs"))
        super().__init__(state, {"monitoring": self._metrics, "logs": logs})
        #: What came by OTLP.
        self.sink = OtlpSink(metric_faults)

    def answer(self, request: Request, caller: Signed) -> Answer:
        """The answer to a request whose signature was looked at."""
        if request.path == _OTLP_PATH:
            return self._otlp(request, caller)
        return super().answer(request, caller)

    def _otlp(self, request: Request, caller: Signed) -> Answer:
        words = self._metrics.words

        def refused(kind: ErrorKind) -> Answer:
            return refusal_of(request, words.refusal(kind))

        if caller.problem is not None:
            return refusal_of(request, words.stranger(caller.problem))
        if caller.service != "monitoring":
            return refused(ErrorKind.UNAUTHENTICATED)
        return self.sink.answer(request, refused)
