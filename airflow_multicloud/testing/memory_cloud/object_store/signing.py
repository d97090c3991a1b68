"""Signed URLs of the in-memory cloud: a server on loopback that asks for no credentials."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, WriteOptions
from airflow_multicloud.testing.memory_cloud.object_store.space import space

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import ObjectRef

_KEY = secrets.token_bytes(32)


def signed_url(conn_id: str, ref: ObjectRef, *, method: str, expires: float) -> str:
    """A URL for ``method`` on the object until ``expires`` (seconds since the epoch)."""
    query = {
        "conn_id": conn_id,
        "bucket": ref.bucket,
        "key": ref.key,
        "version": ref.version or "",
        "method": method,
        "expires": repr(expires),
    }
    host, port = _server().server_address[:2]
    signed = urlencode({**query, "signature": _signature(query)})
    return f"http://{host!s}:{port}/?{signed}"


def _signature(query: dict[str, str]) -> str:
    return hmac.new(_KEY, urlencode(sorted(query.items())).encode(), hashlib.sha256).hexdigest()


@cache
def _server() -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SignedRequests)
    threading.Thread(target=server.serve_forever, name="memory-cloud", daemon=True).start()
    return server


class _SignedRequests(BaseHTTPRequestHandler):
    """Serves requests that a signed URL allows, and no others."""

    def do_GET(self) -> None:
        query = self._allowed()
        if query is None:
            return
        try:
            version = query["version"] or None
            stored = space(query["conn_id"]).find(query["bucket"], query["key"], version)
        except CloudError:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        self._answer(HTTPStatus.OK, stored.content)

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        query = self._allowed()
        if query is None:
            return
        attributes = ObjectAttributes(content_type=self.headers.get("Content-Type"))
        digests: Digests = digests_of(content)
        try:
            space(query["conn_id"]).write(
                query["bucket"], query["key"], content, WriteOptions(attributes=attributes), digests
            )
        except CloudError:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        self._answer(HTTPStatus.OK)

    def _allowed(self) -> dict[str, str] | None:
        parsed = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        query = {name: values[0] for name, values in parsed.items()}
        given = query.pop("signature", "")
        if (
            hmac.compare_digest(_signature(query), given)
            and query["method"] == self.command
            and time.time() < float(query["expires"])
        ):
            return query
        self._answer(HTTPStatus.FORBIDDEN)
        return None

    def _answer(self, status: HTTPStatus, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: a request line holds a signature."""
