"""Prometheus' text format and OpenMetrics as points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from airflow_multicloud.core.metrics.collecting import Collected, Collector
from airflow_multicloud.core.metrics.prometheus import read_prometheus
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.ports import metrics as port
from airflow_multicloud.ports.accounting import ConversionKind

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CUMULATIVE = port.Temporality.CUMULATIVE


def read(text: str | bytes) -> Collected:
    content = text.encode() if isinstance(text, str) else text
    return read_prometheus(content, Collector(NOON), name="file")


def by_name(found: Collected) -> dict[str, port.MetricPoint]:
    assert found.refusals == ()
    return {point.name: point for point in found.points}


def registry() -> CollectorRegistry:
    """One metric of each kind, as a program shows them."""
    made = CollectorRegistry()
    Counter("orders", "Orders.", ["country"], registry=made).labels("de").inc(3)
    Gauge("queue", "Waiting.", registry=made).set(7)
    histogram = Histogram("size", "Sizes.", buckets=[1, 5], registry=made)
    summary = Summary("wait", "Waits.", registry=made)
    for value in (0.5, 3, 3, 9):
        histogram.observe(value)
        summary.observe(value)
    return made


@pytest.mark.parametrize("generate", [generate_latest, generate_openmetrics])
def test_every_kind(generate: Any) -> None:
    found = read(generate(registry()))
    points = by_name(found)
    assert points.keys() == {"orders_total", "queue", "size", "wait"}
    assert points["orders_total"].data == port.Counter(3, CUMULATIVE)
    assert points["orders_total"].attributes == {"country": "de"}
    assert points["orders_total"].description == "Orders."
    assert points["queue"].data == port.Gauge(7)
    assert points["size"].data == port.Histogram(
        count=4, temporality=CUMULATIVE, bounds=(1, 5), counts=(1, 2, 1), total=15.5
    )
    assert points["wait"].data == port.Histogram(count=4, temporality=CUMULATIVE, total=15.5)
    for name in ("orders_total", "size", "wait"):
        start = points[name].start
        assert start is not None
        assert abs(datetime.now(UTC) - start) < timedelta(minutes=1)
    assert {point.time for point in found.points} == {NOON}
    assert [one.what for one in found.conversions] == [ConversionKind.BUCKETS_LOST]


def test_times_and_types_that_are_not_said() -> None:
    found = read('up{job="a"} 1 1767355200123\n')
    point = by_name(found)["up"]
    assert point.time == NOON + timedelta(milliseconds=123)
    assert point.data == port.Gauge(1)
    assert [one.detail for one in found.conversions] == [
        "a metric of type unknown is sent as a gauge"
    ]


def test_units_and_exemplars_of_openmetrics() -> None:
    found = read(
        "# TYPE took_seconds counter\n# UNIT took_seconds seconds\n"
        'took_seconds_total 3 # {trace_id="a"} 1\n'
        "# TYPE steps_parsecs gauge\n# UNIT steps_parsecs parsecs\nsteps_parsecs 2\n"
        '# TYPE build info\nbuild_info{version="1"} 1\n'
        "# EOF\n"
    )
    points = by_name(found)
    assert points["took_seconds_total"].unit == "s"
    assert points["steps_parsecs"].unit == ""
    assert points["build_info"].attributes == {"version": "1"}
    assert {one.what for one in found.conversions} == {
        ConversionKind.EXEMPLARS_LOST,
        ConversionKind.UNIT_LOST,
        ConversionKind.TYPE_CHANGED,
    }


def test_histograms_are_told_apart_by_their_labels() -> None:
    lines = [
        f'h_bucket{{a="{a}",le="{le}"}} {count}'
        for a, counts in (("x", (1, 4)), ("y", (0, 2)))
        for le, count in zip(("1", "+Inf"), counts, strict=True)
    ]
    found = read("# TYPE h histogram\n" + "\n".join(lines) + "\n")
    assert {point.attributes["a"]: point.data.counts for point in found.points} == {  # type: ignore[union-attr]
        "x": (1, 3),
        "y": (0, 2),
    }


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ('h_bucket{le="1"} 1\n', "no bucket with le=+Inf"),
        ('h_bucket{le="x"} 1\nh_bucket{le="+Inf"} 1\n', "le: expected a number"),
        ('h_bucket{le="+Inf"} 1.5\n', "_bucket: expected a whole number"),
        ('h_bucket{le="+Inf"} 2\nh_count 3\n', "count is not that of its bucket"),
        ("h_sum 3\n", "no bucket with le=+Inf"),
    ],
)
def test_a_histogram_that_is_none_costs_itself(samples: str, words: str) -> None:
    found = read(f"ok 1\n# TYPE h histogram\n{samples}")
    assert [point.name for point in found.points] == ["ok"]
    (refusal,) = found.refusals
    assert words in refusal.reason
    assert refusal.samples == ("h",)


def test_a_native_histogram_costs_itself() -> None:
    native = "h {count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,"
    native += "positive_spans:[0:2],positive_deltas:[2,1]}"
    found = read(f"# TYPE a gauge\na 1\n# TYPE h histogram\n{native}\n# EOF\n")
    assert [point.name for point in found.points] == ["a"]
    assert "native histogram" in found.refusals[0].reason


def test_what_the_parser_says_is_shortened() -> None:
    with pytest.raises(MetricsError) as refused:
        read(f"a {'x' * 100_000}\n# EOF\n")
    assert len(str(refused.value)) < 1000


def test_buckets_that_decrease_are_left_to_the_clouds() -> None:
    found = read('# TYPE h histogram\nh_bucket{le="1"} 3\nh_bucket{le="+Inf"} 2\n')
    assert found.points[0].data.counts == (3, -1)  # type: ignore[union-attr]


def test_a_line_that_is_none_costs_itself() -> None:
    found = read('a 1\nb{ 2\nc x\n\nd{x="1"} 4\n')
    assert [point.name for point in found.points] == ["a", "d"]
    (refusal,) = found.refusals
    assert refusal.samples == ("file line 2", "file line 3")


def test_a_sample_twice_is_told() -> None:
    found = read('a{x="1"} 1\na{x="1"} 2\na{x="2"} 3\n')
    assert (len(found.points), found.given) == (2, 3)
    assert "the same time" in found.refusals[0].reason


@pytest.mark.parametrize("stamp", ["1e30", "nan", "inf"])
def test_a_time_that_is_none(stamp: str) -> None:
    found = read(f"a 1 {stamp}\n")
    assert found.points == ()
    assert found.given == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a 1\n\xff", "file is no UTF-8 text"),
        (b"a 1\nb\n# EOF\n", "file is no OpenMetrics"),
    ],
)
def test_another_file_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(MetricsError, match=words):
        read(content)


def test_no_lines_are_no_points() -> None:
    assert read("").given == 0
    assert read("# EOF\n").given == 0
