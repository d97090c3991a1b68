"""One HTTP server on loopback for every simulated service, on werkzeug.

A service is a function from a request to an :class:`Answer`. Fixed paths are routed by
:class:`Routes`; the vendors' own paths are matched by what describes them (see ``aws``, ``gcp``
and ``azure`` beside this package).
"""

from __future__ import annotations

import json
import ssl
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server

from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIEnvironment

    from airflow_multicloud.testing.local_clouds.kit.certificates import Certificates

_JSON = "application/json; charset=utf-8"
_HEADERS = "airflow_multicloud.headers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent back, as JSON, but for bytes; ``None`` is no body."""

    status: int = HTTPStatus.OK
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer on the wire."""
        if isinstance(self.body, bytes):
            return Response(self.body, self.status, dict(self.headers))
        text = b"" if self.body is None else encoded(self.body)
        found = Response(text, self.status, content_type=_JSON)
        if not text:
            del found.headers["content-type"]
        found.headers.update(self.headers)
        return found


Respond = Callable[[Request], Answer]


class Routes:
    """What answers which fixed path.

    :param handlers: method, path (a rule of werkzeug), and what answers it.
    """

    def __init__(self, handlers: Iterable[tuple[str, str, Respond]]) -> None:
        self._map = Map([Rule(path, methods=[m], endpoint=h) for m, path, h in handlers])

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request; ``None`` where no rule fits it."""
        try:
            handler, _ = self._map.bind_to_environ(request.environ).match()
        except HTTPException:
            return None
        answer: Answer = handler(request)
        return answer

    def __call__(self, request: Request) -> Answer:
        """The answer to a request, 404 where no rule fits it."""
        return self.answer(request) or Answer(status=HTTPStatus.NOT_FOUND)


class HttpServer:
    """Serves one function on loopback, each connection in a thread of its own.

    A context manager serves in a thread of this process.

    :param respond: answers each request; what it raises is answered with 500.
    :param port: a free one by default.
    :param certificates: for TLS; without them it is plain HTTP.
    """

    def __init__(
        self, respond: Respond, *, port: int = 0, certificates: Certificates | None = None
    ) -> None:
        self._respond = respond
        self._server = make_server(
            LOOPBACK, port, self._serve, threaded=True, request_handler=_QuietHandler
        )
        if certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.certificate, certificates.key)
            # Not make_server's own wrapping: it would shake hands in the one thread that accepts
            # connections. So the handshake is left to the connection's own thread.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self._server.ssl_context = context

    @property
    def endpoint(self) -> str:
        """The base URL, without a trailing slash."""
        scheme = "http" if self._server.ssl_context is None else "https"
        return f"{scheme}://{LOOPBACK}:{self._server.server_port}"

    def serve_forever(self) -> None:
        """Serve until the process ends."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.get_data()  # Closing a connection with an unread body resets it.
        try:
            response = self._respond(request).response()
        except ConnectionAbortedError:
            raise  # the answer is to be lost: werkzeug ends the connection
        except Exception:  # noqa: BLE001 - a mistake here must reach the client as an answer
            traceback.print_exc()
            error = {"code": "InternalServerError", "message": traceback.format_exc(limit=-1)}
            body = {"error": error}
            response = Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR, body=body).response()
        return response(environ, start_response)


class _QuietHandler(WSGIRequestHandler):
    def make_environ(self) -> WSGIEnvironment:
        """What the request is, with :func:`headers_of` it."""
        return {**super().make_environ(), _HEADERS: self.headers.items()}

    def connection_dropped(
        self,
        error: BaseException,  # noqa: ARG002 - inherited
        environ: WSGIEnvironment | None = None,  # noqa: ARG002 - inherited
    ) -> None:
        """End the connection, also where an answer is lost on purpose and the client waits."""
        self.close_connection = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - inherited
        """Nothing: who wants to know what was asked logs it in ``respond``."""


def target_of(request: Request) -> str:
    """Path and query as they were sent, nothing decoded."""
    target: str = request.environ["REQUEST_URI"]
    return target


def headers_of(request: Request) -> dict[str, str]:
    """All headers, their names in lower case; WSGI has none of those with an underscore."""
    return {name.lower(): value for name, value in request.environ[_HEADERS]}


def encoded(value: object) -> bytes:
    """As JSON; decimal numbers leave as JSON's numbers, as the vendors send them."""
    return json.dumps(value, default=_plain).encode()


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
