"""The project's own servers, started for a benchmark and asked for what they saw."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port
from tests.benchmarks.endpoints import Endpoints
from tests.benchmarks.measure import ROOT
from tests.benchmarks.sink.http import Write
from tests.benchmarks.tools import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from tests.benchmarks.cases import Case

_START_S = 60.0
#: What this package and only it writes besides the replicas.
_RECORDS = ".airflow-multicloud/"


class Sinks:
    """Three sinks as a context manager; S3 and Cloud Storage have the source objects.

    :param journal: whether they note every write, and small objects can be read again.
    """

    def __init__(self, sizes: Mapping[str, tuple[int, int]], *, journal: bool = False) -> None:
        self._options = ["--journal", "--keep"] if journal else []
        self._seeds = [f"--seed={p}={count}x{size}" for p, (count, size) in sizes.items()]
        self._ports = {cloud: free_port() for cloud in ("s3", "gcs", "azure")}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.endpoints = Endpoints(
            *(f"http://{LOOPBACK}:{port}" for port in self._ports.values()), interoperable=True
        )

    def __enter__(self) -> Self:
        """Start them and wait until they serve."""
        for cloud, port in self._ports.items():
            command = [sys.executable, "-m", "tests.benchmarks.sink", cloud, str(port)]
            seeds = self._seeds if cloud != "azure" else []
            self._processes.append(subprocess.Popen([*command, *self._options, *seeds], cwd=ROOT))
        deadline = time.monotonic() + _START_S
        for cloud in self._ports:
            while not self._serves(cloud):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the {cloud} sink does not answer")
                time.sleep(0.1)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop them."""
        for process in self._processes:
            process.terminate()
            process.wait()

    def port(self, cloud: str) -> int:
        """A sink's port."""
        return self._ports[cloud]

    def cpu(self) -> dict[str, float]:
        """Processor seconds that each sink has used."""
        return {cloud: self._ask(cloud, "GET", "usage")["cpu"] for cloud in self._ports}

    def writes(self, cloud: str) -> list[Write]:
        """What was written to a sink with a journal, in the order in which it was begun."""
        return [Write(**noted) for noted in self._ask(cloud, "GET", "writes")]

    def set_latency(self, milliseconds: float) -> None:
        """Let every answer come so much later."""
        for cloud in self._ports:
            self._ask(cloud, "PUT", f"latency?seconds={milliseconds / 1000}")

    def clear(self, clouds: Iterable[str], bucket: str) -> None:
        """Forget what was written to a bucket."""
        for cloud in clouds:
            self._ask(cloud, "DELETE", f"objects?bucket={bucket}")

    def check(self, case: Case, bucket: str) -> None:
        """Compare size and CRC32C of every object with the source's.

        :raises RuntimeError: when one is missing, other than it should be, or too many.
        """
        wanted = {
            key: meta
            for key, meta in self._ask(case.source, "GET", f"objects?bucket={SOURCE}").items()
            if key.startswith(f"{case.prefix}/")
        }
        for cloud in case.destinations:
            found = self._ask(cloud, "GET", f"objects?bucket={bucket}")
            found = {key: meta for key, meta in found.items() if not key.startswith(_RECORDS)}
            if found != wanted:
                wrong = [key for key in wanted if found.get(key) != wanted[key]]
                raise RuntimeError(
                    f"{case.name}: {bucket} at {cloud} has {len(found)} of {len(wanted)} objects, "
                    f"{len(wrong)} of them wrong or missing: {wrong[:3]}"
                )

    def _serves(self, cloud: str) -> bool:
        try:
            self._ask(cloud, "GET", "usage")
        except OSError:
            return False
        return True

    def _ask(self, cloud: str, method: str, what: str) -> Any:
        connection = http.client.HTTPConnection(LOOPBACK, self._ports[cloud], timeout=30)
        try:
            connection.request(method, f"/_sink/{what}")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
