"""A pytest plugin: no test leaves this machine.

Load it with ``-p airflow_multicloud.testing.offline`` or ``pytest_plugins``. A test fails,
naming the address, when Python opens a connection to, sends to or resolves anything but
loopback, even when the code under test swallows the error. Python's audit events can't see
what compiled clients (obstore, gRPC) and other processes do: for those the proxy variables
name a proxy that isn't there, which Rust, Go and most others honour (Node's own ``http``
module does not). A Python client that takes that proxy is reported too.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.testing.local_clouds.kit.sockets import (
    DEAD_PROXY_PORT,
    LOOPBACK,
    OFFLINE_ENV,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# Audit event → which of its arguments says the peer (Python's audit event table).
_PEER = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0}
_PATCH = pytest.StashKey[pytest.MonkeyPatch]()


class LeftMachineError(Exception):
    """A test tried to reach something beyond loopback. No OSError: clients retry those."""


class _Guard:
    """The audit hook; hooks can't be removed, so it has a switch."""

    def __init__(self) -> None:
        self.installed = False
        self.active = False
        self.attempts: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse and remember an event whose peer is not on loopback."""
        if not self.active or event not in _PEER:
            return
        peer = arguments[_PEER[event]]
        port = None
        if isinstance(peer, tuple):
            peer, port = peer[0], peer[1]
        elif event != "socket.getaddrinfo":
            return  # a Unix socket's path, or none: connected before
        if not isinstance(peer, str | bytes):
            return  # not an internet address (netlink), or no host: this machine
        host = peer.decode() if isinstance(peer, bytes) else peer
        where = f"{host}:{port}" if port is not None else host
        if (host, port) == (LOOPBACK, DEAD_PROXY_PORT):
            self._refuse(f"{event} to the proxy that keeps tests offline ({where})")
        if not _is_here(host):
            self._refuse(f"{event} to {where}")

    def _refuse(self, attempt: str) -> None:
        self.attempts.append(attempt)
        raise LeftMachineError(f"a test may reach only loopback, but: {attempt}")


_guard = _Guard()


def _is_here(host: str) -> bool:
    if host in ("", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@contextmanager
def lifted(config: pytest.Config) -> Iterator[None]:
    """Let go for a moment: to install a server, never to run a test."""
    config.stash[_PATCH].undo()
    try:
        yield
    finally:
        _guard_environment(config)


def _guard_environment(config: pytest.Config) -> None:
    config.stash[_PATCH] = patch = pytest.MonkeyPatch()
    # pytest-xdist's controller runs no test. Its workers inherit its environment, and could not
    # lift what they have not set themselves.
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    for name, value in OFFLINE_ENV.items():
        patch.setenv(name, value)


def pytest_configure(config: pytest.Config) -> None:
    """Switch the guard on for the session."""
    if not _guard.installed:
        sys.addaudithook(_guard)
        _guard.installed = True
    _guard.active = True
    _guard_environment(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Switch the guard off and restore the environment."""
    _guard.active = False
    config.stash[_PATCH].undo()


def _checked() -> Generator[None, object, object]:
    _guard.attempts.clear()
    try:
        return (yield)
    finally:
        if _guard.attempts:
            pytest.fail(
                "a test may reach only loopback, but: " + "; ".join(dict.fromkeys(_guard.attempts)),
                pytrace=False,
            )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """Fail a test whose fixtures tried to leave the machine."""
    return (yield from _checked())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test that tried to leave the machine."""
    return (yield from _checked())
