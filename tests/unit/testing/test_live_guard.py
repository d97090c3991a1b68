"""The limits of a live run."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol

import pytest
import urllib3

from airflow_multicloud.testing.live.guard import Guard, Limits, LiveLimitError
from airflow_multicloud.testing.local_clouds.kit.http import Answer, HttpServer


def guard(requests: int = 10, size: int = 100, usd: str = "0.02") -> Guard:
    return Guard(Limits(requests=requests, bytes=size, usd=Decimal(usd)))


class Port(Protocol):
    def send(self, content: bytes) -> int: ...

    def names(self) -> Iterator[str]: ...

    def why_not_name(self, name: str) -> None: ...


class Hook:
    sent = 0

    def send(self, content: bytes) -> int:
        self.sent += len(content)
        return len(content)

    def names(self) -> Iterator[str]:
        return iter("x" * 2500)

    def why_not_name(self, name: str) -> None:
        return None


def test_stops_before_a_request_too_many() -> None:
    limits = guard(requests=2)
    hook = limits.metered(Hook(), (Port,))
    assert [hook.send(b"a"), hook.send(b"b")] == [1, 1]
    with pytest.raises(LiveLimitError, match="--live-max-requests 2 would be exceeded"):
        hook.send(b"c")
    assert hook.sent == 2
    assert limits.exceeded
    with pytest.raises(LiveLimitError):  # and stays stopped, also for what would fit
        limits.count(size=1)
    with limits.unlimited():
        hook.send(b"clean up")
    assert limits.requests == 3


def test_stops_before_a_byte_too_many() -> None:
    hook = guard(size=3).metered(Hook(), (Port,))
    hook.send(b"abc")
    with pytest.raises(LiveLimitError, match="--live-max-bytes 3"):
        hook.send(b"d")
    assert hook.sent == 3


def test_listings_count_by_pages_and_rules_not_at_all() -> None:
    limits = guard()
    hook = limits.metered(Hook(), (Port,))
    hook.why_not_name("x")
    assert limits.requests == 0
    assert len(list(hook.names())) == 2500
    assert limits.requests == 3


@pytest.mark.parametrize(
    ("host", "usd"),
    [
        ("ce.us-east-1.amazonaws.com", "0.01"),
        ("ce.cn-northwest-1.amazonaws.com.cn", "0.01"),
        ("s3.us-east-1.amazonaws.com", "0"),
        ("127.0.0.1", "0"),
    ],
)
def test_billed_hosts(host: str, usd: str) -> None:
    limits = guard()
    limits.count_http(host)
    assert (limits.requests, limits.usd) == (1, Decimal(usd))


def test_money_stops_too() -> None:
    limits = guard()
    for _ in range(2):
        limits.count_http("ce.us-east-1.amazonaws.com")
    with pytest.raises(LiveLimitError, match=r"--live-max-usd 0\.02 would be exceeded \(0\.03\)"):
        limits.count_http("ce.us-east-1.amazonaws.com")


def test_requests_of_python_clients_are_counted() -> None:
    limits = guard(requests=1)
    before = urllib3.HTTPConnectionPool.urlopen
    with (
        HttpServer(lambda _: Answer(body="here")) as server,
        limits.installed(),
        urllib3.PoolManager(retries=False) as client,
    ):
        assert client.request("GET", server.endpoint).status == 200
        with pytest.raises(LiveLimitError):
            client.request("GET", server.endpoint)
    assert limits.requests == 1
    assert urllib3.HTTPConnectionPool.urlopen is before
