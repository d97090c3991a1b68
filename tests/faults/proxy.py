"""A proxy on loopback between a client and one server, which breaks what it is told to.

HTTP/1.1 only, bodies are held in memory. Requests that no rule names pass unchanged (but for
the ``Host`` header, where asked: S3 signs it, fake-gcs-server routes by it), and every one is
counted, so that a test can prove what was sent.
"""

from __future__ import annotations

import http.client
import json
import re
import select
import socket
import socketserver
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = "127.0.0.1"
_HEAD_SHOWN = 4096


class Fault(StrEnum):
    """What can be done to a request or its answer."""

    RESET_REQUEST = "reset in the request's body"
    """RST after half of the request; the server never hears of it."""
    RESET_ANSWER = "reset in the answer's body"
    """The server does what was asked; RST in the middle of its answer."""
    STALL = "stall"
    """Nothing happens until the client gives up; the server never hears of it."""
    TRUNCATED_REQUEST = "truncated request"
    """The server gets half of the body and the end of the stream."""
    TRUNCATED_ANSWER = "truncated answer"
    """Half of the body under the whole one's length, then the end of the stream."""
    FLIPPED_REQUEST = "flipped bit in the request"
    FLIPPED_ANSWER = "flipped bit in the answer"
    ANSWER = "an answer of the proxy's own"
    """``Rule.answer``; the server never hears of the request."""
    OTHER_HEADERS = "other headers in the answer"
    """``Rule.headers`` in place of the server's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which requests meet which fault.

    :param method: a regular expression for the whole method.
    :param target: a regular expression searched in path and query, percent-decoded.
    :param body: searched in the first 4 KiB of the body.
    :param first: the first matching request that meets the fault, from 1.
    :param times: how many do; ``None``: all from then on.
    """

    fault: Fault
    method: str = ".*"
    target: str = ""
    body: bytes = b""
    first: int = 1
    times: int | None = 1
    answer: Answer | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def matches(self, seen: Seen) -> bool:
        return (
            re.fullmatch(self.method, seen.method) is not None
            and re.search(self.target, unquote(seen.target)) is not None
            and re.search(self.body, seen.head) is not None
        )


@dataclass(slots=True)
class Seen:
    """One request: ``sent`` says that the server got all of it, unchanged.

    :param named: the names of its headers, in lower case.
    """

    method: str
    target: str
    size: int
    head: bytes
    named: frozenset[str] = frozenset()
    status: int | None = None
    sent: bool = False
    fault: Fault | None = None


@dataclass(slots=True)
class _Request:
    line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class FaultProxy:
    """The proxy, as a context manager; ``port`` is where it listens.

    :param upstream: the server's port.
    :param rewrite_host: give the server its own address as ``Host``.
    """

    def __init__(self, upstream: int, *, rewrite_host: bool = False) -> None:
        self.upstream = upstream
        self.rewrite_host = rewrite_host
        self._changed = threading.Condition()
        self._rules: list[Rule] = []
        self._matched: Counter[int] = Counter()
        self._seen: list[Seen] = []
        self._reset = threading.Event()
        proxy = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                proxy._serve(self.connection, self.rfile)  # type: ignore[arg-type]

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True
            request_queue_size = 128

        self._server = Server((LOOPBACK, 0), Connection)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._reset.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, *rules: Rule) -> None:
        """Put rules in force; the first that matches and is due decides."""
        with self._changed:
            self._rules.extend(rules)

    def reset(self) -> None:
        """Forget rules and counts."""
        with self._changed:
            self._reset.set()
            self._reset = threading.Event()
            self._rules.clear()
            self._matched.clear()
            self._seen.clear()

    def seen(self, method: str = ".*", target: str = "", body: bytes = b"") -> list[Seen]:
        """The requests so far that match; see :class:`Rule`."""
        rule = Rule(fault=Fault.STALL, method=method, target=target, body=body)
        with self._changed:
            return [seen for seen in self._seen if rule.matches(seen)]

    def applied(self) -> int:
        """How many requests met a fault."""
        with self._changed:
            return sum(seen.fault is not None for seen in self._seen)

    def wait_for(
        self, count: int, method: str = ".*", target: str = "", body: bytes = b"", *, timeout: float
    ) -> None:
        """Wait until the server has answered so many matching requests."""
        rule = Rule(fault=Fault.STALL, method=method, target=target, body=body)
        with self._changed:
            if not self._changed.wait_for(
                lambda: sum(s.status is not None and rule.matches(s) for s in self._seen) >= count,
                timeout,
            ):
                raise TimeoutError(f"fewer than {count} requests {method} {target} in {timeout} s")

    def wait_until_applied(self, count: int, *, timeout: float) -> None:
        """Wait until so many requests have met a fault."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: sum(s.fault is not None for s in self._seen) >= count, timeout
            ):
                raise TimeoutError(f"fewer than {count} requests met a fault in {timeout} s")

    def _serve(self, client: socket.socket, stream: BinaryIO) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while self._exchange(client, stream):
                pass
        except OSError:
            return  # The client has gone, as clients do when they give up or are killed.

    def _exchange(self, client: socket.socket, stream: BinaryIO) -> bool:
        """One request and its answer; whether the connection may be used for another."""
        head = _read_head(stream)
        if head is None:
            return False
        line, headers = head
        length = int(_header(headers, b"content-length") or 0)
        if (_header(headers, b"expect") or b"").lower() == b"100-continue":
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            headers = [h for h in headers if h[0].lower() != b"expect"]
        chunked = (_header(headers, b"transfer-encoding") or b"").lower() == b"chunked"
        # Only a part of the body is known when the fault is chosen: enough to recognise it.
        start = stream.read(min(length, _HEAD_SHOWN)) if not chunked else b""
        method, target, _ = line.decode().split(" ", 2)
        named = frozenset(name.decode().lower() for name, _ in headers)
        seen = Seen(method, target, length, start, named)
        rule = self._choose(seen)
        fault = seen.fault
        if fault is Fault.RESET_REQUEST:
            stream.read(max(length // 2 - len(start), 0))
            _reset(client)
            return False
        body = start + (_read_chunks(stream) if chunked else stream.read(length - len(start)))
        if not chunked and len(body) < length:
            return False  # The client went away in the middle.
        if fault is Fault.STALL:
            self._await_hang_up(client)
            return False
        if fault is Fault.ANSWER and rule is not None and rule.answer is not None:
            given = rule.answer
            self._note(seen, given.status)
            client.sendall(_answer(seen, given.status, "", [*given.headers.items()], given.body))
            return True
        if fault is Fault.FLIPPED_REQUEST:
            body = _flipped(body)
        return self._forward(client, _Request(line, headers, body), seen, rule)

    def _forward(
        self, client: socket.socket, request: _Request, seen: Seen, rule: Rule | None
    ) -> bool:
        fault = seen.fault
        with socket.create_connection((LOOPBACK, self.upstream)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.sendall(self._head_for_server(request))
            if fault is Fault.TRUNCATED_REQUEST:
                server.sendall(request.body[: len(request.body) // 2])
                server.shutdown(socket.SHUT_WR)
                return False
            server.sendall(request.body)
            answer = http.client.HTTPResponse(server, method=seen.method)
            answer.begin()
            content = answer.read()
            headers: Message = answer.msg
        seen.sent = fault is None
        self._note(seen, answer.status)
        kept = [
            (name, value)
            for name, value in headers.items()
            if name.lower() not in ("transfer-encoding", "connection", "keep-alive")
        ]
        if fault is Fault.OTHER_HEADERS and rule is not None:
            others = {name.lower() for name in rule.headers}
            kept = [h for h in kept if h[0].lower() not in others] + list(rule.headers.items())
        if fault is Fault.FLIPPED_ANSWER:
            content = _flipped(content)
        whole = _answer(seen, answer.status, answer.reason, kept, content)
        if fault is Fault.RESET_ANSWER:
            client.sendall(whole[: len(whole) - max(len(content), len(whole)) // 2])
            _reset(client)
            return False
        if fault is Fault.TRUNCATED_ANSWER:
            client.sendall(whole[: len(whole) - (len(content) // 2 or 2)])
            return False
        client.sendall(whole)
        return True

    def _choose(self, seen: Seen) -> Rule | None:
        with self._changed:
            self._seen.append(seen)
            for number, rule in enumerate(self._rules):
                if not rule.matches(seen):
                    continue
                self._matched[number] += 1
                nth = self._matched[number]
                if nth >= rule.first and (rule.times is None or nth < rule.first + rule.times):
                    seen.fault = rule.fault
                    self._changed.notify_all()
                    return rule
        return None

    def _note(self, seen: Seen, status: int) -> None:
        with self._changed:
            seen.status = status
            self._changed.notify_all()

    def _await_hang_up(self, client: socket.socket) -> None:
        while not self._reset.is_set():
            readable, _, _ = select.select([client], [], [], 0.1)
            if readable and not client.recv(1, socket.MSG_PEEK):
                return

    def _head_for_server(self, request: _Request) -> bytes:
        lines = [request.line]
        for name, value in request.headers:
            lower = name.lower()
            if lower in (b"connection", b"transfer-encoding", b"content-length"):
                continue
            if lower == b"host" and self.rewrite_host:
                value = f"{LOOPBACK}:{self.upstream}".encode()  # noqa: PLW2901  # replaced on purpose
            lines.append(name + b": " + value)
        if request.body or _header(request.headers, b"content-length") is not None:
            lines.append(b"Content-Length: %d" % len(request.body))
        lines.append(b"Connection: close")
        return b"\r\n".join([*lines, b"", b""])


def proxied_connection(
    connection: Mapping[str, Any], port: int, extra: Mapping[str, Any] | None = None
) -> str:
    """A connection of the local clouds through a proxy, as Airflow reads it.

    :param port: the proxy's.
    :param extra: what its extra has besides.
    """
    text = json.dumps(connection["extra"])
    endpoint = next(word for word in text.replace(";", '"').split('"') if "http://" in word)
    server = urlsplit(endpoint[endpoint.index("http://") :]).port
    there = json.loads(text.replace(f":{server}", f":{port}"))
    return json.dumps({**connection, "extra": {**there, **(extra or {})}})


def _read_head(stream: BinaryIO) -> tuple[bytes, list[tuple[bytes, bytes]]] | None:
    line = stream.readline().rstrip(b"\r\n")
    if not line:
        return None
    headers = []
    while header := stream.readline().rstrip(b"\r\n"):
        name, _, value = header.partition(b":")
        headers.append((name, value.strip()))
    return line, headers


def _read_chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while stream.readline().rstrip(b"\r\n"):
        pass  # trailers
    return bytes(body)


def _header(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    return next((value for given, value in headers if given.lower() == name), None)


def _flipped(body: bytes) -> bytes:
    """One bit changed in the middle."""
    if not body:
        return body
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def _answer(
    seen: Seen, status: int, reason: str, headers: list[tuple[str, str]], body: bytes
) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason or http.client.responses.get(status, '')}"]
    bodiless = seen.method == "HEAD" or status in (204, 304)
    lines += [
        f"{name}: {value}"
        for name, value in headers
        if bodiless or name.lower() != "content-length"
    ]
    if not bodiless:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if bodiless else body)


def _reset(client: socket.socket) -> None:
    """Close with RST instead of FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
