"""How fast the sinks are by themselves: a client that does nothing but send and receive."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_ACCOUNT
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK
from tests.benchmarks.cases import MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.sinks import Sinks

_BUFFER = 1 << 20
_PART = 8 * MIB
_PARTS = 64
_SMALL = 2_000
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Speed:
    """One sink, one direction: MB/s with large bodies, requests/s with 64 KiB ones."""

    name: str
    megabytes: float
    requests: float


def probe(sinks: Sinks) -> list[Speed]:
    """Read from the S3 sink, write to the others."""
    blocks = f"/{AZURITE_ACCOUNT}/probe/blob?comp=block&blockid="
    return [
        Speed(
            "S3 GET",
            _rate(_getter(sinks.port("s3"), "/source/large/00000.bin", _PART), _PARTS) * 8.388608,
            _rate(_getter(sinks.port("s3"), "/source/small/00000.bin", None), _SMALL),
        ),
        Speed(
            "GCS PUT",
            _rate(_putter(sinks.port("gcs"), "/probe/object", _PART), _PARTS) * 8.388608,
            _rate(_putter(sinks.port("gcs"), "/probe/object", 64 << 10), _SMALL),
        ),
        Speed(
            "Azure PUT",
            _rate(_putter(sinks.port("azure"), blocks + "AAAA", _PART), _PARTS) * 8.388608,
            _rate(_putter(sinks.port("azure"), f"/{AZURITE_ACCOUNT}/probe/x", 64 << 10), _SMALL),
        ),
    ]


def _rate(work: Callable[[int], None], count: int) -> float:
    """Requests a second, over a few connections."""
    started = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(work, [count // _THREADS] * _THREADS))
    return count / (time.perf_counter() - started)


def _getter(port: int, path: str, part: int | None) -> Callable[[int], None]:
    def work(count: int) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, port)
        buffer = memoryview(bytearray(_BUFFER))
        for number in range(count):
            start = number * (part or 0)
            headers = {"range": f"bytes={start}-{start + part - 1}"} if part else {}
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            while response.readinto(buffer):
                pass
        connection.close()

    return work


def _putter(port: int, path: str, size: int) -> Callable[[int], None]:
    body = bytes(size)

    def work(count: int) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, port, blocksize=_BUFFER)
        for _ in range(count):
            connection.request("PUT", path, body)
            connection.getresponse().read()
        connection.close()

    return work
