"""What a gRPC service of Google is made of here, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryCall

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults

Handler = Callable[[Any], "Message"]


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a service.

    :param handler: gets the request and gives the answer, both as plain protobuf messages.
    :param call: which planted faults it meets; none for ``None``.
    """

    handler: Handler
    call: DeliveryCall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service.

    :param transport: the client library's gRPC transport.
    :param methods: by the names of the transport's attributes.
    :param faults: of deliveries that were planted in it; ``None`` where it has faults of its own.
    """

    transport: type[Any]
    methods: Mapping[str, Method]
    faults: SeededDeliveryFaults | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One method as it goes over the wire.

    :param request: the class of its requests.
    :param checked: reads an answer as the client does.
    """

    path: str
    request: type[Any]
    checked: Callable[[bytes], Any]
    method: Method
    faults: SeededDeliveryFaults | None


class AnswerLostError(Exception):
    """The connection is to end without an answer."""


class Refused(Exception):  # noqa: N818 - what is answered, and no error of the server's
    """An answer that is an error, as Google's APIs give it (https://google.aip.dev/193).

    :param details: messages that go with it.
    """

    def __init__(self, code: grpc.StatusCode, text: str, *details: Message) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.details = details

    @property
    def status(self) -> grpc.Status:
        """As it is answered."""
        packed = []
        for detail in self.details:
            one = Packed()
            one.Pack(detail)
            packed.append(one)
        told = Status(code=self.code.value[0], message=self.text, details=packed)
        found: grpc.Status = rpc_status.to_status(told)
        return found


def invalid(text: str, *details: Message) -> Refused:
    """The refusal of a request that is wrong in itself."""
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, text, *details)


#: Kind of a fault → code, the reason in ``google.rpc.ErrorInfo``, text; after
#: https://cloud.google.com/docs/quotas/troubleshoot and ``google.api.ErrorReason``.
_FAULTS: Mapping[ErrorKind, tuple[grpc.StatusCode, str, str]] = {
    ErrorKind.THROTTLED: (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "RATE_LIMIT_EXCEEDED",
        "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'.",
    ),
    ErrorKind.QUOTA: (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "RESOURCE_QUOTA_EXCEEDED",
        "There is not enough allocated quota for the resource.",
    ),
    ErrorKind.PERMISSION_DENIED: (
        grpc.StatusCode.PERMISSION_DENIED,
        "IAM_PERMISSION_DENIED",
        "The caller does not have permission.",
    ),
    ErrorKind.UNAUTHENTICATED: (
        grpc.StatusCode.UNAUTHENTICATED,
        "ACCESS_TOKEN_EXPIRED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
        "cookie or other valid authentication credential.",
    ),
    ErrorKind.UNAVAILABLE: (
        grpc.StatusCode.UNAVAILABLE,
        "",
        "The service is currently unavailable.",
    ),
}


def planted(kind: ErrorKind) -> Refused:
    """A planted fault in Google's words."""
    code, reason, text = _FAULTS[kind]
    info = [ErrorInfo(reason=reason, domain="googleapis.com")] if reason else []
    return Refused(code, text, *info)


def routes(service: Service) -> Iterator[Route]:
    """The methods of a service as its transport has them."""
    channel = _Recording()
    transport = service.transport(channel=channel)
    for name, method in service.methods.items():
        path, serialize, checked = channel.call_of(getattr(transport, name))
        # The client library writes a request by its class's own method.
        request: Any = serialize.__self__
        yield Route(path, request.pb(), checked, method, service.faults)


class _Recorded(Exception):  # noqa: N818 - no error
    """What a call was made with is known now."""


class _Recording(grpc.Channel):  # type: ignore[misc] # grpc has no types
    """A channel that leads nowhere and tells which method would have been called, and how."""

    def __init__(self) -> None:
        self._told: list[tuple[str, Any, Any]] = []

    def call_of(self, stub: Callable[[object], object]) -> tuple[str, Any, Any]:
        try:
            stub(None)
        except _Recorded:
            return self._told.pop()
        raise TypeError(f"{stub}: expected a method that asks once and is answered once")

    def unary_unary(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        _registered_method: bool | None = False,
    ) -> Any:
        self._told.append((method, request_serializer, response_deserializer))
        return _NeverAsked()

    def _not_here(self, *_args: object, **_options: object) -> Any:
        raise NotImplementedError

    subscribe = unsubscribe = _not_here

    def stream_stream(self, *_args: object, **_options: object) -> Any:
        """A stub that a transport makes before anybody asks for it; none is served here."""
        return _NeverAsked()

    unary_stream = stream_unary = stream_stream

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_args: object) -> None:
        return None


class _NeverAsked(grpc.UnaryUnaryMultiCallable):  # type: ignore[misc] # grpc has no types
    def __call__(self, *_args: object, **_options: object) -> Any:
        raise _Recorded

    with_call = future = __call__


def said(messages: Sequence[tuple[str, str | bytes]]) -> dict[str, str]:
    """A call's metadata that is text."""
    return {name: value for name, value in messages if isinstance(value, str)}
