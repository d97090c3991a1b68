"""What the dialects have in common: dates, ranges, conditions, the sink's own requests."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

from tests.benchmarks.sink.http import Request, Response, Server, Wait
from tests.benchmarks.sink.store import Store, Stored

XML = "application/xml"
_STANDARD = (
    "content-type", "content-encoding", "content-language", "content-disposition", "cache-control",
)  # fmt: skip


@lru_cache(maxsize=4096)
def http_date(at: int) -> str:
    """As headers have it."""
    return formatdate(at, usegmt=True)


@lru_cache(maxsize=4096)
def iso_date(at: int) -> str:
    """As listings have it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def xml(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An XML answer."""
    return Response.text(f'<?xml version="1.0" encoding="UTF-8"?>{body}', XML, status, headers)


def document(body: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response.text(json.dumps(body), "application/json", status)


def attributes_in(headers: dict[str, str], prefix: str = "") -> dict[str, str]:
    """The standard attributes among a write's headers, given with or without a prefix."""
    named = {name: headers.get(prefix + name) for name in _STANDARD}
    encoding = named["content-encoding"]
    if encoding is not None:
        named["content-encoding"] = encoding.replace("aws-chunked", "").strip(", ") or None
    return {name: value for name, value in named.items() if value}


def metadata_in(headers: dict[str, str], prefix: str) -> dict[str, str]:
    """User metadata among a write's headers."""
    return {n[len(prefix) :]: v for n, v in headers.items() if n.startswith(prefix)}


def etag_refused(headers: dict[str, str], found: Stored | None) -> bool:
    """Whether ``If-Match`` or ``If-None-Match`` forbids the request."""
    wanted, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if wanted is not None and (found is None or wanted.strip('"') not in ("*", found.etag)):
        return True
    return unwanted is not None and found is not None and unwanted.strip('"') in ("*", found.etag)


def content(request: Request, found: Stored, headers: dict[str, str]) -> Response:
    """An object or a range of it."""
    span = request.span(found.size)
    if span is None:
        return xml("<Error><Code>InvalidRange</Code></Error>", 416)
    start, end = span
    status = 206 if request.ranged else 200
    if status == 206:
        headers["content-range"] = f"bytes {start}-{end - 1}/{found.size}"
    body = () if request.method == "HEAD" else found.slices(start, end)
    return Response(status, headers, body, end - start)


class Control:
    """The harness's own requests, under ``/_sink/``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.server: Server | None = None

    def handle(self, request: Request) -> Generator[Wait, None, Response]:
        """Serve one."""
        yield from request.receive(lambda _: None)
        bucket = request.query.get("bucket", "")
        match request.method, request.path:
            case "GET", "/_sink/usage":
                server = self.server
                assert server is not None
                return document(
                    {
                        "cpu": time.process_time(),
                        "requests": server.requests,
                        "received": server.received,
                        "sent": server.sent,
                    }
                )
            case "GET", "/_sink/writes":
                assert self.server is not None
                return document([asdict(write) for write in self.server.writes or ()])
            case "GET", "/_sink/objects":
                objects = self._store.buckets.get(bucket, {}).values()
                return document({o.key: [o.size, f"{o.crc32c:08x}"] for o in objects})
            case "DELETE", "/_sink/objects":
                self._store.clear(bucket)
                return document({})
            case "PUT", "/_sink/latency":
                assert self.server is not None
                self.server.latency = float(request.query["seconds"])
                return document({})
        return document({"error": request.path}, 404)
