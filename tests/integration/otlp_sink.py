"""A collector for tests: it takes traces and metrics by OTLP over HTTP, and says what it has.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from airflow_multicloud.testing.local_clouds.kit.http import Answer, HttpServer, Routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
    from werkzeug import Request

_PROTOBUF = {"content-type": "application/x-protobuf"}
_FAILED, _DELTA = Status.STATUS_CODE_ERROR, AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA

Labels = frozenset[tuple[str, Any]]


@dataclass(frozen=True)
class Span:
    """A span that has ended."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    scope: str
    attributes: dict[str, Any]
    failed: bool
    status: str
    events: tuple[tuple[str, dict[str, Any]], ...]


@dataclass
class Sink:
    """What has come, from all processes of an Airflow."""

    spans: list[Span] = field(default_factory=list)
    #: Name → attributes → what was added by all processes.
    _figures: dict[str, Counter[Labels]] = field(default_factory=lambda: defaultdict(Counter))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def trace(self, trace_id: str) -> list[Span]:
        """A trace, as far as it has come."""
        with self._lock:
            return [span for span in self.spans if span.trace_id == trace_id]

    def named(self, name: str) -> list[Span]:
        with self._lock:
            return [span for span in self.spans if span.name == name]

    def sum_of(self, metric: str, **labels: str) -> float:
        """A counter, or how often something was recorded; of all processes together.

        :param labels: some of its attributes; ``__`` for a dot.
        """
        wanted = {(name.replace("__", "."), value) for name, value in labels.items()}
        with self._lock:
            return sum(n for of, n in self._figures[metric].items() if wanted <= of)

    def take_traces(self, request: Request) -> Answer:
        with self._lock:
            for resource in ExportTraceServiceRequest.FromString(request.data).resource_spans:
                for scope in resource.scope_spans:
                    self.spans += [
                        Span(
                            name=span.name,
                            trace_id=span.trace_id.hex(),
                            span_id=span.span_id.hex(),
                            parent_id=span.parent_span_id.hex(),
                            scope=scope.scope.name,
                            attributes=_plain(span.attributes),
                            failed=span.status.code == _FAILED,
                            status=span.status.message,
                            events=tuple((e.name, _plain(e.attributes)) for e in span.events),
                        )
                        for span in scope.spans
                    ]
        return _answer(ExportTraceServiceResponse())

    def take_metrics(self, request: Request) -> Answer:
        with self._lock:
            for resource in ExportMetricsServiceRequest.FromString(request.data).resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        self._take(metric)
        return _answer(ExportMetricsServiceResponse())

    def _take(self, metric: Metric) -> None:
        kind = metric.WhichOneof("data")
        if getattr(getattr(metric, kind), "aggregation_temporality", None) != _DELTA:
            return  # A level (gauge, up-down counter): not to be added up.
        for point in getattr(metric, kind).data_points:
            labels = frozenset((name, value) for name, value in _plain(point.attributes).items())
            value = point.count if "histogram" in kind else point.as_int or point.as_double
            self._figures[metric.name][labels] += value


@contextmanager
def otlp_sink() -> Iterator[tuple[Sink, str]]:
    """A sink, and its URL."""
    sink = Sink()
    routes = Routes(
        [("POST", "/v1/traces", sink.take_traces), ("POST", "/v1/metrics", sink.take_metrics)]
    )
    with HttpServer(routes) as server:
        yield sink, server.endpoint


def _plain(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    found = {}
    for pair in attributes:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind) if kind else None
        found[pair.key] = str(value) if kind in ("array_value", "kvlist_value") else value
    return found


def _answer(message: ExportTraceServiceResponse | ExportMetricsServiceResponse) -> Answer:
    return Answer(status=HTTPStatus.OK, body=message.SerializeToString(), headers=_PROTOBUF)
