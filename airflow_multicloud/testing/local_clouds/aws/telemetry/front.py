"""The front of every local AWS service that speaks RPC: signature, form, then who answers."""

from __future__ import annotations

import io
from collections.abc import Mapping

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug import Request, Response

from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit, check
from airflow_multicloud.testing.local_clouds.aws.telemetry.services import Service
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
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.state import State


class Front:
    """Answers requests to its services, and hands those to others on to moto.

    :param services: the name that their requests are signed for → each.
    """

    def __init__(self, state: State, services: Mapping[str, Service]) -> None:
        self.state = state
        self.services = services
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, request: Request) -> Answer:
        """The answer to a request."""
        caller = signed(request)
        scripted = self.state.scripted(request)
        answer = self.answer(request, caller) if scripted is None else scripted
        self.state.log(request, answer.status, action=f"{caller.service}:{operation_of(request)}")
        return answer

    def answer(self, request: Request, caller: Signed) -> Answer:
        """The answer to a request whose signature was looked at."""
        service = self.services.get(caller.service)
        return self.forwarded(request) if service is None else self._of(service, request, caller)

    def _of(self, service: Service, request: Request, caller: Signed) -> Answer:
        name = operation_of(request)
        handler = service.handlers.get(name)
        try:
            if caller.problem is not None:
                raise service.words.stranger(caller.problem)
            if handler is None:
                return self.forwarded(request)
            answered = service.carry_out(_read(request, caller.region, service), handler)
        except Refused as refused:
            return refusal_of(request, refused)
        return answer_of(request, model_of(service.boto_name).operation_model(name), answered)

    def forwarded(self, request: Request) -> Answer:
        """What moto answers."""
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
