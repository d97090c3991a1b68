"""gRPC on a connection's credentials, for the services whose clients speak nothing else.

A client is made on such a channel, once in a session::

    transport = MetricServiceGrpcTransport(channel=open_channel(session, "monitoring", HOST))
    client = MetricServiceClient(transport=transport)

Its exceptions are google-api-core's, and google-auth's for credentials: what
:func:`airflow_multicloud.clouds.gcp.errors.translated` knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import grpc
import requests

from airflow_multicloud.adapters.plain_http import check_plain_http, goes_past_proxies
from airflow_multicloud.clouds.gcp import NAME

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.bearer import Bearer
    from airflow_multicloud.clouds.gcp.session import Session

#: Neither a page of a list nor a request is cut off by the client, as in Google's own channels.
_OPTIONS = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
_NO_PROXY = (("grpc.enable_http_proxy", 0),)


def open_channel(session: Session, service: str, host: str) -> grpc.Channel:
    """A channel to a service; nothing is sent yet.

    :param service: what the extra's name begins with: ``monitoring`` for ``monitoring.endpoint``.
    :param host: Google's own place.
    :raises CredentialsError: as :attr:`.Session.granted`; or when a token would go over plain http.
    """
    bearer = session.bearer
    endpoint = session.endpoint_of(service) or f"https://{host}"
    if not bearer.anonymous:
        check_plain_http(endpoint, "Google's access token", cloud=NAME)
    return grpc.intercept_channel(_channel(endpoint), _Authenticating(bearer))


def _channel(endpoint: str) -> grpc.Channel:
    parts = urlsplit(endpoint)
    if parts.scheme == "http":
        options = (*_OPTIONS, *(_NO_PROXY if goes_past_proxies(endpoint) else ()))
        return grpc.insecure_channel(f"{parts.hostname}:{parts.port or 80}", options=options)
    credentials = grpc.ssl_channel_credentials(root_certificates=_authorities(endpoint))
    return grpc.secure_channel(
        f"{parts.hostname}:{parts.port or 443}", credentials, options=_OPTIONS
    )


def _authorities(endpoint: str) -> bytes | None:
    """The certificates that requests trusts by its variables; ``None`` for gRPC's own."""
    settings = requests.Session().merge_environment_settings(endpoint, {}, None, None, None)
    verify = settings["verify"]
    if not isinstance(verify, str) or Path(verify).is_dir():
        return None
    return Path(verify).read_bytes()


@dataclass(frozen=True, slots=True)
class _CallDetails(grpc.ClientCallDetails):  # type: ignore[misc] # grpc has no types
    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


class _Authenticating(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc] # grpc has no types
    """Adds the token to each call."""

    def __init__(self, bearer: Bearer) -> None:
        self._bearer = bearer

    def intercept_unary_unary(
        self, continuation: Callable[[Any, Any], Any], client_call_details: Any, request: Any
    ) -> Any:
        """The call, authenticated."""
        details = client_call_details
        told = _CallDetails(
            details.method,
            details.timeout,
            [*(details.metadata or ()), *self._bearer.headers().items()],
            details.credentials,
            details.wait_for_ready,
            details.compression,
        )
        return continuation(told, request)
