"""Histograms as Google's distributions, and back."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.clouds.gcp.metrics.distributions import distribution_of, histogram_of
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import (
    ExponentialBuckets,
    ExponentialHistogram,
    Histogram,
    Temporality,
)
from airflow_multicloud.testing.local_clouds.gcp.metrics import rules

DELTA = Temporality.DELTA


def sent(data: Histogram | ExponentialHistogram) -> tuple[Any, set[ConversionKind]]:
    """The distribution, which Cloud Monitoring takes, and what is lost."""
    found = distribution_of(data)
    assert not isinstance(found, str), found
    told, changes = found
    assert rules.why_not_distribution(told) is None
    return told, {change.what for change in changes}


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    bounds = sorted(draw(st.sets(st.floats(-1e9, 1e9), max_size=300)))
    counts = draw(
        st.lists(st.integers(0, 10**6), min_size=len(bounds) + 1, max_size=len(bounds) + 1)
    )
    total = draw(st.floats(-1e9, 1e9)) if sum(counts) else 0.0
    return Histogram(
        count=sum(counts),
        bounds=tuple(bounds),
        counts=tuple(counts),
        total=total,
        temporality=DELTA,
    )


@settings(max_examples=50, deadline=None)
@given(histograms())
def test_every_histogram_is_read_as_it_was(data: Histogram) -> None:
    told, lost = sent(data)
    found = histogram_of(told, DELTA)
    assert found.count == data.count
    assert found.total == pytest.approx(data.total)
    if len(data.bounds) >= 200:
        assert ConversionKind.BUCKETS_LOST in lost
        assert sum(found.counts) == data.count
        assert set(found.bounds) < set(data.bounds)
    elif data.bounds:
        assert (found.bounds, found.counts) == (data.bounds, data.counts)
    else:
        assert (found.bounds, found.counts) == ((), ())


@st.composite
def exponentials(draw: st.DrawFn) -> ExponentialHistogram:
    counts = st.lists(st.integers(0, 1000), max_size=400)
    positive, negative, zeros = draw(counts), draw(counts), draw(st.integers(0, 5))
    return ExponentialHistogram(
        count=sum(positive) + sum(negative) + zeros,
        scale=draw(st.integers(-12, 30)),
        zero_count=zeros,
        positive=ExponentialBuckets(draw(st.integers(-2000, 2000)), tuple(positive)),
        negative=ExponentialBuckets(0, tuple(negative)),
        total=draw(st.floats(-1e9, 1e9)),
        temporality=DELTA,
    )


@settings(max_examples=50, deadline=None)
@given(exponentials())
def test_every_exponential_histogram_fits_or_is_refused(data: ExponentialHistogram) -> None:
    """What is above a bound that is left was above it before."""
    found = distribution_of(data)
    if isinstance(found, str):
        assert found.startswith("value: ")
        return
    told, lost = sent(data)
    back = histogram_of(told, DELTA)
    assert back.count == data.count
    if data.zero_count or any(data.negative.counts):
        assert ConversionKind.BUCKETS_LOST in lost
    below = data.zero_count + sum(data.negative.counts)
    assert back.counts[0] == below
    for place, bound in enumerate(back.bounds):
        above = sum(
            n
            for number, n in enumerate(data.positive.counts)
            if n and _lower(data, number) >= bound * (1 - 1e-12)
        )
        if place < len(back.bounds) - 1:
            assert sum(back.counts[place + 1 :]) == above


def _lower(data: ExponentialHistogram, number: int) -> float:
    exponent = (data.positive.offset + number) * 2.0**-data.scale
    return math.inf if exponent >= 1024 else 2.0**exponent


def test_buckets_of_an_exponential_histogram() -> None:
    """Those of OpenTelemetry and Google have the same bounds."""
    told, lost = sent(
        ExponentialHistogram(
            count=5,
            scale=1,
            positive=ExponentialBuckets(2, (2, 0, 3)),
            total=20.0,
            temporality=DELTA,
        )
    )
    assert lost == {ConversionKind.VALUES_APPROXIMATED}
    found = histogram_of(told, DELTA)
    assert found.bounds == pytest.approx((2.0, 2**1.5, 4.0, 2**2.5))
    assert found.counts == (0, 2, 0, 3, 0)


def test_no_value_above_zero() -> None:
    told, _ = sent(
        ExponentialHistogram(count=4, scale=3, zero_count=4, total=0.0, temporality=DELTA)
    )
    assert histogram_of(told, DELTA).counts == (4, 0)
    assert told.mean == 0.0


def test_without_a_sum() -> None:
    """It is estimated, and said to be; without buckets there is nothing to estimate it from."""
    told, lost = sent(Histogram(count=2, bounds=(0.0, 10.0), counts=(0, 2, 0), temporality=DELTA))
    assert told.mean == 5.0
    assert ConversionKind.VALUES_APPROXIMATED in lost
    assert isinstance(distribution_of(Histogram(count=2, temporality=DELTA)), str)


def test_an_empty_one() -> None:
    told, lost = sent(Histogram(count=0, bounds=(1.0,), counts=(0, 0), temporality=DELTA))
    assert (told.count, told.mean, told.sum_of_squared_deviation) == (0, 0.0, 0.0)
    assert lost == set()


@pytest.mark.parametrize("bound", [1e308, -1e308])
def test_large_numbers(bound: float) -> None:
    """What is only estimated costs nobody a point."""
    told, _ = sent(Histogram(count=2, bounds=(bound,), counts=(1, 1), total=0.0, temporality=DELTA))
    assert told.mean == 0.0


@pytest.mark.parametrize("scale", [-2000, -10, 51, 2000])
def test_scales_that_no_double_has(scale: int) -> None:
    data = ExponentialHistogram(
        count=1, scale=scale, positive=ExponentialBuckets(0, (1,)), total=1.0, temporality=DELTA
    )
    assert "scale" in str(distribution_of(data))


def test_buckets_that_are_empty_cost_nothing() -> None:
    """However many come first."""
    counts = (*[0] * 2_000_000, 3)
    data = ExponentialHistogram(
        count=3,
        temporality=DELTA,
        scale=20,
        positive=ExponentialBuckets(-2_000_000, counts),
        total=3.0,
    )
    before = time.process_time()
    told, _ = sent(data)
    assert time.process_time() - before < 5
    assert list(told.bucket_counts) == [0, 3, 0]
    assert told.bucket_options.exponential_buckets.scale == pytest.approx(1.0)
