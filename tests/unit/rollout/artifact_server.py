"""A server of one artifact, which can serve it badly, and tells what it saw."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

#: In the URL's query, as a signature is.
SECRET = "a-signature-that-nobody-may-see"


@dataclass
class ArtifactServer:
    """What it does, and what it has seen.

    :param statuses: answered first, one a request; then 200.
    :param cut: bytes that it leaves out at the end, of each or (``cut_times``) the first answers.
    """

    content: bytes
    statuses: list[int] = field(default_factory=list)
    cut: int = 0
    cut_times: int = 1_000
    #: Whether it tells the length before.
    tells_length: bool = True
    #: Sent with each answer.
    headers: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    #: Command lines of all processes of this machine while an answer was given.
    commands: list[bytes] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}/a%20b/app?sig={SECRET}%2F&x='$(id)'"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        self.commands += _command_lines()
        status = self.statuses.pop(0) if self.statuses else 200
        body = self.content if status == 200 else b"<Error>no</Error>"
        handler.send_response(status)
        if self.tells_length:
            handler.send_header("content-length", str(len(body)))
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if self.cut and self.requests <= self.cut_times:
            body = body[: -self.cut]
        handler.wfile.write(body)


def handler_for(served: ArtifactServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = served.url.partition("/a")[2]
            assert self.path == f"/a{asked}"
            served.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _command_lines() -> list[bytes]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                found.append((process / "cmdline").read_bytes())
            except OSError:
                continue
    return found
