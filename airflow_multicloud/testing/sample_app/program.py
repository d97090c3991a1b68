#!/usr/bin/env python3
"""The sample application itself, packed as ``run``; only the standard library."""

import json
import os
import socketserver
import sys
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar


class _Answers(BaseHTTPRequestHandler):
    behaviour = "healthy"
    pages: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        """Answer what this application is asked."""
        status = HTTPStatus.OK if self.path in self.pages else HTTPStatus.NOT_FOUND
        if self.behaviour == "answers_500":
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        body = (self.pages[self.path] if status is HTTPStatus.OK else status.phrase).encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Health checks come often: the console is not for them."""


# Not http.server's: that one asks the resolver for the name of its address.
class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main() -> None:
    """Serve."""
    settings = json.loads(Path(__file__).with_name("settings.json").read_text("utf-8"))
    address, port = os.environ["MULTICLOUD_ADDRESS"], int(os.environ["PORT"])
    revision = os.environ["MULTICLOUD_REVISION"]
    behaviour = settings["behaviour"] if address.startswith(settings["where"]) else "healthy"
    if behaviour == "exits":
        sys.exit("the sample application ends at once, as it was told to")
    if behaviour == "wrong_revision":
        revision = "another-revision"
    time.sleep(settings["starts_after"])
    _Answers.behaviour = behaviour
    _Answers.pages = {"/": revision, "/health": "ok"}
    with _Server((address, port), _Answers) as server:
        sys.stdout.write(f"serves revision {revision} on {address}:{port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
