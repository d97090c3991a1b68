"""Points of every kind of instrument, exported and read back."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with what it exported

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

import pytest

from airflow_multicloud.ports.accounting import Accounting, ConversionKind
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
    Histogram,
    Temporality,
)
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRig

_BUCKETS_NOT_KEPT = (ConversionKind.BUCKETS_LOST, ConversionKind.VALUES_APPROXIMATED)


class InstrumentContract:
    """What is read is what was exported, or the account says what is not."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("value", [0, -3, 42, 2.5, 1e-9, 123456789012.0])
    def test_a_gauge(self, metrics_rig: MetricsRig, value: float) -> None:
        """One value, at its time."""
        assert _accepted(metrics_rig.export(metrics_rig.point(data=Gauge(value)))) == 1
        found = metrics_rig.read_one()
        assert found.count == 1
        assert found.total == pytest.approx(value)
        assert found.time.tzinfo is not None
        assert found.time == metrics_rig.now

    def test_points_of_one_series(self, metrics_rig: MetricsRig) -> None:
        """Given in any order, they are there in the order of their times."""
        points = [
            metrics_rig.point(
                data=Gauge(float(number)), time=metrics_rig.now + timedelta(minutes=number)
            )
            for number in (2, 0, 1)
        ]
        assert _accepted(metrics_rig.export(*points)) == 3
        found = metrics_rig.read()
        assert [one.total for one in found] == [0.0, 1.0, 2.0]
        assert [one.time for one in found] == sorted(one.time for one in found)

    def test_a_delta_counter(self, metrics_rig: MetricsRig) -> None:
        """Two deltas, one after the other, are two points of their own values."""
        first = metrics_rig.point(
            data=Counter(5.0, Temporality.DELTA),
            start=metrics_rig.now - timedelta(minutes=1),
        )
        second = metrics_rig.point(
            data=Counter(7.0, Temporality.DELTA),
            start=metrics_rig.now,
            time=metrics_rig.now + timedelta(minutes=1),
        )
        told = metrics_rig.export(first, second)
        assert _accepted(told) == 2
        found = metrics_rig.read()
        assert [one.total for one in found] == [5.0, 7.0]
        _starts_are_kept_or_told(told, [one.start for one in found], [first.start, second.start])

    def test_a_cumulative_counter(self, metrics_rig: MetricsRig) -> None:
        """Both points count from the same start."""
        start = metrics_rig.now - timedelta(minutes=10)
        first = metrics_rig.point(data=Counter(5.0, Temporality.CUMULATIVE), start=start)
        second = metrics_rig.point(
            data=Counter(12.0, Temporality.CUMULATIVE),
            start=start,
            time=metrics_rig.now + timedelta(minutes=1),
        )
        told = metrics_rig.export(first, second)
        assert _accepted(told) == 2
        found = metrics_rig.read()
        assert [one.total for one in found] == [5.0, 12.0]
        _starts_are_kept_or_told(told, [one.start for one in found], [start, start])

    def test_a_histogram(self, metrics_rig: MetricsRig) -> None:
        """Count, sum, minimum and maximum; and the buckets, or the account says so."""
        data = Histogram(
            count=7,
            bounds=(1.0, 5.0, 10.0),
            counts=(1, 3, 2, 1),
            total=34.0,
            minimum=0.5,
            maximum=12.0,
            temporality=Temporality.DELTA,
        )
        told = metrics_rig.export(
            metrics_rig.point(data=data, start=metrics_rig.now - timedelta(minutes=1))
        )
        assert _accepted(told) == 1
        found = metrics_rig.read_one()
        assert found.count == 7
        assert found.total == pytest.approx(34.0)
        assert found.minimum in (None, pytest.approx(0.5))
        assert found.maximum in (None, pytest.approx(12.0))
        if found.histogram is None:
            assert _has(told, *_BUCKETS_NOT_KEPT)
        else:
            assert found.histogram.counts == data.counts
            assert found.histogram.bounds == data.bounds

    def test_a_histogram_without_buckets(self, metrics_rig: MetricsRig) -> None:
        """Count and sum are all that it has."""
        data = Histogram(count=4, total=10.0, temporality=Temporality.DELTA)
        told = metrics_rig.export(
            metrics_rig.point(data=data, start=metrics_rig.now - timedelta(minutes=1))
        )
        assert _accepted(told) == 1
        found = metrics_rig.read_one()
        assert found.count == 4
        assert found.total == pytest.approx(10.0)

    def test_an_exponential_histogram(self, metrics_rig: MetricsRig) -> None:
        """Never a zero of which nobody measured one: count and sum are right."""
        data = ExponentialHistogram(
            count=6,
            scale=1,
            zero_count=1,
            positive=ExponentialBuckets(offset=0, counts=(2, 0, 3)),
            total=11.5,
            minimum=0.0,
            maximum=2.7,
            temporality=Temporality.DELTA,
        )
        told = metrics_rig.export(
            metrics_rig.point(data=data, start=metrics_rig.now - timedelta(minutes=1))
        )
        assert _accepted(told) == 1
        found = metrics_rig.read_one()
        assert found.count == 6
        assert found.total == pytest.approx(11.5)
        assert found.maximum in (None, pytest.approx(2.7))

    def test_an_exponential_histogram_with_negative_values(self, metrics_rig: MetricsRig) -> None:
        """Or it is dropped by name, where the cloud has no place for it; never made another."""
        data = ExponentialHistogram(
            count=3,
            scale=0,
            positive=ExponentialBuckets(offset=0, counts=(1,)),
            negative=ExponentialBuckets(offset=1, counts=(2,)),
            total=-4.0,
            minimum=-3.0,
            maximum=2.0,
            temporality=Temporality.DELTA,
        )
        told = metrics_rig.export(
            metrics_rig.point(data=data, start=metrics_rig.now - timedelta(minutes=1))
        )
        assert told.accepted + told.dropped == 1
        if told.accepted:
            found = metrics_rig.read_one()
            assert found.count == 3
            assert found.total == pytest.approx(-4.0)

    def test_an_empty_histogram(self, metrics_rig: MetricsRig) -> None:
        """No values: nothing that is read says otherwise."""
        data = Histogram(
            count=0, bounds=(1.0,), counts=(0, 0), total=0.0, temporality=Temporality.DELTA
        )
        told = metrics_rig.export(
            metrics_rig.point(data=data, start=metrics_rig.now - timedelta(minutes=1))
        )
        assert told.accepted + told.dropped == 1
        assert sum(one.count for one in metrics_rig.read()) == 0

    def test_attributes_and_unit(self, metrics_rig: MetricsRig) -> None:
        """They are read as they were given, or the account says what became of them."""
        attributes: dict[str, AttributeValue] = {
            "cloud.provider": "aws",
            "attempt": 3,
            "ok": True,
            "Ünïcode": "grüße",
        }
        told = metrics_rig.export(metrics_rig.point(attributes=attributes, unit="By"))
        assert _accepted(told) == 1
        found = metrics_rig.read_one()
        as_text = {"cloud.provider": "aws", "attempt": "3", "ok": "true", "Ünïcode": "grüße"}
        if dict(found.attributes) != as_text:
            assert _has(
                told,
                ConversionKind.ATTRIBUTE_RENAMED,
                ConversionKind.ATTRIBUTE_CUT,
                ConversionKind.ATTRIBUTE_LOST,
            )
        assert found.attributes.items() >= {("attempt", "3"), ("ok", "true")}
        assert found.unit or _has(told, ConversionKind.UNIT_LOST)

    def test_series_are_told_apart_by_attributes(self, metrics_rig: MetricsRig) -> None:
        """Also those whose names need changing, and a query names them as they were exported."""
        points = [
            metrics_rig.point(data=Gauge(value), attributes={"cloud.provider": name})
            for name, value in (("aws", 1.0), ("gcp", 2.0))
        ]
        assert _accepted(metrics_rig.export(*points)) == 2
        assert sorted(one.total for one in metrics_rig.read()) == [1.0, 2.0]
        chosen = metrics_rig.read(attributes={"cloud.provider": "gcp"})
        assert [one.total for one in chosen] == [2.0]

    def test_no_such_metric(self, metrics_rig: MetricsRig) -> None:
        """It has no points."""
        assert metrics_rig.read("multicloud.never.exported") == ()


def _accepted(told: Accounting) -> int:
    assert told.refusals == ()
    return told.accepted


def _has(told: Accounting, *kinds: ConversionKind) -> bool:
    return any(conversion.what in kinds for conversion in told.conversions)


def _starts_are_kept_or_told(
    told: Accounting, found: list[datetime | None], given: list[datetime | None]
) -> None:
    if found == given:
        return
    if _has(told, ConversionKind.TIME_ROUNDED):
        # A cloud that can't begin a point when the one before ended begins it a moment later.
        for one, wanted in zip(found, given, strict=True):
            assert one is not None
            assert wanted is not None
            assert timedelta() <= one - wanted <= timedelta(milliseconds=1)
        return
    assert found == [None] * len(found)
    assert _has(told, ConversionKind.START_LOST, ConversionKind.TEMPORALITY_CHANGED)
