"""Simulated services behind one port of this machine."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, Self

from airflow_multicloud.testing.local_clouds.google_rest.strict import Refusal
from airflow_multicloud.testing.local_clouds.sockets import LOOPBACK

if TYPE_CHECKING:
    from types import TracebackType


class Answers(Protocol):
    """What a server is made of: a service, or what else answers on its port."""

    def answer(self, verb: str, target: str, body: bytes, /) -> Any | None:
        """As :meth:`.Service.answer`."""
        ...


class GoogleRestServer:
    """Serves in a thread of this process; a context manager.

    :param services: whose paths don't overlap.
    :param port: a free one by default.
    """

    def __init__(self, *services: Answers, port: int = 0) -> None:
        self._server = _Server(services, port)

    @property
    def endpoint(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    @property
    def requests(self) -> list[str]:
        """What was asked so far: ``GET /v1/services?pageSize=1``."""
        return list(self._server.requests)

    def __enter__(self) -> Self:
        """Serve."""
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, services: tuple[Answers, ...], port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.services = services
        self.requests: list[str] = []

    def answer(self, verb: str, target: str, body: bytes) -> Any:
        for service in self.services:
            if (found := service.answer(verb, target, body)) is not None:
                return found
        raise Refusal(HTTPStatus.NOT_FOUND, f"The requested URL {target} was not found.")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.requests.append(f"{self.command} {self.path}")
        try:
            status, found = HTTPStatus.OK, self.server.answer(self.command, self.path, body)
        except Refusal as refusal:
            status, found = refusal.status, refusal.body()
        text = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the base's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
        """Be quiet; :attr:`GoogleRestServer.requests` has what was asked."""
