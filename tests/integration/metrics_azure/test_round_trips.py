"""Points that are hard to keep, or to find again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from airflow_multicloud.errors import CredentialsError, ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import (
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
    Histogram,
    Temporality,
)
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant
from airflow_multicloud.testing.local_clouds.kit.otlp import requests_at
from tests.integration.metrics_azure.conftest import Lab

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

_HOSTILE = [
    'x" or 1 == 1 //',
    '" | union AppMetrics //',
    "x\\",
    '\\" | take 0',
    "a\nb\r\n| take 0",
    "'; drop",
    '@"x"',
    'h"x"',
    "line\u2028end",
    "\U0001f600\x00\x1b[31m",
    "100%",
    "",
]


@pytest.mark.parametrize("value", _HOSTILE)
def test_a_value_is_found_and_no_part_of_the_query(lab: Lab, value: str) -> None:
    told = lab.export(
        lab.point(data=Gauge(1.0), attributes={"a": value}),
        lab.point(data=Gauge(2.0), attributes={"a": "other"}),
    )
    assert told.accepted == 2
    (found,) = lab.read(attributes={"a": value})
    assert (found.total, found.attributes) == (1.0, {"a": value})


@pytest.mark.parametrize("name", [text for text in _HOSTILE if text and text.isprintable()])
def test_so_is_a_name(lab: Lab, name: str) -> None:
    told = lab.export(lab.point(name, attributes={name: "x"}), lab.point("other"))
    assert told.accepted == 2
    (found,) = lab.read(name, attributes={name: "x"})
    assert found.attributes == {name: "x"}


def test_what_is_cut_is_told_apart_and_found(lab: Lab) -> None:
    values = ["v" * 9000 + end for end in ("1", "2")]
    names = ["n" * 2000 + end for end in ("1", "2")]
    told = lab.export(
        *(lab.point(attributes={"a": value}) for value in values),
        *(lab.point(name, attributes={"k" * 200: "x"}) for name in names),
    )
    assert told.accepted == 4
    assert {one.what: one.count for one in told.conversions} == {
        ConversionKind.ATTRIBUTE_CUT: 2,
        ConversionKind.NAME_CHANGED: 2,
        ConversionKind.ATTRIBUTE_RENAMED: 2,
    }
    assert all(len(lab.read(attributes={"a": value})) == 1 for value in values)
    assert all(len(lab.read(name, attributes={"k" * 200: "x"})) == 1 for name in names)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"multicloud.unit": "x"}, "are used for"),
        ({"a": "\ud800"}, "no Unicode"),
        ({f"a{number}": "v" * 8000 for number in range(9)}, "larger than 65536 B"),
    ],
)
def test_what_there_is_no_place_for(lab: Lab, attributes: dict[str, str], reason: str) -> None:
    told = lab.export(lab.point(), lab.point("bad", attributes=attributes))
    assert (told.accepted, told.dropped) == (1, 1)
    assert reason in told.refusals[0].reason


def test_the_largest_that_there_is_a_place_for(lab: Lab) -> None:
    attributes = {f"a{number}": "v" * 8000 for number in range(8)}
    assert lab.export(lab.point(attributes=attributes)).accepted == 1
    assert lab.read()[0].attributes == attributes


def test_many_bytes_are_more_than_one_request(lab: Lab) -> None:
    points = [
        lab.point(attributes={"n": str(number), **{f"a{i}": "v" * 8000 for i in range(7)}})
        for number in range(30)
    ]
    told = lab.export(*points)
    assert (told.accepted, told.requests) == (30, 2)


def test_a_histogram_of_which_not_all_is_known(lab: Lab) -> None:
    """Nothing that is read was made up: the cloud would have had the sum for a maximum."""
    data = Histogram(count=4, total=10.0, temporality=Temporality.DELTA)
    told = lab.export(lab.point(data=data))
    assert [one.what for one in told.conversions] == [ConversionKind.VALUES_APPROXIMATED]
    (found,) = lab.read()
    assert (found.count, found.total, found.minimum, found.maximum) == (4, 10.0, None, None)


@pytest.mark.parametrize(
    "data",
    [
        Histogram(count=0, total=0.0, temporality=Temporality.DELTA),
        Histogram(count=2, temporality=Temporality.DELTA),
        Histogram(count=2**31, total=1.0, temporality=Temporality.DELTA),
        ExponentialHistogram(
            count=1,
            scale=0,
            positive=ExponentialBuckets(0, (1,)),
            temporality=Temporality.DELTA,
        ),
    ],
)
def test_histograms_that_would_be_told_wrongly_are_dropped(lab: Lab, data: Any) -> None:
    told = lab.export(lab.point(data=data))
    assert told.dropped == 1
    assert lab.read() == ()


def test_a_large_whole_number_is_rounded_and_told(lab: Lab) -> None:
    told = lab.export(lab.point(data=Gauge(2**53 + 1)))
    assert [one.what for one in told.conversions] == [ConversionKind.VALUES_APPROXIMATED]


def test_a_running_total_is_told(lab: Lab) -> None:
    start = lab.now - timedelta(minutes=1)
    told = lab.export(lab.point(data=Counter(3.0, Temporality.CUMULATIVE), start=start))
    assert {one.what for one in told.conversions} == {
        ConversionKind.TEMPORALITY_CHANGED,
        ConversionKind.START_LOST,
    }


def test_times_are_kept_to_the_microsecond(lab: Lab) -> None:
    time = lab.now.replace(microsecond=123457)
    lab.export(lab.point(time=time))
    assert [one.time for one in lab.read()] == [time]


def test_a_part_of_an_answer_is_said_to_be_one(lab: Lab) -> None:
    lab.admin.seed("query_limits", [{"rows": 2}])
    lab.export(*(lab.point(attributes={"n": str(number)}) for number in range(3)))
    reading = lab.hook.read_points(lab.query())
    assert len(reading.points) == 2
    assert len(reading.notes) == 1


_COLUMNS = [{"name": "TimeGenerated", "type": "datetime"}]


@pytest.mark.parametrize(
    "body",
    [
        {"tables": [{"name": "PrimaryResult", "columns": _COLUMNS, "rows": [["yesterday"]]}]},
        {"tables": [{"name": "PrimaryResult", "columns": _COLUMNS, "rows": [[1, 2]]}]},
        {"tables": "none"},
        ["none"],
        "none",
        None,
    ],
)
def test_an_answer_that_is_none_is_an_error(lab: Lab, body: object) -> None:
    lab.admin.script("/query", [{"status": 200, "body": body}])
    with pytest.raises(MetricsError) as caught:
        lab.read()
    assert caught.value.kind is ErrorKind.INTEGRITY


@pytest.mark.parametrize("namespace", ["", " ", "a\nb", "n" * 257])
def test_what_is_no_namespace(lab: Lab, namespace: str) -> None:
    with pytest.raises(MetricsError, match="namespace: "):
        lab.hook.export_points([lab.point()], namespace=namespace)
    assert lab.tracked() == []


def test_otlp(lab: Lab, local_azure_telemetry: LocalServer) -> None:
    """The target's headers let a request in; without them it is not."""
    target = lab.hook.otlp_metrics_target()
    request = ExportMetricsServiceRequest()
    for name in ("kept", "refused"):
        metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
        metric.gauge.data_points.add(as_double=1.0)
    body = request.SerializeToString()
    content = {"Content-Type": "application/x-protobuf"}
    plant(
        local_azure_telemetry.endpoint,
        "metrics",
        [DeliveryFault(kind=DeliveryFaultKind.REJECT, name="refused")],
    )
    refused = requests.post(
        target.url, data=body, headers=content, verify=target.verify, timeout=10
    )
    assert refused.status_code == 401
    taken = requests.post(
        target.url,
        data=body,
        headers={**content, **target.headers_for(body)},
        verify=target.verify,
        timeout=10,
    )
    told = ExportMetricsServiceResponse.FromString(taken.content)
    assert told.partial_success.rejected_data_points == 1
    assert "kept" in str(requests_at(local_azure_telemetry.endpoint)[-1])
    plant(local_azure_telemetry.endpoint, "metrics", [])


def test_otlp_needs_somebody(lab: Lab, connection: dict[str, Any], connect: Any) -> None:
    storage = {**connection, "conn_type": "wasb", "login": "account", "password": "a2V5"}
    storage["extra"] = {
        name: value for name, value in connection["extra"].items() if name != "tenantId"
    }
    hook = type(lab.hook)(connect(storage))
    with pytest.raises(CredentialsError):
        hook.otlp_metrics_target()
