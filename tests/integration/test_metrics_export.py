"""Metrics exported to the three local clouds at once, and read back from each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from airflow_multicloud.api import check_metrics, export_metrics_to_cloud, read_metric
from airflow_multicloud.core.metrics.origin import Origin
from airflow_multicloud.core.metrics.report import ExportReport
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.opening.metrics import ExportRequest, MetricsInput, export_metrics
from airflow_multicloud.operators.metrics import ExportMetricsOperator
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant
from airflow_multicloud.testing.local_clouds.kit.otlp import requests_at

from .airflow_runs import run_dag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer

CONNS = ("aws_telemetry_local", "gcp_telemetry_local", "azure_telemetry_local")
TRANSPORTS = ("native", "otlp")


@dataclass(frozen=True)
class Clouds:
    """The three servers, and a namespace that no other test has."""

    servers: dict[str, LocalServer]
    namespace: str

    def plant(self, conn_id: str, *faults: DeliveryFault) -> None:
        plant(self.servers[conn_id].endpoint, "metrics", faults)

    def export(self, metrics: Any, **options: Any) -> ExportReport:
        return export_metrics_to_cloud(CONNS, namespace=self.namespace, metrics=metrics, **options)

    def totals(self, conn_id: str, name: str, **options: Any) -> list[float]:
        found = read_metric(conn_id, name, namespace=self.namespace, **options)
        assert found.notes == ()
        return [point.total for point in found.points]


@pytest.fixture
def clouds(
    local_cloudwatch: LocalServer,
    local_gcp_telemetry: LocalServer,
    local_azure_telemetry: LocalServer,
) -> Iterator[Clouds]:
    servers = dict(
        zip(CONNS, (local_cloudwatch, local_gcp_telemetry, local_azure_telemetry), strict=True)
    )
    made = Clouds(servers, f"shop{uuid.uuid4().hex[:8]}")
    yield made
    for conn_id in CONNS:
        made.plant(conn_id)


def minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)


def every_kind() -> list[dict[str, Any]]:
    common = {"time": minute(), "attributes": {"cloud.provider": "all"}}
    return [
        {"name": "shop.queue", "value": 3, **common},
        {"name": "shop.orders", "type": "counter", "value": "12", "unit": "{order}", **common},
        {
            "name": "shop.size",
            "type": "histogram",
            "values": [1, 2, 30],
            "bounds": [5, 10],
            "unit": "By",
            **common,
        },
    ]


def test_every_kind_is_read_back_from_every_cloud(clouds: Clouds) -> None:
    report = clouds.export(every_kind())
    report.raise_if_failed()
    for conn_id in CONNS:
        for name, total in (("shop.queue", 3), ("shop.orders", 12), ("shop.size", 33)):
            chosen = {"cloud.provider": "all"}
            assert clouds.totals(conn_id, name, attributes=chosen) == [pytest.approx(total)]


def test_what_each_cloud_does_not_keep_is_told(clouds: Clouds) -> None:
    told = {one.conn_id: one.conversions for one in clouds.export(every_kind()).destinations}
    assert all(told.values())


def test_ten_thousand_points(clouds: Clouds) -> None:
    """Each of them is accounted for everywhere, in seconds."""
    metrics = [
        {"name": f"shop.many.{n % 10}", "value": n, "attributes": {"n": n}, "time": minute()}
        for n in range(10_000)
    ]
    report = clouds.export(metrics)
    assert report.succeeded
    assert [one.accepted for one in report.destinations] == [10_000] * 3
    assert [one.requests for one in report.destinations] == [10, 50, 20]
    for conn_id in CONNS:
        assert len(clouds.totals(conn_id, "shop.many.3")) == 1000


def test_faults_of_one_cloud_are_its_own(clouds: Clouds) -> None:
    aws, gcp, azure = CONNS
    clouds.plant(aws, DeliveryFault(kind=DeliveryFaultKind.REJECT, name="bad"))
    clouds.plant(gcp, DeliveryFault(kind=DeliveryFaultKind.LOSE_ANSWER))
    clouds.plant(
        azure,
        DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=ErrorKind.PERMISSION_DENIED, times=100),
    )
    metrics = [{"name": name, "value": 1, "time": minute()} for name in ("shop.good", "shop.bad")]
    first, second, third = clouds.export(metrics).destinations
    assert (first.accepted, first.rejected) == (1, 1)
    assert first.refusals[0].samples == ("shop.bad",)
    assert second.accepted + second.unknown == 2
    assert (third.accepted, third.rejected) == (0, 2)
    assert third.refusals[0].kind is ErrorKind.PERMISSION_DENIED
    assert clouds.totals(aws, "shop.good") == [1]
    assert clouds.totals(gcp, "shop.bad") == [1]


@pytest.mark.parametrize("conn_id", ["aws_telemetry_local", "azure_telemetry_local"])
def test_a_retry_counts_nothing_twice(clouds: Clouds, conn_id: str) -> None:
    """Where large points go in several requests, of which one is accepted."""
    attributes = {f"k{n:02}": "v" * 200 for n in range(28)}
    given = MetricsInput(
        metrics=[
            {"name": f"shop.big{n}", "type": "counter", "value": 1, "attributes": attributes}
            for n in range(400)
        ]
    )
    request = ExportRequest(destinations=conn_id, namespace=clouds.namespace)
    origin, settled = Origin(time=minute()), cast("dict[str, Any]", {})
    throttled = DeliveryFault(
        kind=DeliveryFaultKind.REFUSE, error=ErrorKind.THROTTLED, after=1, times=100
    )
    clouds.plant(conn_id, throttled)
    (first,) = export_metrics(given, request, origin, settled=settled).destinations
    assert 0 < first.accepted < 400
    assert first.unknown == 0
    clouds.plant(conn_id)
    (second,) = export_metrics(given, request, origin, settled=settled).destinations
    assert (second.accepted, second.accepted_before) == (400, first.accepted)
    for name in ("shop.big0", "shop.big399"):
        assert clouds.totals(conn_id, name) == [1]


def test_bad_points_are_named_before_anything_is_sent(clouds: Clouds) -> None:
    bad = [
        {"name": "shop.nan", "value": "nan", "time": minute()},
        {"name": "", "value": 1, "time": minute()},
        {"name": "shop.old", "value": 1, "time": minute() - timedelta(days=60)},
        {"name": "shop.unit", "value": 1, "unit": "x" * 64, "time": minute()},
        {
            "name": "shop.wide",
            "value": 1,
            "time": minute(),
            "attributes": {f"a{n}": n for n in range(101)},
        },
    ]
    with pytest.raises(MetricsError, match="nothing was sent"):
        clouds.export([*every_kind(), *bad])
    checked = check_metrics(CONNS, namespace=clouds.namespace, metrics=[*every_kind(), *bad])
    assert [(one.exportable, one.points_in) for one in checked.destinations] == [(3, 8)] * 3
    for conn_id in CONNS:
        assert clouds.totals(conn_id, "shop.queue") == []
    dropped = clouds.export([*every_kind(), *bad], on_invalid="drop").destinations
    assert [(one.accepted, one.dropped) for one in dropped] == [(3, 5)] * 3


def test_otlp_is_taken_by_every_cloud(clouds: Clouds) -> None:
    before = {conn_id: _otlp_requests(clouds, conn_id) for conn_id in CONNS}
    report = clouds.export(every_kind(), transport="otlp")
    report.raise_if_failed()
    for conn_id in CONNS:
        (request,) = _otlp_requests(clouds, conn_id)[len(before[conn_id]) :]
        (resource,) = request["resourceMetrics"]
        attributes = {
            one["key"]: one["value"].get("stringValue")
            for one in resource["resource"]["attributes"]
        }
        assert attributes["service.namespace"] == clouds.namespace
        names = [metric["name"] for metric in resource["scopeMetrics"][0]["metrics"]]
        assert sorted(names) == ["shop.orders", "shop.queue", "shop.size"]


def _otlp_requests(clouds: Clouds, conn_id: str) -> list[dict[str, Any]]:
    return requests_at(clouds.servers[conn_id].endpoint)


def test_what_an_otlp_endpoint_refuses_is_counted(clouds: Clouds) -> None:
    for conn_id in CONNS:
        clouds.plant(conn_id, DeliveryFault(kind=DeliveryFaultKind.REJECT, name="orders"))
    for one in clouds.export(every_kind(), transport="otlp").destinations:
        assert (one.accepted, one.rejected) == (2, 1)
        assert "which does not say which" in one.refusals[0].reason


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_credentials_that_are_refused(clouds: Clouds, transport: str) -> None:
    for conn_id in CONNS:
        clouds.plant(
            conn_id,
            DeliveryFault(
                kind=DeliveryFaultKind.REFUSE, error=ErrorKind.UNAUTHENTICATED, times=100
            ),
        )
    for one in clouds.export(every_kind(), transport=transport).destinations:
        assert (one.accepted, one.unknown) == (0, 0)
        # AWS says 403 of a signature that is wrong, and an OTLP endpoint no more than that.
        allowed = {ErrorKind.UNAUTHENTICATED} | (
            {ErrorKind.PERMISSION_DENIED} if transport == "otlp" else set()
        )
        assert {refusal.kind for refusal in one.refusals} <= allowed


def test_what_opentelemetrys_sdk_measured(clouds: Clouds) -> None:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("shop")
    meter.create_counter("shop.sold").add(4)
    meter.create_histogram("shop.price", unit="EUR").record(2.5)
    report = export_metrics_to_cloud(
        CONNS, namespace=clouds.namespace, metrics_data=reader.get_metrics_data
    )
    assert all(one.accepted == 2 for one in report.destinations), [*map(str, report.destinations)]
    for conn_id in CONNS:
        assert clouds.totals(conn_id, "shop.sold") == [4]
        assert clouds.totals(conn_id, "shop.price") == [pytest.approx(2.5)]


def test_a_dag_with_mapped_tasks(clouds: Clouds, airflow_db: None) -> None:
    """Their series stay apart, and the report is in XCom."""
    from airflow.sdk import DAG

    with DAG(f"metrics_{clouds.namespace}") as dag:
        ExportMetricsOperator.partial(
            task_id="export", destinations=list(CONNS), namespace=clouds.namespace
        ).expand(
            metrics=[
                [{"name": "shop.mapped", "value": "{{ ti.map_index + 1 }}"}],
                [{"name": "shop.mapped", "value": 2}],
            ]
        )
    run = run_dag(dag)
    assert run.state == "success"
    for index in (0, 1):
        told = run.xcom("export", "metrics_report", index)
        assert [one["accepted"] for one in told["destinations"]] == [1, 1, 1]
        mine = {"airflow.map_index": index, "airflow.task_id": "export"}
        for conn_id in CONNS:
            assert clouds.totals(conn_id, "shop.mapped", attributes=mine) == [index + 1]
