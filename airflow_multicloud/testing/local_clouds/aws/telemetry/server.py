"""Who is asked: metrics, logs, the OTLP endpoint, or moto."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug import Request, Response

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.aws.logs.service import LogsService
from airflow_multicloud.testing.local_clouds.aws.metrics.service import MetricsService
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit, check
from airflow_multicloud.testing.local_clouds.aws.telemetry.services import Handler, Service
from airflow_multicloud.testing.local_clouds.aws.telemetry.signatures import Signed, signed
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import (
    Call,
    Refused,
    answer_of,
    body_of,
    members_of,
    model_of,
    operation_of,
    refusal_of,
    typed,
)
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import (
    SeededDeliveryFaults,
    lose,
    meet,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.otlp import OtlpSink
from airflow_multicloud.testing.local_clouds.kit.state import State

_OTLP_PATH = "/v1/metrics"


class TelemetryServer:
    """Answers requests to CloudWatch, and hands those to other services on to moto."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._moto = DomainDispatcherApplication(create_backend_app)
        metric_faults = SeededDeliveryFaults(state, "metrics")
        #: What came by OTLP.
        self.sink = OtlpSink(metric_faults)
        self._services: Mapping[str, Service] = {
            "monitoring": MetricsService(state, metric_faults),
            "logs": LogsService(state, SeededDeliveryFaults(state, "logs")),
        }

    def __call__(self, request: Request) -> Answer:
        """The answer to a request."""
        caller = signed(request)
        if (scripted := self._state.scripted(request)) is not None:
            answer = scripted
        elif request.path == _OTLP_PATH:
            answer = self._otlp(request, caller)
        elif (service := self._services.get(caller.service)) is not None:
            answer = self._answer(request, caller, service)
        else:
            answer = self._forwarded(request)
        self._state.log(request, answer.status, action=f"{caller.service}:{operation_of(request)}")
        return answer

    def _answer(self, request: Request, caller: Signed, service: Service) -> Answer:
        name = operation_of(request)
        handler = service.handlers.get(name)
        try:
            if caller.problem is not None:
                raise service.words.stranger(caller.problem)
            if handler is None:
                return self._forwarded(request)
            call = _read(request, caller.region, service)
            answered = self._met(service, call, handler)
        except Refused as refused:
            return refusal_of(request, refused)
        return answer_of(request, model_of(service.boto_name).operation_model(name), answered)

    def _met(self, service: Service, call: Call, handler: Handler) -> Mapping[str, Any]:
        """What a handler says, unless a fault meets the request."""
        kind = DeliveryCall.WRITE if call.operation in service.writes else DeliveryCall.READ
        fault = meet(service.faults, kind)
        if fault is not None and fault.kind is DeliveryFaultKind.REFUSE:
            raise service.words.refusal(fault.error)
        answered = handler(call)
        lose(fault)
        return answered

    def _otlp(self, request: Request, caller: Signed) -> Answer:
        service = self._services["monitoring"]

        def refused(kind: ErrorKind) -> Answer:
            return refusal_of(request, service.words.refusal(kind))

        if caller.problem is not None:
            return refusal_of(request, service.words.stranger(caller.problem))
        if caller.service != "monitoring":
            return refused(ErrorKind.UNAUTHENTICATED)
        return self.sink.answer(request, refused)

    def _forwarded(self, request: Request) -> Answer:
        body = request.get_data()
        environ = dict(request.environ)
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        response = Response.from_app(self._moto, environ, buffered=True)
        return Answer(
            status=response.status_code,
            body=response.get_data(),
            headers={
                name: value
                for name, value in response.headers.items()
                if name.casefold().startswith("x-amz") or name.casefold() == "content-type"
            },
        )


def _read(request: Request, region: str, service: Service) -> Call:
    """A request, by the service's model.

    :raises Refused: for what the model does not know, or what can't be read.
    """
    name = operation_of(request)
    try:
        body = body_of(request)
        given = members_of(request, body)
        shape = model_of(service.boto_name).operation_model(name).input_shape
        if shape is not None:
            check(given, shape)
            given = typed(given, shape)
    except Unfit as unfit:
        raise service.words.unfit(unfit) from None
    except (ValueError, KeyError, OSError) as err:
        raise Refused("SerializationException", str(err)[:200]) from None
    return Call(operation=name, region=region, given=given, size=len(body))
