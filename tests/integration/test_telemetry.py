"""Spans and metrics, as a provider set by the process (Airflow) receives them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from airflow_multicloud import api
from airflow_multicloud.errors import StorageError
from airflow_multicloud.opening.endpoints import open_endpoint

from .lab import TREE, Lab, fill, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = sum(map(len, TREE.values()))


class Recorder:
    def __init__(self, exporter: InMemorySpanExporter, reader: InMemoryMetricReader) -> None:
        self._exporter = exporter
        self._reader = reader

    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [s for s in self.spans() if s.name == f"multicloud.{name}"]

    def points(self, name: str) -> dict[frozenset[tuple[str, Any]], Any]:
        """A metric's points, by their attributes."""
        data = self._reader.get_metrics_data()
        return {
            frozenset(point.attributes.items()): point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            if scope.scope.name == "airflow_multicloud"
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        }

    def value(self, name: str, **attributes: str) -> Any:
        wanted = frozenset((k.replace("__", "."), v) for k, v in attributes.items())
        return self.points(name)[wanted].value


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Providers for one test: the API's own setters take the first call of a process only."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracers)
    monkeypatch.setattr("opentelemetry.metrics._internal._METER_PROVIDER", meters)
    assert trace.get_tracer_provider() is tracers
    assert metrics.get_meter_provider() is meters
    yield Recorder(exporter, reader)
    tracers.shutdown()
    meters.shutdown()


def labels(operation: str, outcome: str) -> dict[str, str]:
    return {"multicloud__operation": operation, "multicloud__outcome": outcome}


def place(uri: str) -> str:
    """It names a local server by host and port, and no connection."""
    found = open_endpoint(uri, parameter="uri").place
    assert "@127.0.0.1:" in found or "@localhost:" in found
    return found


def test_a_replication(lab: Lab, recorder: Recorder) -> None:
    fill(lab.s3)
    put(lab.s3 + "large", b"12" * (5 << 20))
    with trace.get_tracer("test").start_as_current_span("task") as task:
        api.replicate(lab.s3, lab.replicas)
    (span,) = recorder.named("replicate")
    assert span.parent == task.get_span_context()
    attributes = dict(span.attributes or {})
    assert attributes == {
        "cloud.provider": "aws",
        "multicloud.source": place(lab.s3),
        "multicloud.destinations": f"{place(lab.gcs)},{place(lab.azure)}",
        "multicloud.objects": len(TREE) + 1,
        "multicloud.bytes": SIZE + (10 << 20),
        "multicloud.outcome": "ok",
    }
    (large,) = recorder.named("replicate.object")
    assert large.parent is not None
    assert large.parent.span_id == span.context.span_id
    assert dict(large.attributes or {})["multicloud.outcomes"] == ("copied", "copied")
    # The same trace everywhere, across the threads.
    assert {s.context.trace_id for s in recorder.spans()} == {task.get_span_context().trace_id}

    for cloud in ("gcp", "azure"):
        written = recorder.value(
            "multicloud.bytes", multicloud__direction="written", cloud__provider=cloud
        )
        assert written == SIZE + (10 << 20)
        copied = recorder.value(
            "multicloud.objects", cloud__provider=cloud, multicloud__outcome="copied"
        )
        assert copied == len(TREE) + 1
    assert recorder.value("multicloud.operations", **labels("replicate", "ok")) == 1
    (duration,) = (
        point
        for of, point in recorder.points("multicloud.duration").items()
        if ("multicloud.operation", "replicate") in of
    )
    assert duration.count == 1
    assert duration.sum > 0


def test_a_failed_operation(lab: Lab, recorder: Recorder) -> None:
    with pytest.raises(StorageError):
        api.replicate(lab.s3, lab.replicas)  # an empty source
    (span,) = recorder.named("replicate")
    assert not span.status.is_ok
    assert dict(span.attributes or {})["multicloud.outcome"] == "not_found"
    (event,) = [e for e in span.events if e.name == "exception"]
    recorded = dict(event.attributes or {})
    assert recorded["exception.type"] == "airflow_multicloud.errors.StorageError"
    assert "no object under" in str(recorded["exception.message"])
    assert dict(span.attributes or {})["error.type"] == "not_found"
    assert span.status.description == recorded["exception.message"]
    assert recorder.value("multicloud.operations", **labels("replicate", "not_found")) == 1
    counted = {"multicloud__operation": "replicate", "error__type": "not_found"}
    assert recorder.value("multicloud.errors", cloud__provider="aws", **counted) == 1


def test_fetches_nest_across_threads(lab: Lab, recorder: Recorder, tmp_path: Path) -> None:
    fill(lab.s3)
    api.replicate(lab.s3, lab.replicas)
    before = len(recorder.spans())
    with trace.get_tracer("test").start_as_current_span("task") as task:
        api.failover_fetch([f"{lab.s3}missing/", lab.gcs], tmp_path)
    new = recorder.spans()[before:]
    assert {s.context.trace_id for s in new} == {task.get_span_context().trace_id}
    (fetch,) = recorder.named("fetch")
    assert fetch.parent == task.get_span_context()
    (tree,) = recorder.named("failover_fetch_tree")
    assert tree.parent == fetch.context
    assert dict(tree.attributes or {})["multicloud.objects"] == len(TREE)
    fetches = recorder.named("failover_fetch")
    assert len(fetches) == len(TREE)
    assert {s.parent.span_id for s in fetches if s.parent} == {tree.context.span_id}
    for span in fetches:
        attributes = dict(span.attributes or {})
        assert attributes["cloud.provider"] == "gcp"
        assert str(attributes["multicloud.served_by"]).startswith(lab.gcs)
    attempts = recorder.named("failover_fetch.attempt")
    failed = [s for s in attempts if not s.status.is_ok]
    assert {s.parent.span_id for s in attempts if s.parent} <= {s.context.span_id for s in fetches}
    assert len(attempts) == len(TREE) + len(failed)
    for span in failed:
        assert dict(span.attributes or {})["multicloud.outcome"] == "not_found"
    read = {"multicloud__direction": "read", "cloud__provider": "gcp"}
    assert recorder.value("multicloud.bytes", **read) == SIZE


def test_verification_and_upload(lab: Lab, recorder: Recorder, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"abc")
    api.upload_artifact(file, lab.s3, replicate_to=lab.replicas)
    api.verify_replica(lab.gcs + "f")
    (upload,) = recorder.named("upload")
    assert dict(upload.attributes or {}) == {
        "cloud.provider": "aws",
        "multicloud.bytes": 3,
        "multicloud.outcome": "ok",
    }
    (verified,) = recorder.named("verify_replica")
    assert dict(verified.attributes or {}) == {
        "cloud.provider": "gcp",
        "multicloud.replica": place(f"{lab.gcs}f"),
        "multicloud.objects": 1,
        "multicloud.proven": True,
        "multicloud.outcome": "ok",
    }


UNTOUCHED = """
import importlib, pkgutil
import airflow_multicloud
from opentelemetry import metrics, trace
for name in ("core", "operators", "sensors", "triggers"):
    package = importlib.import_module(f"airflow_multicloud.{name}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
from airflow_multicloud.core import telemetry
with telemetry.operation("upload"):
    telemetry.count_bytes("read", "aws", 1)
from opentelemetry.metrics._internal import _METER_PROVIDER
assert trace._TRACER_PROVIDER is None, trace._TRACER_PROVIDER
assert _METER_PROVIDER is None, _METER_PROVIDER
"""


def test_the_library_installs_no_provider() -> None:
    subprocess.run([sys.executable, "-c", UNTOUCHED], check=True)


def test_a_connection_check(
    lab: Lab,
    recorder: Recorder,
    closed_s3: str,
) -> None:
    known = api.check_connection("aws_local")
    (span,) = recorder.named("check_connection")
    assert dict(span.attributes or {}) == {
        "multicloud.conn_id": "aws_local",
        "cloud.provider": "aws",
        "cloud.account.id": known.account_id,
        "cloud.region": known.region,
        "multicloud.outcome": "ok",
    }
    assert not api.check_connection(closed_s3).available
    failed = recorder.named("check_connection")[-1]
    assert not failed.status.is_ok
    assert dict(failed.attributes or {})["error.type"] == "unavailable"
