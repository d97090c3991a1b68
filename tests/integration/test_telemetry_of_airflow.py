"""The trace and the metrics of a DAG run in a whole Airflow, as a collector receives them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .lab import TREE, Lab, fill, put
from .otlp_sink import Sink, Span, otlp_sink
from .running_airflow import Airflow, TaskRun, begin_run, running_airflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalClouds

DAG_FILE = """
from airflow.sdk import DAG
from airflow_multicloud.operators.object_store import ReplicateOperator
from tests.integration.waiting_tasks import WaitForFiles

with DAG("copy", schedule=None):
    ReplicateOperator(
        task_id="replicate",
        source="{{ dag_run.conf['source'] }}",
        destinations=["{{ dag_run.conf['gcs'] }}", "{{ dag_run.conf['azure'] }}"],
    )

with DAG("await", schedule=None):
    WaitForFiles(
        task_id="wait", directory="{{ dag_run.conf['directory'] }}", deferrable=True,
        poll_interval=1,
    )
"""
#: The environment that it tells to set is the one that is tested.
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "collector.md"
LARGE = 10 << 20
SIZE = sum(map(len, TREE.values())) + LARGE


@pytest.fixture(scope="module")
def sink() -> Iterator[tuple[Sink, str]]:
    with otlp_sink() as opened:
        yield opened


@pytest.fixture(scope="module")
def airflow(
    local_clouds: LocalClouds,
    sink: tuple[Sink, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Airflow]:
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    (dags / "copy.py").write_text(DAG_FILE)
    settings = {
        **dict(re.findall(r"^export (\w+)=(.+)$", HOW_TO.read_text(), re.MULTILINE)),
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink[1],
        "OTEL_BSP_SCHEDULE_DELAY": 1000,  # a test has less patience
        "OTEL_METRIC_EXPORT_INTERVAL": 2000,
    }
    with running_airflow(home, dags, settings) as airflow:
        airflow.until("the DAGs", lambda: airflow.knows("copy") and airflow.knows("await"))
        yield airflow


def run(airflow: Airflow, lab: Lab) -> TaskRun:
    places = {"source": lab.s3, "gcs": lab.gcs, "azure": lab.azure}
    return begin_run(airflow, "copy", "replicate", **places)


def one(spans: list[Span], name: str) -> Span:
    (found,) = [span for span in spans if span.name == name]
    return found


def arrived(airflow: Airflow, sink: Sink, known: set[str]) -> list[Span]:
    """The trace of the DAG run after the known ones, when all of it has come."""

    def roots() -> list[Span]:
        return [s for s in sink.named("dag_run.copy") if s.trace_id not in known]

    airflow.until("the DAG run's span", roots)
    (root,) = roots()

    def whole() -> bool:
        # Of several processes, each of which sends when it likes.
        spans = sink.trace(root.trace_id)
        parents = {span.parent_id for span in spans} - {""}
        names = {span.name for span in spans}
        return parents <= {span.span_id for span in spans} and "multicloud.operator" in names

    airflow.until("all spans", whole)
    return sink.trace(root.trace_id)


def log_lines(airflow: Airflow, task: TaskRun) -> list[dict[str, object]]:
    (file,) = (airflow.home / "logs").rglob(f"*run_id={task.run_id}*/**/*.log")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_run_that_succeeds(airflow: Airflow, sink: tuple[Sink, str], lab: Lab) -> None:
    fill(lab.s3)
    put(lab.s3 + "large", b"x" * LARGE)
    known = {span.trace_id for span in sink[0].named("dag_run.copy")}
    task = run(airflow, lab)
    task.until("success")
    spans = arrived(airflow, sink[0], known)

    # Each is the child of the one before it.
    line = [
        *("dag_run.copy", "task_run.replicate", "worker.replicate"),
        *("multicloud.operator", "multicloud.replicate"),
    ]
    path = [one(spans, name) for name in line]
    assert [span.parent_id for span in path[1:]] == [span.span_id for span in path[:-1]]
    worker, operator, replicate = path[2:]
    assert worker.attributes["airflow.task_id"] == "replicate"
    assert operator.attributes["multicloud.operator"] == "ReplicateOperator"
    assert replicate.attributes["multicloud.bytes"] == SIZE
    # From threads of pools.
    for name in ("multicloud.replicate.small_objects", "multicloud.replicate.object"):
        assert one(spans, name).parent_id == replicate.span_id
    ids = {span.span_id for span in spans}
    own = [span for span in spans if span.scope == "airflow_multicloud"]
    assert {span.parent_id for span in own} <= ids
    assert {span.attributes["multicloud.outcome"] for span in own} == {"ok"}
    assert not [span for span in own if span.failed]

    def counted() -> bool:
        return sink[0].sum_of("multicloud.operations", multicloud__operation="replicate") >= 1

    airflow.until("the metrics", counted)
    told = {"multicloud__operation": "replicate", "multicloud__outcome": "ok"}
    assert sink[0].sum_of("multicloud.operations", **told) == 1
    assert sink[0].sum_of("multicloud.duration", **told) == 1
    for cloud in ("gcp", "azure"):
        written = {"multicloud__direction": "written", "cloud__provider": cloud}
        assert sink[0].sum_of("multicloud.bytes", **written) == SIZE
    assert sink[0].sum_of("multicloud.errors") == 0

    # The log's lines lead to the trace, and read as before.
    lines = [line for line in log_lines(airflow, task) if "trace_id" in line]
    assert {line["trace_id"] for line in lines} == {worker.trace_id}
    assert {line["span_id"] for line in lines} <= {span.span_id for span in own}
    assert all(worker.trace_id not in str(line["event"]) for line in lines)


def test_a_run_that_fails(airflow: Airflow, sink: tuple[Sink, str], lab: Lab) -> None:
    known = {span.trace_id for span in sink[0].named("dag_run.copy")}
    run(airflow, lab).until("failed")  # There is no object.
    spans = arrived(airflow, sink[0], known)
    for name in ("operator", "replicate"):
        span = one(spans, f"multicloud.{name}")
        assert span.failed
        assert (span.attributes["error.type"], span.attributes["multicloud.outcome"]) == (
            "not_found",
            "not_found",
        )
        ((event, recorded),) = span.events
        assert event == "exception"
        assert recorded["exception.type"] == "airflow_multicloud.errors.StorageError"
        assert "no object under" in recorded["exception.message"]
        assert span.status == recorded["exception.message"]
    told = {"multicloud__operation": "replicate", "error__type": "not_found"}
    airflow.until("the error's count", lambda: sink[0].sum_of("multicloud.errors", **told))
    assert sink[0].sum_of("multicloud.errors", **told) == 1
    assert sink[0].sum_of("multicloud.duration", **told) == 1


def test_looks_in_the_triggerer(airflow: Airflow, sink: tuple[Sink, str], tmp_path: Path) -> None:
    for name in ("away", "1", "2"):
        (tmp_path / name).touch()
    task = begin_run(airflow, "await", "wait", directory=str(tmp_path))
    told = {"multicloud__operation": "look", "error__type": "unavailable"}
    airflow.until("a look that failed", lambda: sink[0].sum_of("multicloud.retries", **told))
    (tmp_path / "away").unlink()
    task.until("success")

    def looks() -> list[Span]:
        return [span for span in sink[0].named("multicloud.look") if not span.failed]

    airflow.until("the looks", lambda: len(looks()) == 2)  # one after each of two deferrals
    trace_id = looks()[0].trace_id
    whole = sink[0].trace

    def parents() -> set[str]:
        ids = {look.parent_id for look in sink[0].named("multicloud.look")}
        return {span.name for span in whole(trace_id) if span.span_id in ids}

    airflow.until("the triggers' spans", parents)
    assert parents() == {"trigger.wait"}
    assert {look.trace_id for look in sink[0].named("multicloud.look")} == {trace_id}
    airflow.until(
        "both stretches",
        lambda: len([s for s in whole(trace_id) if s.name == "multicloud.operator"]) == 3,
    )
    failed = next(span for span in sink[0].named("multicloud.look") if span.failed)
    assert failed.attributes["error.type"] == "unavailable"
    assert failed.attributes["multicloud.check"] == "check_file"
