"""A gRPC server on loopback for some of Google's services."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import grpc

from airflow_multicloud.testing.delivery_faults import DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.gcp.grpc.relay import Relay
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import (
    AnswerLostError,
    Refused,
    Route,
    Service,
    planted,
    routes,
    said,
)
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from airflow_multicloud.testing.local_clouds.kit.state import State

_THREADS = 16

#: Says nothing, or raises :class:`~.services.Refused`: given a call's metadata.
CheckCaller = Callable[[Mapping[str, str]], None]


class GrpcServer:
    """Serves services on one port, as a context manager.

    :param port: that clients connect to, without TLS.
    :param check: who calls.
    :param state: where calls are noted.
    """

    def __init__(
        self, services: Sequence[Service], *, port: int, check: CheckCaller, state: State
    ) -> None:
        self._check = check
        self._state = state
        self._port = port
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS),
            handlers=[_Routes([r for service in services for r in routes(service)], self._serve)],
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)],
        )
        self._relay: Relay | None = None

    def __enter__(self) -> Self:
        """Serve."""
        behind = self._server.add_insecure_port(f"{LOOPBACK}:0")
        self._server.start()
        self._relay = Relay(port=self._port, behind=behind)
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop."""
        if self._relay is not None:
            self._relay.close()
        self._server.stop(grace=None)

    def _serve(self, route: Route, request: Message, context: Any) -> bytes:
        metadata = said(context.invocation_metadata())
        body = b""
        refusal: Refused | None = None
        try:
            self._check(metadata)
            body = self._answer(route, request)
        except Refused as err:
            refusal = err
        except AnswerLostError:
            if self._relay is not None:
                self._relay.cut(context.peer())
            refusal = Refused(grpc.StatusCode.UNAVAILABLE, "nobody hears this")
        except Exception:  # noqa: BLE001 - a mistake here must reach the client as an answer
            traceback.print_exc()
            refusal = Refused(grpc.StatusCode.INTERNAL, traceback.format_exc(limit=-1))
        status = HTTPStatus.OK if refusal is None else _STATUSES.get(refusal.code, _BROKEN)
        self._state.note(method="POST", path=route.path, headers=metadata, status=status)
        if refusal is not None:
            context.abort_with_status(refusal.status)
        return body

    def _answer(self, route: Route, request: Message) -> bytes:
        call, faults = route.method.call, route.faults
        fault = None if call is None or faults is None else faults.meet(call)
        met = None if fault is None else fault.kind
        if fault is not None and met is DeliveryFaultKind.REFUSE:
            raise planted(fault.error)
        if met is DeliveryFaultKind.LOSE_REQUEST:
            raise AnswerLostError
        try:
            body = route.method.handler(request).SerializeToString()
        finally:
            if met is DeliveryFaultKind.LOSE_ANSWER:
                raise AnswerLostError
        route.checked(body)
        return body


class _Routes(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc has no types
    """Which handler answers which path."""

    def __init__(
        self, served: Sequence[Route], serve: Callable[[Route, Message, Any], bytes]
    ) -> None:
        self._handlers = {
            route.path: grpc.unary_unary_rpc_method_handler(
                lambda request, context, route=route: serve(route, request, context),
                request_deserializer=route.request.FromString,
            )
            for route in served
        }

    def service(self, handler_call_details: Any) -> Any:
        """The handler of a path; none makes it unimplemented."""
        return self._handlers.get(handler_call_details.method)


_BROKEN = HTTPStatus.INTERNAL_SERVER_ERROR
#: What a log of requests calls them; ``google.rpc.Code`` says which is which.
_STATUSES = {
    grpc.StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    grpc.StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    grpc.StatusCode.ABORTED: HTTPStatus.CONFLICT,
    grpc.StatusCode.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
