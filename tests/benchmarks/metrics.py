"""``python -m tests.benchmarks.metrics``: metrics to the three local clouds, beside a peer.

The peer is OpenTelemetry's own OTLP exporter, to the local AWS's OTLP endpoint, with the same
credentials. It counts nothing: it says "success" whatever the answer names as refused. Each run is
a process of its own; what it imports, and its first export, are not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measure import ROOT

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec

CONNS = ("aws_telemetry_local", "gcp_telemetry_local", "azure_telemetry_local")
_AWS = CONNS[0]
_TARGET_SECONDS = 0.150
_FEW, _MANY = 10, 10_000
_REPEAT_FEW = 15
#: Name → where points go, and how.
CASES: dict[str, tuple[tuple[str, ...], str]] = {
    "three clouds": (CONNS, "native"),
    "CloudWatch": (CONNS[:1], "native"),
    "Cloud Monitoring": (CONNS[1:2], "native"),
    "Azure Monitor": (CONNS[2:], "native"),
    "three clouds, OTLP": (CONNS, "otlp"),
    "AWS, OTLP": (CONNS[:1], "otlp"),
}
PEER = "peer: AWS, OTLP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One case: exports of a few points when everything is warm, and one of many."""

    name: str
    few: float
    many: float
    many_cpu: float
    growth_mib: float


def main() -> None:
    """Measure, print, and write what was measured as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks.metrics")
    parser.add_argument("--case", choices=[*CASES, PEER], help="only this one, in this process")
    parser.add_argument("--out", type=Path, default=ROOT / ".bench" / "metrics.json")
    given = parser.parse_args()
    if given.case:
        json.dump(asdict(_measure(given.case)), sys.stdout)
        return
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="bench-") as home, ExitStack() as servers:
        os.environ.update({"AIRFLOW_HOME": home, "PYTHONWARNINGS": "ignore"})
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        _start(Path(home), servers)
        results = [_in_process(name) for name in (*CASES, PEER)]
    _show(results)
    told = {"load": load, "results": [asdict(one) for one in results]}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1))


def _start(home: Path, servers: ExitStack) -> None:
    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.local_clouds.aws.telemetry import cloudwatch
    from airflow_multicloud.testing.local_clouds.azure.telemetry import monitor
    from airflow_multicloud.testing.local_clouds.gcp.telemetry import telemetry

    makers: tuple[Callable[[Path], ServerSpec], ...] = (cloudwatch, telemetry, monitor)
    for number, make in enumerate(makers):
        directory = home / str(number)
        directory.mkdir()
        server = LocalServer(make(directory), log_path=directory / "server.log")
        server.start()
        servers.callback(server.stop)
        for conn_id, connection in server.spec.connections.items():
            os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(connection)


def _in_process(name: str) -> Measured:
    import subprocess

    command = [sys.executable, "-m", "tests.benchmarks.metrics", "--case", name]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return Measured(**json.loads(done.stdout.strip().splitlines()[-1]))


def _measure(name: str) -> Measured:
    from airflow_multicloud.registry import session

    with session():
        export = _peer() if name == PEER else _ours(*CASES[name])
        export(_documents(_FEW))
        few = median(_seconds(export, _documents(_FEW)) for _ in range(_REPEAT_FEW))
        documents = _documents(_MANY)
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): begins the peak anew
        before = _status("VmRSS")
        cpu = time.process_time()
        many = _seconds(export, documents)
        cpu = time.process_time() - cpu
        growth = (_status("VmHWM") - before) / 1024
    return Measured(name=name, few=few, many=many, many_cpu=cpu, growth_mib=growth)


_made = 0


def _documents(count: int) -> list[dict[str, Any]]:
    """Gauges of as many series, of a time that no export before had."""
    global _made  # noqa: PLW0603 - Cloud Monitoring takes each series' points in order
    _made += 1
    at = datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds=10 * _made)
    return [
        {
            "name": f"bench.metric.{n % 10}",
            "value": float(n),
            "unit": "By",
            "attributes": {"cloud.provider": "aws", "n": str(n)},
            "time": at,
        }
        for n in range(count)
    ]


def _seconds(export: Callable[[list[dict[str, Any]]], None], documents: Any) -> float:
    started = time.perf_counter()
    export(documents)
    return time.perf_counter() - started


def _ours(conns: tuple[str, ...], transport: str) -> Callable[[list[dict[str, Any]]], None]:
    from airflow_multicloud.api import export_metrics_to_cloud

    def export(documents: list[dict[str, Any]]) -> None:
        report = export_metrics_to_cloud(
            conns, namespace=f"bench{os.getpid()}", metrics=documents, transport=transport
        )
        assert report.succeeded, [*map(str, report.destinations)]

    return export


def _peer() -> Callable[[list[dict[str, Any]]], None]:
    """OpenTelemetry's exporter as its users have it; reading the documents is measured, too."""
    import requests
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import MetricExportResult
    from requests.auth import AuthBase

    from airflow_multicloud.core.metrics.collecting import Collector
    from airflow_multicloud.core.metrics.given import read_given
    from airflow_multicloud.core.metrics.otlp_encoding import sdk_data
    from airflow_multicloud.ports.metrics import Metrics
    from airflow_multicloud.registry import resolve

    hook: Any = resolve(Metrics, _AWS)
    target = hook.otlp_metrics_target()

    class Signed(AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            assert isinstance(request.body, bytes)
            request.headers.update(target.headers_for(request.body))
            return request

    session = requests.Session()
    session.auth = Signed()
    certificate = target.verify if isinstance(target.verify, str) else None
    exporter = OTLPMetricExporter(
        endpoint=target.url,
        session=session,
        certificate_file=certificate,
        max_export_batch_size=1000,
    )

    def export(documents: list[dict[str, Any]]) -> None:
        points = read_given(documents, Collector()).points
        assert exporter.export(sdk_data(points, {})) is MetricExportResult.SUCCESS

    return export


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)


def _show(results: list[Measured]) -> None:
    peer = results[-1]
    table = Table(title="Metrics: warm exports")
    for heading in (
        "case",
        f"{_FEW} points, ms",
        "÷ peer",
        f"{_MANY:,} points, s",
        "÷ peer ",
        "CPU s",
        "÷ peer  ",
        "peak, MiB above",
    ):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for one in results:
        table.add_row(
            one.name,
            f"{one.few * 1000:.0f}",
            f"{one.few / peer.few:.1f}",
            f"{one.many:.2f}",
            f"{one.many / peer.many:.1f}",
            f"{one.many_cpu:.2f}",
            f"{one.many_cpu / peer.many_cpu:.1f}",
            f"{one.growth_mib:.0f}",
        )
    Console().print(table)
    reached = "reached" if results[0].few <= _TARGET_SECONDS else "missed"
    sys.stdout.write(f"target, {_FEW} points to three clouds in 150 ms: {reached}\n")


if __name__ == "__main__":
    main()
