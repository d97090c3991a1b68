"""Health checks: asking an instance itself, over HTTP or TCP."""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from airflow_multicloud.core.rollout.inputs import duration, flag, refused, text, whole_number
from airflow_multicloud.text import printable, shortened

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: More of an answer's body is not read.
_MOST_BYTES = 64 * 1024
#: More than this is no answer: its head, interim answers before it, and the marks between chunks.
_MOST_RECEIVED = 4 * _MOST_BYTES
_OK = range(200, 300)
_LAST_PORT = 65535
_LONGEST_TIMEOUT = timedelta(minutes=5)
_LONGEST_COMPLAINT = 300


class Addressed(Protocol):
    """What can be asked: an instance, or what a listing has told of one."""

    @property
    def address(self) -> str | None:
        """Its private address."""

    @property
    def public_address(self) -> str | None:
        """Its public address."""


class HealthCheckKind(StrEnum):
    """How an instance is asked."""

    HTTP = "http"
    TCP = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """What an instance must answer to count as healthy.

    :param port: that it listens on.
    :param kind: HTTP: a GET that is answered with 2xx; TCP: a connection that is accepted.
    :param path: HTTP: what is asked for.
    :param expect: HTTP: a text that must stand in the first 64 KiB of the answer. ``{revision}`` in
        it stands for the revision's name.
    :param timeout: of one check.
    :param public: ask its public address; else its private one, which the worker must reach.
    """

    port: int
    kind: HealthCheckKind = HealthCheckKind.HTTP
    path: str = "/"
    expect: str | None = None
    timeout: timedelta = timedelta(seconds=5)
    public: bool = False

    def __post_init__(self) -> None:
        """Take plain values as they are given.

        :raises DeploymentError: ``invalid_argument``, naming the parameter.
        """
        if self.kind not in tuple(HealthCheckKind):
            raise refused("health: kind", self.kind, " or ".join(HealthCheckKind))
        object.__setattr__(self, "kind", HealthCheckKind(self.kind))
        whole_number("health: port", self.port, 1, _LAST_PORT)
        if not text("health: path", self.path).startswith("/"):
            raise refused("health: path", self.path, "a path that begins with a slash")
        if self.expect is not None:
            text("health: expect", self.expect)
        timeout = duration("health: timeout", self.timeout, most=_LONGEST_TIMEOUT)
        object.__setattr__(self, "timeout", timeout)
        flag("health: public", self.public)

    def why_not_healthy(self, instance: Addressed, revision: str) -> str | None:
        """What is wrong with an instance that runs; ``None`` when it is healthy.

        It takes no longer than ``timeout``, whatever answers.

        :param revision: what ``{revision}`` stands for.
        :return: one printable line of at most 300 characters.
        """
        address = instance.public_address if self.public else instance.address
        if not address:
            return f"it has no {'public' if self.public else 'private'} address"
        try:
            complaint = self._complaint(address, revision)
        except (OSError, ValueError, http.client.HTTPException) as err:
            # ValueError: of what a peer has written where a number or ASCII belongs.
            complaint = f": {type(err).__name__}: {err}"
        if complaint is None:
            return None
        return shortened(printable(f"{address}:{self.port}{complaint}"), _LONGEST_COMPLAINT)

    def _complaint(self, address: str, revision: str) -> str | None:
        # A name would have to be looked up, which takes as long as it takes.
        ipaddress.ip_address(address)
        deadline = time.monotonic() + self.timeout.total_seconds()
        with closing(_Timed(address, self.port, deadline)) as peer:
            return None if self.kind is HealthCheckKind.TCP else self._ask(peer, revision)

    def _ask(self, peer: _Timed, revision: str) -> str | None:
        path = quote(self.path, safe="/?&=%~:@!$'()*+,;-._")
        host = f"[{peer.address}]" if ":" in peer.address else peer.address
        peer.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{self.port}\r\nAccept-Encoding: identity\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        # Of a socket it takes the file to read from.
        answer = http.client.HTTPResponse(peer, method="GET")  # type: ignore[arg-type]
        with closing(answer):
            answer.begin()
            body = answer.read(_MOST_BYTES)
        if answer.status not in _OK:
            return f"{self.path}: answered {answer.status}"
        if self.expect is None:
            return None
        expected = self.expect.replace("{revision}", revision)
        if expected.encode() in body:
            return None
        return f"{self.path}: its answer does not contain {expected!r}"


class _Timed(io.RawIOBase):
    """A connection of which everything together ends by a deadline.

    A socket's own timeout starts again with every byte that a peer sends.

    :param deadline: by the monotonic clock.
    :raises OSError: also of the methods; :class:`TimeoutError` after the deadline.
    """

    def __init__(self, address: str, port: int, deadline: float) -> None:
        super().__init__()
        self.address = address
        self._deadline = deadline
        self._received = 0
        self._socket = socket.create_connection((address, port), timeout=self._left())

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What is received, to be read."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """Receive some bytes; none at the end."""
        self._socket.settimeout(self._left())
        count = self._socket.recv_into(buffer)
        self._received += count
        if self._received > _MOST_RECEIVED:
            raise OSError(f"its answer goes on after {_MOST_RECEIVED} bytes")
        return count

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._socket.close()
        super().close()
