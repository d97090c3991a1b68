"""HTTP/1.1 without threads: every connection is a generator that says what it waits for."""

from __future__ import annotations

import heapq
import os
import select
import socket
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

#: Bytes to send: themselves, or (file descriptor, offset, count).
Slice = bytes | tuple[int, int, int]
#: A step of a connection: an epoll mask to wait for, or seconds to wait.
Wait = int | float
Feed = Callable[[bytes], None]

_READ: Final = select.EPOLLIN
_WRITE: Final = select.EPOLLOUT
#: One receive: it fits the second-level cache, where the checksum then finds it.
_CHUNK: Final = 256 << 10
_HEAD_LIMIT: Final = 64 << 10
_WRITING: Final = frozenset({"PUT", "POST", "DELETE"})
_REASONS: Final = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
    304: "Not Modified", 308: "Resume Incomplete", 400: "Bad Request", 404: "Not Found",
    409: "Conflict", 412: "Precondition Failed", 416: "Range Not Satisfiable",
    500: "Internal Server Error", 501: "Not Implemented",
}  # fmt: skip


@dataclass(slots=True)
class Response:
    """An answer; its body is what the slices say."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[Slice] = ()
    length: int | None = None

    @classmethod
    def text(
        cls,
        body: str,
        content_type: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A small body."""
        data = body.encode()
        return cls(status, {"content-type": content_type, **(headers or {})}, (data,), len(data))


@dataclass(slots=True)
class Request:
    """A request whose body is still to be received; ``path`` is still encoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    connection: Connection
    received: bool = False
    #: A key that its body names.
    named: str | None = None

    @property
    def length(self) -> int | None:
        """The body's bytes, where the request tells them."""
        decoded = self.headers.get("x-amz-decoded-content-length")
        if decoded is None and "chunked" in self.headers.get("transfer-encoding", ""):
            return None
        return int(decoded or self.headers.get("content-length", 0))

    def receive(self, feed: Feed) -> Generator[Wait, None, None]:
        """Hand the body's bytes to ``feed`` as they arrive."""
        self.received = True
        headers = self.headers
        transfer_chunked = "chunked" in headers.get("transfer-encoding", "")
        inner = feed
        if "aws-chunked" in headers.get("content-encoding", ""):
            inner = _Chunks(feed).feed
        if transfer_chunked:
            chunks = _Chunks(inner)
            yield from self.connection.receive_until(chunks)
        else:
            yield from self.connection.receive_exactly(int(headers.get("content-length", 0)), inner)

    def read(self) -> Generator[Wait, None, bytes]:
        """The whole body."""
        data: list[bytes] = []
        yield from self.receive(data.append)
        return b"".join(data)

    def span(self, size: int) -> tuple[int, int] | None:
        """The range asked for, ``None`` when it lies outside; all of it without a range."""
        text = self.headers.get("x-ms-range") or self.headers.get("range")
        if text is None:
            return 0, size
        first, _, last = text.removeprefix("bytes=").partition("-")
        if not first:
            return max(0, size - int(last)), size
        start, end = int(first), min(int(last) + 1 if last else size, size)
        return (start, end) if start < size else None

    @property
    def ranged(self) -> bool:
        """Whether a range is asked for."""
        return "range" in self.headers or "x-ms-range" in self.headers


Handler = Callable[[Request], Generator[Wait, None, Response]]


@dataclass(slots=True)
class Write:
    """A request with a method that writes, for the journal.

    :param begun: when its head had arrived, by the system's monotonic clock.
    :param named: the key, where the path has none.
    :param ended: when it had been carried out; ``None`` for one that is cut off or under way.
    """

    method: str
    path: str
    query: dict[str, str]
    begun: float
    named: str | None = None
    ended: float | None = None
    status: int | None = None


class _Chunks:
    """The chunked coding, of HTTP itself and of ``aws-chunked``, piece by piece."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._line = b""
        self._left = 0
        self._skip = 0
        self._last = False
        self.done = False

    def feed(self, data: bytes) -> None:
        while data and not self.done:
            if self._left:
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                self._feed(piece)
                self._skip = 2 if not self._left else 0
            elif self._skip:
                dropped = min(self._skip, len(data))
                self._skip -= dropped
                data = data[dropped:]
            else:
                line, end, data = data.partition(b"\n")
                self._line += line + end
                if end:
                    self._take_line(self._line.strip())
                    self._line = b""

    def _take_line(self, line: bytes) -> None:
        if self._last:
            self.done = not line
        else:
            self._left = int(line.partition(b";")[0], 16)
            self._last = self._left == 0


class Connection:
    """One client, served request by request."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self.sock = sock
        self._server = server
        self._rest = b""

    def run(self) -> Generator[Wait, None, None]:
        """Serve until the client goes."""
        while (head := (yield from self._head())) is not None:
            request = self._parse(head)
            if request.headers.get("expect", "").lower() == "100-continue":
                yield from self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
            written = self._server.note(request)
            response = yield from self._server.handler(request)
            if not request.received:
                yield from request.receive(lambda _: None)
            if written is not None:
                written.ended, written.status = time.monotonic(), response.status
                written.named = request.named
            if self._server.latency and not request.path.startswith("/_sink/"):
                yield self._server.latency
            yield from self._respond(request, response)
            self._server.requests += 1

    def receive_exactly(self, size: int, feed: Feed) -> Generator[Wait, None, None]:
        """``size`` bytes of body."""
        if self._rest and size:
            data, self._rest = self._rest[:size], self._rest[size:]
            size -= len(data)
            feed(data)
        view = self._server.buffer
        while size:
            count = yield from self._receive_into(view[: min(size, _CHUNK)])
            size -= count
            feed(bytes(view[:count]))

    def receive_until(self, chunks: _Chunks) -> Generator[Wait, None, None]:
        """Body until its coding says that it ends."""
        data, self._rest = self._rest, b""
        chunks.feed(data)
        view = self._server.buffer
        while not chunks.done:
            count = yield from self._receive_into(view)
            chunks.feed(bytes(view[:count]))

    def _receive_into(self, view: memoryview) -> Generator[Wait, None, int]:
        while True:
            try:
                count = self.sock.recv_into(view)
            except BlockingIOError:
                yield _READ
                continue
            if not count:
                raise ConnectionResetError
            self._server.received += count
            return count

    def _head(self) -> Generator[Wait, None, bytes | None]:
        while (end := self._rest.find(b"\r\n\r\n")) < 0:
            try:
                data = self.sock.recv(_HEAD_LIMIT)
            except BlockingIOError:
                yield _READ
                continue
            if not data:
                return None
            self._server.received += len(data)
            self._rest += data
        head, self._rest = self._rest[:end], self._rest[end + 4 :]
        return head

    def _parse(self, head: bytes) -> Request:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        pairs = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
        return Request(method, path, pairs, headers, self)

    def _respond(self, request: Request, response: Response) -> Generator[Wait, None, None]:
        headers = dict(response.headers)
        if response.status not in (204, 304):
            headers.setdefault("content-length", str(response.length or 0))
        lines = [f"HTTP/1.1 {response.status} {_REASONS[response.status]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode()
        if request.method == "HEAD":
            yield from self._send(data)
            return
        for piece in response.body:
            if isinstance(piece, bytes):
                data += piece
                continue
            yield from self._send(data, more=True)
            data = b""
            yield from self._send_file(*piece)
        if data:
            yield from self._send(data)

    def _send(self, data: bytes, *, more: bool = False) -> Generator[Wait, None, None]:
        view = memoryview(data)
        while view:
            try:
                sent = self.sock.send(view, socket.MSG_MORE if more else 0)
            except BlockingIOError:
                yield _WRITE
                continue
            self._server.sent += sent
            view = view[sent:]

    def _send_file(self, fd: int, offset: int, count: int) -> Generator[Wait, None, None]:
        while count:
            try:
                sent = os.sendfile(self.sock.fileno(), fd, offset, count)
            except BlockingIOError:
                yield _WRITE
                continue
            self._server.sent += sent
            offset += sent
            count -= sent


class Server:
    """Serves one port of loopback until it is killed.

    :param latency: seconds by which every answer is late.
    :param journal: whether every write is noted.
    """

    def __init__(
        self, handler: Handler, *, port: int, latency: float, journal: bool = False
    ) -> None:
        self.handler = handler
        self.latency = latency
        self.writes: list[Write] | None = [] if journal else None
        self.requests = self.received = self.sent = 0
        self.buffer = memoryview(bytearray(_CHUNK))
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._listener.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, _READ)
        self._running: dict[int, tuple[Connection, Generator[Wait, None, None]]] = {}
        self._masks: dict[int, int] = {}
        self._late: list[tuple[float, int]] = []

    def serve_forever(self) -> None:
        """Serve."""
        while True:
            timeout = max(0.0, self._late[0][0] - time.monotonic()) if self._late else -1
            for fd, _ in self._epoll.poll(timeout):
                if fd == self._listener.fileno():
                    self._accept()
                elif fd in self._running:
                    self._step(fd)
            while self._late and self._late[0][0] <= time.monotonic():
                _, fd = heapq.heappop(self._late)
                self._masks[fd] = _READ
                self._epoll.register(fd, _READ)
                self._step(fd)

    def note(self, request: Request) -> Write | None:
        """Put a request into the journal, if it is one that writes."""
        if self.writes is None or request.method not in _WRITING:
            return None
        noted = Write(request.method, request.path, request.query, time.monotonic())
        self.writes.append(noted)
        return noted

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                sock, _ = self._listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(sock, self)
                self._running[sock.fileno()] = connection, connection.run()
                self._masks[sock.fileno()] = _READ
                self._epoll.register(sock, _READ)

    def _step(self, fd: int) -> None:
        connection, steps = self._running[fd]
        try:
            wait = next(steps)
        except (StopIteration, ConnectionError):
            del self._running[fd], self._masks[fd]
            self._epoll.unregister(fd)
            connection.sock.close()
            return
        if not isinstance(wait, int):
            self._epoll.unregister(fd)
            heapq.heappush(self._late, (time.monotonic() + wait, fd))
        elif wait != self._masks[fd]:
            self._masks[fd] = wait
            self._epoll.modify(fd, wait)
