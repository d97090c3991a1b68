"""What OpenTelemetry's SDK collects, and OTLP's JSON, as points."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics import export as sdk
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from airflow_multicloud.core.metrics.collecting import Collected, Collector
from airflow_multicloud.core.metrics.otlp_encoding import sdk_data
from airflow_multicloud.core.metrics.otlp_json import read_otlp_json
from airflow_multicloud.core.metrics.sdk_data import read_sdk_data
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import (
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
    Histogram,
    MetricPoint,
    Temporality,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
NANOSECONDS = 1767355200 * 10**9
SCOPE = {"otel.scope.name": "shop"}


def collected_by_sdk() -> Any:
    """Every kind of instrument, as a program measures."""
    reader = sdk.InMemoryMetricReader()
    exponential = View(
        instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation()
    )
    provider = MeterProvider(
        [reader],
        resource=Resource({"service.name": "till", "host.name": "h"}),
        views=[exponential],
    )
    meter = provider.get_meter("shop", "1.0")
    meter.create_counter("counter", unit="By").add(3, {"list": ["a", 1], "ok": True})
    meter.create_up_down_counter("updown").add(-2.5)
    meter.create_gauge("gauge").set(7)
    histogram = meter.create_histogram("histogram", explicit_bucket_boundaries_advisory=[1, 5])
    for value in (0.5, 3, 9):
        histogram.record(value)
    for value in (0, 2.5, 3):
        meter.create_histogram("exponential").record(value)
    return reader.get_metrics_data()


def read_sdk(data: Any, **options: Any) -> Collected:
    return read_sdk_data(data, Collector(NOON), **options)


def read_json(*documents: Any, **options: Any) -> Collected:
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents]
    return read_otlp_json(b"\n".join(lines), Collector(NOON), name="file", **options)


def metric(kind: str, *points: Any, **about: Any) -> Any:
    return {"name": "m", kind: {"dataPoints": list(points), **about}}


def document(*metrics: Any, resource: Any = (), scope: Any = None) -> Any:
    return {
        "resourceMetrics": [
            {
                "resource": {"attributes": list(resource)},
                "scopeMetrics": [{"scope": scope or {}, "metrics": list(metrics)}],
            }
        ]
    }


def one_of(found: Collected, name: str = "m") -> MetricPoint:
    assert found.refusals == ()
    (point,) = (point for point in found.points if point.name == name)
    return point


def test_every_kind_of_instrument() -> None:
    found = read_sdk(collected_by_sdk())
    assert (found.given, found.refusals) == (5, ())
    counter = one_of(found, "counter")
    assert counter.data == Counter(3, Temporality.CUMULATIVE)
    assert counter.unit == "By"
    assert counter.start is not None
    assert counter.start <= counter.time
    assert abs(datetime.now(UTC) - counter.time) < timedelta(minutes=1)
    assert counter.attributes == {
        **SCOPE,
        "service.name": "till",
        "list": '["a", 1]',
        "ok": True,
    }
    assert one_of(found, "updown").data == Counter(-2.5, Temporality.CUMULATIVE, monotonic=False)
    gauge = one_of(found, "gauge")
    assert (gauge.data, gauge.start) == (Gauge(7), None)
    assert one_of(found, "histogram").data == Histogram(
        count=3,
        temporality=Temporality.CUMULATIVE,
        bounds=(1, 5),
        counts=(1, 1, 1),
        total=12.5,
        minimum=0.5,
        maximum=9,
    )
    exponential = one_of(found, "exponential").data
    assert isinstance(exponential, ExponentialHistogram)
    assert (exponential.count, exponential.total, exponential.zero_count) == (3, 5.5, 1)
    assert sum(exponential.positive.counts) == 2


def test_what_is_lost_is_told() -> None:
    found = {one.what: one for one in read_sdk(collected_by_sdk()).conversions}
    assert found[ConversionKind.TYPE_CHANGED].count == 1
    assert found[ConversionKind.TIME_ROUNDED].count <= 5
    lost = [
        one.detail
        for one in read_sdk(collected_by_sdk()).conversions
        if one.what is ConversionKind.ATTRIBUTE_LOST
    ]
    assert lost == [
        "attributes of the resource are not sent; kept: service.namespace, service.name",
        "version and attributes of the scope are not sent",
    ]


def test_which_attributes_of_the_resource_are_kept() -> None:
    found = read_sdk(collected_by_sdk(), resource_attributes=["host.name"])
    assert one_of(found, "gauge").attributes == {**SCOPE, "host.name": "h"}


def test_a_service_without_a_name_has_none() -> None:
    """And no id that is another in each process: each run would begin series of its own."""
    reader = sdk.InMemoryMetricReader()
    MeterProvider([reader]).get_meter("shop").create_gauge("m").set(1)
    assert one_of(read_sdk(reader.get_metrics_data)).attributes == SCOPE


def test_a_reader_without_measurements() -> None:
    reader = sdk.InMemoryMetricReader()
    MeterProvider([reader])
    assert read_sdk(reader.get_metrics_data).given == 0


@pytest.mark.parametrize("given", [3, [], {"resource_metrics": []}])
def test_other_data_is_refused(given: Any) -> None:
    with pytest.raises(MetricsError, match=r"metrics_data: .* given, expected MetricsData"):
        read_sdk(given)


def test_json_says_the_same_as_the_sdk() -> None:
    """As protobuf's own library writes it."""
    data = collected_by_sdk()
    text = json_format.MessageToJson(encode_metrics(data), indent=None)
    found, expected = read_json(text.encode()), read_sdk(data)
    assert found.points == expected.points
    assert found.conversions == expected.conversions


def test_points_that_are_sent_by_otlp_say_the_same() -> None:
    points = read_sdk(collected_by_sdk()).points
    sent = encode_metrics(sdk_data(points, {"service.name": "till"}))
    found = read_json(json_format.MessageToJson(sent, indent=None).encode())
    named = [
        {name: value for name, value in one.attributes.items() if name not in SCOPE}
        for one in found.points
    ]
    expected = [
        {name: value for name, value in one.attributes.items() if name not in SCOPE}
        for one in points
    ]
    assert named == expected
    assert [(p.name, p.data, p.time, p.start, p.unit) for p in found.points] == [
        (p.name, p.data, p.time, p.start, p.unit) for p in points
    ]


@pytest.mark.parametrize(
    ("number", "value"),
    [(3, 3), (3.0, 3), (-(2**63), -(2**63)), (2**63, 2.0**63), (True, 1)],
)
def test_numbers_as_otlp_has_them(number: Any, value: float) -> None:
    point = MetricPoint(name="m", data=Gauge(number), time=NOON, attributes={"n": 2**70})
    sent = encode_metrics(sdk_data([point], {}))
    found = read_json(json_format.MessageToJson(sent, indent=None).encode())
    assert found.points[0].data == Gauge(value)
    assert found.points[0].attributes["n"] == str(2**70)


# --- OTLP's JSON -------------------------------------------------------------------------------


def test_numbers_of_64_bits_are_texts() -> None:
    point = {
        "asInt": "9007199254740993",
        "timeUnixNano": str(NANOSECONDS + 1_000),
        "attributes": [
            {"key": "s", "value": {"stringValue": "x"}},
            {"key": "i", "value": {"intValue": "5"}},
            {"key": "d", "value": {"doubleValue": 0.5}},
            {"key": "b", "value": {"boolValue": False}},
            {"key": "none", "value": {}},
        ],
    }
    found = read_json(document(metric("gauge", point)))
    read = one_of(found)
    assert read.data == Gauge(2**53 + 1)
    assert read.time == NOON + timedelta(microseconds=1)
    assert read.attributes == {"s": "x", "i": 5, "d": 0.5, "b": False}
    assert [one.what for one in found.conversions] == [ConversionKind.ATTRIBUTE_LOST]


def test_structures_become_text() -> None:
    value = {
        "kvlistValue": {
            "values": [
                {"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}, {}]}}},
                {"key": "b", "value": {"bytesValue": "aGk="}},
            ]
        }
    }
    point = {"asDouble": 1, "attributes": [{"key": "x", "value": value}]}
    found = read_json(document(metric("gauge", point)))
    assert one_of(found).attributes == {"x": '{"a": [1, null], "b": "aGk="}'}
    assert [one.what for one in found.conversions] == [ConversionKind.TYPE_CHANGED]


def test_numbers_that_are_not_finite_are_words() -> None:
    points = [
        {"asDouble": word, "timeUnixNano": str(NANOSECONDS + n)}
        for n, word in enumerate(("NaN", "Infinity", "-Infinity"))
    ]
    found = [read_json(document(metric("gauge", one))).points[0].data for one in points]
    assert math.isnan(found[0].value)  # type: ignore[union-attr]
    assert found[1:] == [Gauge(math.inf), Gauge(-math.inf)]


@pytest.mark.parametrize("number", [1, "AGGREGATION_TEMPORALITY_DELTA"])
def test_a_counter_and_its_names(number: Any) -> None:
    point = {"asDouble": 1.5, "startTimeUnixNano": str(NANOSECONDS), "exemplars": [{"asInt": 1}]}
    found = read_json(
        document(metric("sum", point, aggregationTemporality=number, isMonotonic=True))
    )
    assert one_of(found).data == Counter(1.5, Temporality.DELTA)
    assert one_of(found).start == NOON
    assert [one.what for one in found.conversions] == [ConversionKind.EXEMPLARS_LOST]


def test_a_summary_is_its_count_and_sum() -> None:
    point = {"count": "4", "sum": 10, "quantileValues": [{"quantile": 0.5, "value": 2}]}
    found = read_json(document(metric("summary", point)))
    expected = Histogram(count=4, temporality=Temporality.CUMULATIVE, total=10)
    assert one_of(found).data == expected
    assert [one.what for one in found.conversions] == [ConversionKind.BUCKETS_LOST]


def test_an_exponential_histogram() -> None:
    point = {
        "count": 3,
        "sum": 4.5,
        "scale": -1,
        "zeroCount": "1",
        "zeroThreshold": 0.25,
        "positive": {"offset": -2, "bucketCounts": ["2"]},
    }
    found = read_json(document(metric("exponentialHistogram", point, aggregationTemporality=2)))
    assert one_of(found).data == ExponentialHistogram(
        count=3,
        temporality=Temporality.CUMULATIVE,
        scale=-1,
        zero_count=1,
        zero_threshold=0.25,
        positive=ExponentialBuckets(-2, (2,)),
        total=4.5,
    )


def test_an_only_bucket_is_none() -> None:
    point = {"count": 2, "sum": 3, "bucketCounts": ["2"], "explicitBounds": []}
    found = read_json(document(metric("histogram", point, aggregationTemporality=1)))
    assert one_of(found).data == Histogram(count=2, temporality=Temporality.DELTA, total=3)


GAUGE = {"asInt": 1}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (metric("gauge", {}), "value: the point has none"),
        (metric("gauge", {"asInt": "x"}), "asInt: expected a number"),
        (metric("gauge", {**GAUGE, "flags": 1}), "flags: the point says that no value"),
        (metric("gauge", {"flags": 1}), "flags: the point says that no value"),
        (metric("gauge", {**GAUGE, "timeUnixNano": "9" * 30}), "time: there is no such time"),
        (metric("gauge", {**GAUGE, "timeUnixNano": "soon"}), "timeUnixNano: expected a number"),
        (metric("gauge", {**GAUGE, "attributes": [3]}), "attributes: expected keys and values"),
        (
            metric("gauge", {**GAUGE, "attributes": [{"key": "a", "value": {"x": 1}}]}),
            "a value is of no kind",
        ),
        (
            metric("gauge", {**GAUGE, "attributes": [{"key": "a", "value": {"stringValue": 1}}]}),
            "a value is not of the type",
        ),
        (metric("gauge", "x"), "dataPoints: expected a list of objects"),
        ({"name": "m", "gauge": {"dataPoints": 3}}, "dataPoints: expected a list of objects"),
        (metric("sum", GAUGE), "temporality: it is neither delta nor cumulative"),
        (metric("sum", GAUGE, aggregationTemporality="X"), "expected a number"),
        (
            metric("histogram", {"count": 1, "bucketCounts": 3}, aggregationTemporality=1),
            "bucketCounts: expected a list",
        ),
        (metric("histogram", {"count": 1.5}), "count: expected a whole number"),
        (metric("strange", GAUGE), "its kind is none that is known here"),
        ({"name": "m"}, "its kind is none that is known here"),
    ],
)
def test_a_point_that_is_none_costs_itself(given: Any, words: str) -> None:
    good = metric("gauge", {**GAUGE, "attributes": [{"key": "n", "value": {"intValue": 1}}]})
    found = read_json(document(given, good))
    assert (found.given, len(found.points)) == (2, 1)
    (refusal,) = found.refusals
    assert words in refusal.reason
    assert refusal.samples == ("m",)


def test_lines_and_one_that_is_none() -> None:
    good = [
        document(metric("gauge", {**GAUGE, "timeUnixNano": str(NANOSECONDS + n * 1000)}))
        for n in range(3)
    ]
    found = read_json(good[0], b"{", b"", good[1], b"[" * 100_000, b"3", good[2])
    assert [point.time for point in found.points] == [
        NOON + timedelta(microseconds=n) for n in range(3)
    ]
    (refusal,) = found.refusals
    assert (refusal.count, refusal.reason) == (3, "the line is no JSON object")
    assert refusal.samples == ("file line 2", "file line 5", "file line 6")


def test_one_document_on_many_lines() -> None:
    text = json.dumps(document(metric("gauge", GAUGE)), indent=2).encode()
    assert read_json(text).given == 1


@pytest.mark.parametrize("content", [b"{}", b'{"resourceSpans": []}', b"hello", b"\xff\xfe", b"3"])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(MetricsError, match="file is no OTLP metrics"):
        read_json(content)


def test_an_empty_file_has_no_points() -> None:
    assert read_json(b"").given == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"resourceMetrics": 3},
        {"resourceMetrics": [3]},
        {"resourceMetrics": [{"resource": {"attributes": 3}, "scopeMetrics": [3]}]},
        {"resourceMetrics": [{"resource": 3, "scopeMetrics": [{"scope": 3, "metrics": [3]}]}]},
    ],
)
def test_no_form_of_it_is_an_error(changed: Any) -> None:
    found = read_json(changed)
    assert found.given == sum(one.count for one in found.refusals) > 0
