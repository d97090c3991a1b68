"""Custom metrics of an Azure resource: what differs from Application Insights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.azure.metrics import MonitorMetricsHook
from airflow_multicloud.clouds.azure.metrics.custom import safe_name
from airflow_multicloud.errors import CredentialsError, ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import Gauge
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.azure.telemetry import RESOURCE_ID
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant
from tests.integration.metrics_azure.conftest import Lab

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

Connect = Callable[[Mapping[str, Any]], str]


@pytest.fixture
def resource(lab: Lab, local_azure_telemetry: LocalServer) -> Iterator[Lab]:
    now = lab.now.replace(second=0, microsecond=0)
    yield replace(lab, hook=MonitorMetricsHook("azure_resource_metrics_local"), now=now)
    plant(local_azure_telemetry.endpoint, "metrics", [])


def test_values_of_a_minute_are_one_point(resource: Lab) -> None:
    points = [
        resource.point(data=Gauge(value), time=resource.now + timedelta(seconds=second))
        for second, value in ((0, 1.0), (20, 5.0), (40, 3.0))
    ]
    told = resource.export(*points)
    assert (told.accepted, told.requests) == (3, 3)
    assert {one.what: one.count for one in told.conversions} == {ConversionKind.TIME_ROUNDED: 2}
    (found,) = resource.read()
    assert (found.time, found.count, found.total) == (resource.now, 3, 9.0)
    assert (found.minimum, found.maximum) == (1.0, 5.0)


def test_points_that_may_share_a_request_do(resource: Lab) -> None:
    points = [
        resource.point(f"m{number % 2}", attributes={"n": str(number)}) for number in range(40)
    ]
    told = resource.export(*points, resource.point("m0", attributes={"other": "x"}))
    assert (told.accepted, told.requests) == (41, 3)


def test_the_times_that_are_taken(resource: Lab) -> None:
    """By the limits, and not by those of Application Insights."""
    told = resource.export(
        resource.point(time=resource.now - timedelta(minutes=30)),
        resource.point(time=resource.now + timedelta(minutes=30)),
    )
    assert told.dropped == 2
    assert resource.hook.describe_metric_limits().oldest == timedelta(minutes=20)


def test_a_unit_and_an_empty_value_are_told(resource: Lab) -> None:
    told = resource.export(resource.point(attributes={"a": "", "b": "x"}, unit="By"))
    assert {one.what for one in told.conversions} == {
        ConversionKind.UNIT_LOST,
        ConversionKind.ATTRIBUTE_LOST,
    }
    (found,) = resource.read(attributes={"a": "", "b": "x"})
    assert (found.attributes, found.unit) == ({"b": "x"}, "")


@pytest.mark.parametrize("name", ["a/b", "a' eq '*' or b", "a(b)", "ä,ö", "x" * 300])
def test_names_are_replaced_and_found(resource: Lab, name: str) -> None:
    other = f"{name}!"
    told = resource.export(
        resource.point(name, attributes={name: name}),
        resource.point(other, Gauge(2.0), attributes={other: "x"}),
    )
    assert told.accepted == 2
    assert {ConversionKind.NAME_CHANGED, ConversionKind.ATTRIBUTE_RENAMED} <= {
        one.what for one in told.conversions
    }
    assert [one.total for one in resource.read(name, {name: name})] == [1.0]
    assert [one.total for one in resource.read(other, {other: "x"})] == [2.0]


def test_names_that_differ_in_case_only_are_refused(resource: Lab) -> None:
    told = resource.export(resource.point(attributes={"Region": "a", "region": "b"}))
    assert told.dropped == 1


def test_a_series_without_a_dimension_that_another_has(resource: Lab) -> None:
    resource.export(resource.point(), resource.point(data=Gauge(2.0), attributes={"a": "x"}))
    found = {tuple(one.attributes.items()): one.total for one in resource.read()}
    assert found == {(): 1.0, (("a", "x"),): 2.0}


def test_a_request_that_is_refused_costs_its_points(
    resource: Lab, local_azure_telemetry: LocalServer
) -> None:
    fault = DeliveryFault(kind=DeliveryFaultKind.REJECT, name="bad")
    plant(local_azure_telemetry.endpoint, "metrics", [fault])
    told = resource.export(
        *(resource.point("bad", attributes={"n": str(number)}) for number in range(3)),
        resource.point("good"),
    )
    assert (told.accepted, told.rejected, told.requests) == (1, 3, 2)
    assert [(one.kind, one.code) for one in told.refusals] == [
        (ErrorKind.INVALID_ARGUMENT, "BadRequest")
    ]


@pytest.mark.parametrize("status", [500, 503, 504])
def test_what_may_have_been_carried_out_is_not_sent_again(resource: Lab, status: int) -> None:
    resource.admin.script("/metrics", [{"status": status, "headers": {"Retry-After": "1"}}])
    told = resource.export(resource.point())
    assert (told.unknown, told.requests) == (1, 1)
    sent = [one for one in resource.admin.requests() if one["path"].endswith("/metrics")]
    assert len(sent) == 1


@pytest.mark.parametrize("body", ["<html>Sign in</html>", ["accepted"], "", 1])
def test_a_success_that_is_none_of_this_service_says_nothing(resource: Lab, body: object) -> None:
    answer = {"status": 200, "body": body, "headers": {"Content-Type": "text/html"}}
    resource.admin.script("/metrics", [answer])
    told = resource.export(resource.point())
    assert (told.accepted, told.unknown) == (0, 1)
    assert told.refusals[0].kind is ErrorKind.INTEGRITY


def test_a_success_may_say_something(resource: Lab) -> None:
    resource.admin.script("/metrics", [{"status": 200, "body": {"statusCode": 200}}])
    assert resource.export(resource.point()).accepted == 1


def test_a_name_that_is_anothers_replacement_stays_apart(resource: Lab) -> None:
    other = safe_name("a b")
    told = resource.export(
        resource.point("a b", attributes={"a b": "x", other: "y"}),
        resource.point(other, Gauge(2.0)),
    )
    assert told.accepted == 2
    assert [one.total for one in resource.read("a b", {"a b": "x", other: "y"})] == [1.0]
    assert [one.total for one in resource.read(other)] == [2.0]


def test_a_wait_that_nobody_can_read(resource: Lab) -> None:
    answer = {"status": 429, "headers": {"Retry-After": "soon"}}
    resource.admin.script("/metrics", [answer])
    resource.admin.script("/metricDefinitions", [answer])
    resource.admin.script(":getBatch", [answer])
    assert resource.export(resource.point()).accepted == 1
    assert [one.total for one in resource.read()] == [1.0]


@pytest.mark.parametrize("body", [None, [], "none", {"value": [{}]}, {"value": 3}])
def test_definitions_that_are_none_are_an_error(resource: Lab, body: object) -> None:
    resource.admin.script("/metricDefinitions", [{"status": 200, "body": body}])
    with pytest.raises(MetricsError) as caught:
        resource.read()
    assert caught.value.kind is ErrorKind.INTEGRITY


@pytest.mark.parametrize(
    "body",
    [None, [], {"values": None}, {"values": [{"value": [{"timeseries": [{"data": [{}]}]}]}]}],
)
def test_figures_that_are_none_are_an_error(resource: Lab, body: object) -> None:
    resource.export(resource.point())
    resource.admin.script(":getBatch", [{"status": 200, "body": body}])
    with pytest.raises(MetricsError) as caught:
        resource.read()
    assert caught.value.kind is ErrorKind.INTEGRITY


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metrics_resource_id", "/subscriptions/x"),
        ("metrics_resource_id", f"{RESOURCE_ID}?x=1"),
        ("metrics_resource_id", RESOURCE_ID.rpartition("/providers/")[0]),
        ("metrics_region", ""),
        ("metrics_region", "west europe"),
        ("metrics_region", "evil.example/"),
        ("metrics_ingestion_endpoint", "http://127.0.0.1"),
        ("metrics_query_endpoint", "127.0.0.1"),
        ("metrics_resource_id", ["x"]),
        ("metrics_region", 5),
    ],
)
def test_a_bad_place_is_named(
    connection: dict[str, Any], connect: Connect, name: str, value: str
) -> None:
    extra = {
        **connection["extra"],
        "metrics_resource_id": RESOURCE_ID,
        "metrics_region": "westeurope",
        name: value,
    }
    with pytest.raises(CredentialsError, match=f"{name}: "):
        MonitorMetricsHook(connect({**connection, "extra": extra}))
