"""The API: what a program measures, and whose points they are inside of a task."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.api import (
    CloudMetricsAggregator,
    check_metrics,
    export_metrics_to_cloud,
    read_metric,
)
from airflow_multicloud.core.metrics.collecting import Collector
from airflow_multicloud.core.metrics.given import read_given
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.ports.metrics import Counter, Gauge, Histogram, MetricPoint, Temporality
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store
from airflow_multicloud.testing.memory_cloud.metrics import metrics_of
from tests.unit.metrics.test_operator import STARTED, Context

if TYPE_CHECKING:
    from pathlib import Path

Conns = tuple[str, str, str]


def points(conn_id: str, namespace: str = "shop") -> list[MetricPoint]:
    return [*metrics_of(conn_id).points[namespace].values()]


def measured(aggregator: CloudMetricsAggregator) -> list[MetricPoint]:
    found = read_given(aggregator.documents(), Collector())
    assert found.refusals == ()
    return [*found.points]


def test_measurements_are_added_up() -> None:
    metrics = CloudMetricsAggregator("shop", bounds=[1, 5])
    for value in (3, 4):
        metrics.gauge("queue", value)
        metrics.count("orders", value, attributes={"country": "de"})
    metrics.count("orders", attributes={"country": "fr"})
    metrics.count("stock", -2)
    for size in (1, 3, 9.5):
        metrics.record("size", size, unit="By")
    queue, german, french, stock, size_ = measured(metrics)
    assert queue.data == Gauge(4)
    assert german.data == Counter(7, Temporality.DELTA)
    assert french.data == Counter(1, Temporality.DELTA)
    assert stock.data == Counter(-2, Temporality.DELTA, monotonic=False)
    assert size_.data == Histogram(
        count=3,
        temporality=Temporality.DELTA,
        bounds=(1, 5),
        counts=(1, 1, 1),
        total=13.5,
        minimum=1,
        maximum=9.5,
    )
    assert size_.unit == "By"
    assert queue.start is None
    assert german.start is not None
    assert german.start < german.time == size_.time


def test_attributes_that_only_python_takes_for_equal_are_series_of_their_own() -> None:
    metrics = CloudMetricsAggregator("shop")
    for value in (True, 1, 1.0, True):
        metrics.count("orders", attributes={"first": value})
    counted = [(point.attributes["first"], point.data) for point in measured(metrics)]
    assert [(str(value), counter.value) for value, counter in counted] == [
        ("True", 2),
        ("1", 1),
        ("1.0", 1),
    ]


def test_without_bounds_there_are_no_buckets() -> None:
    metrics = CloudMetricsAggregator("shop")
    metrics.record("size", 3)
    (point,) = measured(metrics)
    assert point.data == Histogram(
        count=1, temporality=Temporality.DELTA, total=3, minimum=3, maximum=3
    )


def test_an_export_has_what_came_since_the_last(conns: Conns) -> None:
    metrics = CloudMetricsAggregator("shop")
    metrics.count("orders", 3)
    metrics.export(conns[0]).raise_if_failed()
    metrics.count("orders", 4)
    metrics.export(conns[0]).raise_if_failed()
    first, second = points(conns[0])
    assert [one.data for one in (first, second)] == [
        Counter(3, Temporality.DELTA),
        Counter(4, Temporality.DELTA),
    ]
    assert second.start == first.time
    assert metrics.documents() == []


def test_what_was_sent_nowhere_is_kept_for_the_next_export(conns: Conns) -> None:
    metrics = CloudMetricsAggregator("shop", bounds=[1])
    for value in (1, 2):
        metrics.count("orders", value)
        metrics.record("size", value)
        metrics.gauge("queue", value)
        if value == 1:
            metrics.gauge("bad", float("nan"))
            with pytest.raises(MetricsError, match="nothing was sent"):
                metrics.export(conns[0])
            metrics.gauge("bad", 1)
            metrics.count("other")
    metrics.export(conns[0]).raise_if_failed()
    found = {one.name: one.data for one in points(conns[0])}
    assert found["orders"] == Counter(3, Temporality.DELTA)
    assert found["queue"] == Gauge(2)
    assert found["other"] == Counter(1, Temporality.DELTA)
    assert found["size"] == Histogram(
        count=2,
        temporality=Temporality.DELTA,
        bounds=(1,),
        counts=(1, 1),
        total=3,
        minimum=1,
        maximum=2,
    )


def test_what_no_destination_was_sent_is_kept_too() -> None:
    metrics = CloudMetricsAggregator("shop")
    metrics.count("orders", 3)
    report = metrics.export("no_such_connection")
    assert (report.succeeded, report.destinations[0].dropped) == (False, 1)
    assert [one["value"] for one in metrics.documents()] == [3]


def test_an_error_of_any_kind_loses_nothing(conns: Conns) -> None:
    metrics = CloudMetricsAggregator("shop")
    metrics.count("orders", 3)
    with pytest.raises(TypeError):
        metrics.export(conns[0], no_such_option=1)
    metrics.export(conns[0]).raise_if_failed()
    assert [one.data for one in points(conns[0])] == [Counter(3, Temporality.DELTA)]


def test_what_is_wrong_in_itself_is_not_kept_for_ever(conns: Conns) -> None:
    metrics = CloudMetricsAggregator("shop")
    metrics.gauge("bad", float("nan"))
    assert metrics.export(conns[0], on_invalid="drop").destinations[0].dropped == 1
    assert metrics.documents() == []


def test_threads_lose_nothing() -> None:
    metrics = CloudMetricsAggregator("shop")

    def work() -> None:
        for _ in range(1000):
            metrics.count("orders")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (point,) = measured(metrics)
    assert point.data == Counter(4000, Temporality.DELTA)


def test_inside_a_task_points_are_its_own(conns: Conns, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of the operator: of its DAG, task, map index, and the start of the run."""
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "shop")
    monkeypatch.setenv("AIRFLOW_CTX_TASK_ID", "measure")
    monkeypatch.setattr("airflow.sdk.get_current_context", lambda: Context(map_index=3))
    export_metrics_to_cloud(conns[0], namespace="shop", metrics=[{"name": "m", "value": 1}])
    (point,) = points(conns[0])
    assert point.time == STARTED
    assert point.attributes == {
        "airflow.dag_id": "shop",
        "airflow.task_id": "measure",
        "airflow.map_index": 3,
    }


def test_in_a_process_that_a_task_has_started(
    conns: Conns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "shop")
    export_metrics_to_cloud(conns[0], namespace="shop", metrics=[{"name": "m", "value": 1}])
    assert points(conns[0])[0].attributes == {"airflow.dag_id": "shop"}


def test_outside_of_a_task_points_are_nobodys(conns: Conns) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    for time in (None, at):
        export_metrics_to_cloud(
            conns[0], namespace="shop", metrics=[{"name": "m", "value": 1}], time=time
        )
    now, then = points(conns[0])
    assert now.attributes == then.attributes == {}
    assert then.time == at
    assert datetime.now(UTC) - now.time < timedelta(minutes=1)


def test_a_check_sends_nothing(conns: Conns) -> None:
    metrics: list[dict[str, Any]] = [
        {"name": "m", "value": 1},
        {"name": "n", "value": "x"},
        {"name": "", "value": 1},
    ]
    report = check_metrics([*conns, "nowhere"], namespace="shop", metrics=metrics)
    assert not report.sound
    assert [one.exportable for one in report.destinations] == [1, 1, 1, 0]
    assert [sum(r.count for r in one.refusals) for one in report.destinations] == [2, 2, 2, 1]
    assert report.destinations[3].error is not None
    assert not any(map(points, conns))
    assert check_metrics(conns, namespace="shop", metrics=metrics[:1]).sound


def test_files_are_read_from_disk_and_from_buckets(
    conns: Conns, tmp_path: Path, memory_account: Any
) -> None:
    memory_account("telemetry", "lab")
    text = b"queue 3\n"
    (tmp_path / "metrics").write_bytes(text)
    object_store.Hook("telemetry").put_object(ObjectRef("lab", "metrics"), text)
    for place in (tmp_path / "metrics", "mem://telemetry@lab/metrics"):
        metrics_of(conns[0]).points.clear()
        report = export_metrics_to_cloud(conns[0], namespace="shop", prometheus_text=place)
        assert report.destinations[0].accepted == 1
        assert points(conns[0])[0].data == Gauge(3)


def test_a_file_that_can_not_be_read(conns: Conns, tmp_path: Path) -> None:
    with pytest.raises(MetricsError, match="otlp_json: there is no file"):
        export_metrics_to_cloud(conns[0], namespace="shop", otlp_json=tmp_path / "none")
    with pytest.raises(MetricsError, match="can't be read"):
        export_metrics_to_cloud(conns[0], namespace="shop", otlp_json=tmp_path)


def test_times_are_aware(conns: Conns) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(MetricsError, match="time: a datetime without a timezone"):
        export_metrics_to_cloud(conns[0], namespace="shop", metrics=[], time=naive)
    with pytest.raises(MetricsError, match="since: a datetime without a timezone"):
        read_metric(conns[0], "m", namespace="shop", since=naive)
    now = datetime.now(UTC)
    with pytest.raises(MetricsError, match=r"until: .* expected a time after since"):
        read_metric(conns[0], "m", namespace="shop", since=now, until=now)
