"""Health checks against peers that answer whatever they like."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from airflow_multicloud.core.rollout.health import HealthCheck, HealthCheckKind
from airflow_multicloud.errors import DeploymentError, ErrorKind

Answer = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\n"
BOUND = timedelta(seconds=0.5)
#: What a loaded machine may take besides.
SLACK = 1.5


@dataclass(frozen=True)
class At:
    """Something with an address."""

    address: str | None = "127.0.0.1"
    public_address: str | None = None


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], int]]:
    """Answer with a function on a port of its own."""
    listeners: list[socket.socket] = []

    def started(answer: Answer) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def one() -> None:
            try:
                peer, _ = listener.accept()
                with peer:
                    peer.recv(4096)
                    answer(peer)
            except OSError:
                pass

        threading.Thread(target=one, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield started
    for listener in listeners:
        listener.close()


def sends(data: bytes) -> Answer:
    return lambda peer: peer.sendall(data)


def drips(head: bytes) -> Answer:
    def answer(peer: socket.socket) -> None:
        peer.sendall(head)
        for _ in range(50):
            peer.sendall(b"x")
            time.sleep(0.1)

    return answer


def goes_on(peer: socket.socket) -> None:
    while True:
        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def goes_on_slowly(peer: socket.socket) -> None:
    for _ in range(50):
        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.1)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(drips(OK + b"x: "), id="head drips"),
        pytest.param(drips(OK + b"content-length: 60000\r\n\r\n"), id="body drips"),
        pytest.param(goes_on, id="endless interim answers"),
        pytest.param(goes_on_slowly, id="slow interim answers"),
        pytest.param(lambda _peer: time.sleep(5), id="nothing"),
    ],
)
def test_one_deadline(serve: Callable[[Answer], int], answer: Answer) -> None:
    check = HealthCheck(port=serve(answer), timeout=BOUND)
    began = time.monotonic()
    assert check.why_not_healthy(At(), "r") is not None
    assert time.monotonic() - began < BOUND.total_seconds() + SLACK


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 \x1b[2J\x07" + b"A" * 60_000 + b"\r\n\r\n",
        b"\x1b[2J\x07" + b"\x01" * 60_000 + b"\n\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\nzz\r\nabc",
        OK + b"transfer-encoding: chunked\r\n\r\n-5\r\nabc" + b"b" * 100,
        OK + b"content-length: -7\r\n\r\nno",
        OK + b"a: b\r\n" * 500 + b"\r\n",
        OK + b"x: " + b"A" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 99999999999999999999 OK\r\n\r\n",
        b"",
    ],
)
def test_whatever_answers_is_told_shortly(serve: Callable[[Answer], int], answer: bytes) -> None:
    check = HealthCheck(port=serve(sends(answer)), timeout=timedelta(seconds=5), expect="fine")
    complaint = check.why_not_healthy(At(), "r")
    assert complaint
    assert complaint.isprintable()
    assert len(complaint) <= 300


@pytest.mark.parametrize("kind", HealthCheckKind)
@pytest.mark.parametrize("address", ["a..b", "x" * 300, "localhost", "::1"])
def test_what_is_no_address_is_told(address: str, kind: HealthCheckKind) -> None:
    check = HealthCheck(port=1, kind=kind, timeout=BOUND)
    assert check.why_not_healthy(At(address=address), "r")


def test_healthy(serve: Callable[[Answer], int]) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    body = OK + b"transfer-encoding: chunked\r\n\r\n4\r\nam r\r\n1\r\n1\r\n0\r\n\r\n"
    port = serve(sends(interim + body))
    assert HealthCheck(port=port, expect="am {revision}").why_not_healthy(At(), "r1") is None


def test_a_long_body_is_read_to_64_kib(serve: Callable[[Answer], int]) -> None:
    port = serve(sends(OK + b"\r\nfine" + b"x" * 1_000_000))
    assert HealthCheck(port=port, expect="fine").why_not_healthy(At(), "r") is None


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"port": "8080"}, "port"),
        ({"port": 80.5}, "port"),
        ({"port": True}, "port"),
        ({"port": 0}, "port"),
        ({"port": 80, "path": 5}, "path"),
        ({"port": 80, "path": "x"}, "path"),
        ({"port": 80, "timeout": "5"}, "timeout"),
        ({"port": 80, "timeout": timedelta(minutes=6)}, "timeout"),
        ({"port": 80, "timeout": timedelta()}, "timeout"),
        ({"port": 80, "timeout": float("nan")}, "timeout"),
        ({"port": 80, "public": "no"}, "public"),
        ({"port": 80, "expect": 5}, "expect"),
        ({"port": 80, "kind": []}, "kind"),
        ({"port": 80, "kind": "udp"}, "kind"),
    ],
)
def test_a_check_is_checked_when_it_is_constructed(
    given: dict[str, object], parameter: str
) -> None:
    with pytest.raises(DeploymentError, match=f"health: {parameter}") as caught:
        HealthCheck(**given)  # type: ignore[arg-type] # which is what is tested
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
