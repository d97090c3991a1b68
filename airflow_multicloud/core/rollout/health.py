"""Health checks: asking an instance itself, over HTTP or TCP."""

from __future__ import annotations

import http.client
import socket
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol
from urllib.parse import quote

from airflow_multicloud.errors import DeploymentError, ErrorKind

#: More of an answer is not read.
_MOST_BYTES = 64 * 1024
_OK = range(200, 300)


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
        if self.kind not in set(HealthCheckKind):
            raise _wrong("kind", self.kind, " or ".join(HealthCheckKind))
        object.__setattr__(self, "kind", HealthCheckKind(self.kind))
        if not 0 < self.port < 2**16:
            raise _wrong("port", self.port, "1 to 65535")
        if not self.path.startswith("/"):
            raise _wrong("path", repr(self.path), "a path that begins with a slash")
        if self.timeout <= timedelta():
            raise _wrong("timeout", self.timeout, "more than 0")

    def why_not_healthy(self, instance: Addressed, revision: str) -> str | None:
        """What is wrong with an instance that runs; ``None`` when it is healthy.

        :param revision: what ``{revision}`` stands for.
        """
        address = instance.public_address if self.public else instance.address
        if not address:
            return f"it has no {'public' if self.public else 'private'} address"
        try:
            if self.kind is HealthCheckKind.TCP:
                self._connect(address)
                return None
            return self._ask(address, revision)
        except (OSError, http.client.HTTPException) as err:
            return f"{address}:{self.port}: {type(err).__name__}: {err}"

    def _connect(self, address: str) -> None:
        seconds = self.timeout.total_seconds()
        socket.create_connection((address, self.port), timeout=seconds).close()

    def _ask(self, address: str, revision: str) -> str | None:
        seconds = self.timeout.total_seconds()
        asked = http.client.HTTPConnection(address, self.port, timeout=seconds)
        with closing(asked) as connection:
            connection.request("GET", quote(self.path, safe="/?&=%~:@!$'()*+,;-._"))
            answer = connection.getresponse()
            body = answer.read(_MOST_BYTES)
        if answer.status not in _OK:
            return f"{address}:{self.port}{self.path}: answered {answer.status}"
        if self.expect is None:
            return None
        expected = self.expect.replace("{revision}", revision)
        if expected.encode() in body:
            return None
        return f"{address}:{self.port}{self.path}: its answer does not contain {expected!r}"


def _wrong(parameter: str, given: object, allowed: str) -> DeploymentError:
    return DeploymentError(
        f"health: {parameter}: {given} given, expected {allowed}", kind=ErrorKind.INVALID_ARGUMENT
    )
