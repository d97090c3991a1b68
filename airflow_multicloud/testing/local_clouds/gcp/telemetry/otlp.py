"""The Telemetry API: metrics by OTLP.

https://docs.cloud.google.com/stackdriver/docs/reference/telemetry/v1.metrics and
https://docs.cloud.google.com/stackdriver/docs/otlp-metrics/overview: names have to fit patterns,
and the resource has to name a project, a location and an instance.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused, planted
from airflow_multicloud.testing.local_clouds.gcp.grpc.tokens import Tokens
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.http import Answer, Routes
from airflow_multicloud.testing.local_clouds.kit.otlp import OtlpSink
from airflow_multicloud.testing.local_clouds.kit.state import State

if TYPE_CHECKING:
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from werkzeug import Request

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_:./]*")
_ATTRIBUTE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
_LOCATIONS = ("location", "cloud.availability_zone", "cloud.region")
_INSTANCES = ("instance", "service.instance.id", "faas.instance", "host.id")
#: HTTP statuses of ``google.rpc.Code``.
_STATUSES = {
    "UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED,
    "PERMISSION_DENIED": HTTPStatus.FORBIDDEN,
    "RESOURCE_EXHAUSTED": HTTPStatus.TOO_MANY_REQUESTS,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
}


class Otlp:
    """The API, and what it took.

    :param tokens: who may send.
    """

    def __init__(self, tokens: Tokens, state: State) -> None:
        self._tokens = tokens
        self._state = state
        self.sink = OtlpSink(SeededDeliveryFaults(state, "metrics"), why_not=_why_not)
        self._routes = Routes([("POST", "/v1/metrics", self._metrics)])

    def respond(self, request: Request) -> Answer:
        """The answer to a request."""
        answer = self._routes(request)
        self._state.log(request, answer.status)
        return answer

    def _metrics(self, request: Request) -> Answer:
        try:
            self._tokens.check({name.lower(): value for name, value in request.headers.items()})
        except Refused as refusal:
            return _refused(refusal)
        return self.sink.answer(request, _refused_by_fault)


def _refused_by_fault(kind: ErrorKind) -> Answer:
    return _refused(planted(kind))


def _refused(refusal: Refused) -> Answer:
    status = _STATUSES[refusal.code.name]
    details: list[dict[str, Any]] = [
        {"@type": f"type.googleapis.com/{one.DESCRIPTOR.full_name}", **MessageToDict(one)}
        for one in refusal.details
    ]
    error = {
        "code": status,
        "message": refusal.text,
        "status": refusal.code.name,
        "details": details,
    }
    return Answer(status=status, body={"error": error})


def _why_not(resource: Resource, metric: Metric) -> str | None:
    told = {one.key: one.value.string_value for one in resource.attributes}
    if told.get("gcp.project_id") != PROJECT:
        return f"the resource attribute gcp.project_id must be set to {PROJECT}"
    if not any(told.get(name) for name in _LOCATIONS):
        return "the resource has no location"
    if not any(told.get(name) for name in _INSTANCES):
        return "the resource has no instance"
    if not _NAME.fullmatch(metric.name):
        return f"the metric name must match {_NAME.pattern}"
    kind = metric.WhichOneof("data")
    points = () if kind is None else getattr(metric, kind).data_points
    if any(not _ATTRIBUTE.fullmatch(one.key) for point in points for one in point.attributes):
        return f"attribute keys must match {_ATTRIBUTE.pattern}"
    return None
