"""The two listeners: Azure's over TLS, and a plain one for whoever runs the server."""

from __future__ import annotations

import ssl
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from airflow_multicloud.testing.local_clouds.azure_arm.certificates import Certificates
from airflow_multicloud.testing.local_clouds.azure_arm.http import (
    Answer,
    Refusal,
    Request,
    Route,
)
from airflow_multicloud.testing.local_clouds.azure_arm.state import State
from airflow_multicloud.testing.local_clouds.azure_arm.tokens import Tokens
from airflow_multicloud.testing.local_clouds.sockets import LOOPBACK

Respond = Callable[[Request], Answer]


def listener(port: int, respond: Respond, certificates: Certificates | None = None) -> _Server:
    """A server on loopback, over TLS if it has certificates; not yet serving."""
    server = _Server((LOOPBACK, port), respond, "https" if certificates else "http")
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        # The handshake is left to the connection's own thread.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    return server


def azure(routes: Sequence[Route], tokens: Tokens, state: State) -> Respond:
    """What Azure answers: authentication first, then the route's own checks, then faults."""

    def respond(request: Request) -> Answer:
        answer = _answer(request, routes, tokens, state)
        state.log(request, answer.status)
        return answer

    return respond


def administration(state: State) -> Respond:
    """What the server's owner may do; see :class:`.admin.Admin`, which asks it."""

    def respond(request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/":
                return Answer(body={"status": "ready"})
            case "GET", "/requests":
                return Answer(body=state.asked())
            case "POST", "/seed":
                told = request.json()
                state.seed(told["service"], told["records"])
            case "POST", "/script":
                told = request.json()
                state.script(told["path"], told["answers"])
            case "POST", "/reset":
                state.reset()
            case _:
                return Answer(status=HTTPStatus.NOT_FOUND)
        return Answer(status=HTTPStatus.NO_CONTENT)

    return respond


def _answer(request: Request, routes: Sequence[Route], tokens: Tokens, state: State) -> Answer:
    try:
        route, variables = _routed(request, routes)
        if route is None or not route.public:
            tokens.check(request)
        if route is None:
            return _no_route(request).answer
        route.check(request)
        return state.scripted(request) or route.handler(replace(request, variables=variables))
    except Refusal as refusal:
        return refusal.answer


def _routed(request: Request, routes: Sequence[Route]) -> tuple[Route | None, Mapping[str, str]]:
    for route in routes:
        found = route.path.fullmatch(request.path)
        if found is not None and route.method == request.method:
            return route, found.groupdict()
    return None, {}


def _no_route(request: Request) -> Refusal:
    return Refusal(
        HTTPStatus.NOT_FOUND,
        "InvalidResourceType",
        f"The resource type could not be found for {request.method} '{request.path}'.",
    )


class _Server(ThreadingHTTPServer):
    """:param scheme: how clients reach it, for the links in answers."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], respond: Respond, scheme: str) -> None:
        super().__init__(address, _Handler)
        self.respond = respond
        self.scheme = scheme

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or doubts the certificate, is no error of the server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.casefold(): value for name, value in self.headers.items()}
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=headers,
            content=self.rfile.read(int(headers.get("content-length", 0))),
            origin=f"{self.server.scheme}://{headers.get('host', '')}",
        )
        try:
            answer = self.server.respond(request)
            content = answer.encoded()
        except Exception:  # noqa: BLE001 - a mistake here must reach the client as an answer
            traceback.print_exc()
            error = {"code": "InternalServerError", "message": traceback.format_exc(limit=-1)}
            answer = Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR, body={"error": error})
            content = answer.encoded()
        self._send(answer, content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815 - by their verbs

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        """Nothing: requests are in the state's own log."""

    def _send(self, answer: Answer, content: bytes) -> None:
        self.send_response(answer.status)
        if content:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-ms-request-id", str(uuid.uuid4()))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
