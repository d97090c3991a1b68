"""OTLP metrics over HTTP, as every cloud takes them: what all local servers share.

https://opentelemetry.io/docs/specs/otlp/#otlphttp: protobuf by POST; an answer that succeeds may
still name points that were refused (``partial_success``). The cloud's own server says who may send,
and words its refusals::

    sink = OtlpSink(faults)
    routes = [("POST", "/v1/metrics", lambda request: sink.answer(request, refused))]
    owner = kept_by(sink, administration(state))    # answers GET /otlp

    requests_at(server.endpoint)                    # the tests' side
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import lose, meet
from airflow_multicloud.testing.local_clouds.kit.http import Answer, Respond

if TYPE_CHECKING:
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from werkzeug import Request

    from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults

_PROTOBUF = "application/x-protobuf"
_PATH = "/otlp"
_INVALID_ARGUMENT = 3  # google.rpc.Code

#: Why a cloud refuses a metric of a resource; ``None`` where it takes it.
WhyNot = Callable[["Resource", "Metric"], "str | None"]


class OtlpSink:
    """Takes metrics and keeps what it took; safe for many threads.

    :param faults: of the cloud's service ``metrics``.
    :param why_not: the cloud's own rules, whose answer is a ``partial_success``.
    """

    def __init__(
        self, faults: SeededDeliveryFaults, *, why_not: WhyNot = lambda _resource, _metric: None
    ) -> None:
        self._faults = faults
        self._why_not = why_not
        self._kept: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def answer(self, request: Request, refused: Callable[[ErrorKind], Answer]) -> Answer:
        """What a request is answered that is let in.

        :param refused: a refusal of all requests, in the cloud's own words.
        :raises ConnectionAbortedError: when the answer is to be lost.
        """
        if request.mimetype != _PROTOBUF:
            return Answer(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        fault = meet(self._faults, DeliveryCall.WRITE)
        if fault is not None and fault.kind is DeliveryFaultKind.REFUSE:
            return refused(fault.error)
        try:
            body = self.export(request.get_data())
        except DecodeError as err:
            told = Status(code=_INVALID_ARGUMENT, message=f"the body is no such message: {err}")
            return _protobuf(HTTPStatus.BAD_REQUEST, told.SerializeToString())
        lose(fault)
        return _protobuf(HTTPStatus.OK, body)

    def export(self, body: bytes) -> bytes:
        """Keep what no fault rejects, and give the answer.

        :param body: ``ExportMetricsServiceRequest``, not compressed.
        :raises DecodeError: when it is none.
        """
        request = ExportMetricsServiceRequest.FromString(body)
        response = ExportMetricsServiceResponse()
        told = response.partial_success
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in list(scope.metrics):
                    if (reason := self._reason(resource.resource, metric)) is not None:
                        told.rejected_data_points += _points(metric)
                        told.error_message = reason
                        scope.metrics.remove(metric)
        with self._lock:
            self._kept.append(MessageToDict(request))
        return response.SerializeToString()

    def _reason(self, resource: Resource, metric: Metric) -> str | None:
        if self._faults.rejects(metric.name):
            return "a fault was planted"
        return self._why_not(resource, metric)

    def requests(self) -> list[dict[str, Any]]:
        """What was kept of each request, oldest first, as protobuf's JSON has it."""
        with self._lock:
            return list(self._kept)


def kept_by(sink: OtlpSink, administer: Respond) -> Respond:
    """The administration of a server with a sink, which also says what the sink has."""

    def respond(request: Request) -> Answer:
        if (request.method, request.path) == ("GET", _PATH):
            return Answer(body=sink.requests())
        return administer(request)

    return respond


def requests_at(endpoint: str) -> list[dict[str, Any]]:
    """What was kept of each OTLP request by a server, oldest first.

    :param endpoint: of its administration.
    """
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=10)
    try:
        connection.request("GET", _PATH)
        found: list[dict[str, Any]] = json.loads(connection.getresponse().read())
        return found
    finally:
        connection.close()


def _points(metric: Metric) -> int:
    kind = metric.WhichOneof("data")
    return 0 if kind is None else len(getattr(metric, kind).data_points)


def _protobuf(status: HTTPStatus, body: bytes) -> Answer:
    return Answer(status=status, body=body, headers={"content-type": _PROTOBUF})
